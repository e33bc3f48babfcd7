"""To whom an erasure is passed on (GDPR 19), and of which statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import xapi
from events.payloads import Told
from service_kit.clock import Clock
from service_kit.consent import ConsentView, PolicyUnknown
from service_kit.mongo import Document, Session

from ingest.disclosures.repository import Disclosed, DisclosureRepository, Recipient
from ingest.forwarding.choosing import is_chosen
from ingest.forwarding.repository import Forwarding, ForwardingRepository
from ingest.identities.repository import IdentityRepository
from ingest.identities.returning import RefusedReturns
from ingest.statements.indexing import tokens_to_forget
from ingest.statements.repository import StatementRepository

NO_ADDRESS: Final = "an export has no address: to be told by the controller"
FORWARDING_GONE: Final = "the forwarding was removed: to be told by the controller"


@dataclass(frozen=True)
class Telling:
    """Reads what is about to be erased; in the transaction that erases it, before it does."""

    disclosures: DisclosureRepository
    forwardings: ForwardingRepository
    statements: StatementRepository
    identities: IdentityRepository
    refused: RefusedReturns
    consents: ConsentView
    clock: Clock

    async def refuse_return(self, tenant: str, learner: str, session: Session) -> datetime | None:
        """Where the policy says so, keep a keyed hash of the identifiers; until when."""
        try:
            policy = await self.consents.policy(tenant, session)
        except PolicyUnknown:
            return None
        personas = await self.identities.personas(tenant, learner) if policy.returning == "refuse" else []
        if not personas:
            return None
        until = self.clock() + timedelta(days=policy.returning_days)
        await self.refused.refuse(tenant, [persona.ifi for persona in personas], until, session)
        return until

    async def pass_on(self, tenant: str, learner: str, request: str, session: Session) -> list[Told]:
        """Note for each forwarding that had statements of the learner which ones it is to void; all recipients."""
        disclosed = await self.disclosures.of_learner(tenant, learner, session)
        own = await self._own(tenant, learner, session) if disclosed else []
        told = [await self._one(tenant, request, one, own, session) for one in disclosed]
        await self.disclosures.forget(tenant, learner, session)
        return told

    async def _one(self, tenant: str, request: str, one: Disclosed, own: Sequence[Document], session: Session) -> Told:
        recipient = one.recipient
        if recipient.kind == "export":
            return _failed(recipient, one.statements, NO_ADDRESS)
        forwarding = await self.forwardings.one(tenant, recipient.id)
        if forwarding is None:
            return _failed(recipient, one.statements, FORWARDING_GONE)
        ids = await given(forwarding, own, self.statements)
        await self.disclosures.pass_on(tenant, request, recipient, ids, self.clock(), session)
        if not ids:
            return Told(name=recipient.name, purpose=recipient.purpose, outcome="received", statements=0)
        return Told(name=recipient.name, purpose=recipient.purpose, statements=len(ids))

    async def _own(self, tenant: str, learner: str, session: Session) -> list[Document]:
        """The learner's own statements, those that will be deleted; voided ones were voided there too."""
        belongings = await self.identities.belongings(tenant, learner, session)
        if belongings is None:
            return []
        tokens = sorted({token for agent in belongings.agents for token in tokens_to_forget(agent)})
        naming = await self.statements.naming(tenant, tokens, session)
        return [
            d
            for d in naming
            if learner in d["learners"] and set(d["learners"]) <= {learner, None} and "voided" not in d
        ]


async def given(forwarding: Forwarding, own: Sequence[Document], statements: StatementRepository) -> list[str]:
    """The ids of those that it looked at and chose; it may have withheld some, and voids those in vain."""
    place = (forwarding.place.stored, forwarding.place.statement_id)
    behind = [d for d in own if (d["stored"], d["_id"].partition("/")[2]) <= place and "voids" not in d]
    opened = await statements.readable(behind)
    chosen = [d for d, data in opened if is_chosen(forwarding.filters, xapi.loads(data))]
    return [d["_id"].partition("/")[2] for d in chosen]


def _failed(recipient: Recipient, statements: int, reason: str) -> Told:
    return Told(name=recipient.name, purpose=recipient.purpose, outcome="failed", statements=statements, reason=reason)
