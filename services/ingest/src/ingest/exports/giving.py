"""To whom an export goes and for what: every export is a recipient with a purpose (GDPR 4(9))."""

from collections.abc import Sequence
from dataclasses import dataclass

from service_kit.clock import Clock
from service_kit.consent import ConsentView
from service_kit.mongo import Document

from ingest.disclosures.repository import DisclosureRepository, Recipient


@dataclass(frozen=True)
class Giving:
    """Leaves out whoever does not allow the purpose, and records what was given."""

    tenant: str
    recipient: Recipient
    consents: ConsentView
    disclosures: DisclosureRepository
    clock: Clock

    async def allowed(self, documents: Sequence[Document]) -> list[Document]:
        """Those whose learners all allow the purpose, now; not what is unlinked, whose learner nobody can ask.

        Raises `PolicyUnknown`, `ViewTooOld`.
        """
        learners = {one for document in documents for one in document["learners"] if one is not None}
        if not learners:
            return []
        standings = await self.consents.standings(self.tenant, learners)
        denied = {one for one, s in standings.items() if s.restricted or not s.allows(self.recipient.purpose)}
        linked = [document for document in documents if any(document["learners"])]
        return [document for document in linked if denied.isdisjoint(document["learners"])]

    async def given(self, documents: Sequence[Document]) -> None:
        learners = [document["learners"] for document in documents]
        await self.disclosures.record(self.tenant, self.recipient, learners, self.clock())
