"""Recipients outside who have statements that a retention rule takes: named, and where the rule says so asked to void.

An export, and a forwarding that was removed, have no address: the controller hands them the signed notice of the run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from events.payloads import Told
from service_kit.clock import Clock
from service_kit.mongo import Document, Session
from service_kit.retaining import Task

from ingest.disclosures.repository import Disclosed, DisclosureRepository
from ingest.disclosures.telling import given
from ingest.forwarding.repository import ForwardingRepository
from ingest.retention.repository import RetainedStatements
from ingest.statements.repository import StatementRepository


@dataclass(frozen=True)
class Outside:
    disclosures: DisclosureRepository
    forwardings: ForwardingRepository
    statements: StatementRepository
    retained: RetainedStatements
    clock: Clock

    async def tell(self, task: Task, taken: Sequence[str], session: Session) -> list[Told]:
        """In the transaction that takes the statements, before it does. `taken`: their keys."""
        known = await self.disclosures.of_learner(task.tenant, task.learner, session) if taken else []
        whole = await self.retained.whole(taken, session) if known else []
        own = [one for one in whole if "voided" not in one]  # those were voided there too
        return [told for one in known if (told := await self._one(task, one, own, session)).statements]

    async def _one(self, task: Task, one: Disclosed, own: Sequence[Document], session: Session) -> Told:
        recipient = one.recipient
        told = Told(name=recipient.name, purpose=recipient.purpose, outcome="notice")
        forwarding = None
        if recipient.kind == "forwarding":
            forwarding = await self.forwardings.one(task.tenant, recipient.id)
        if forwarding is None:
            return told.model_copy(update={"statements": min(one.statements, len(own))})
        ids = await given(forwarding, own, self.statements)
        if not task.order.void_outside or not ids:
            return told.model_copy(update={"statements": len(ids)})
        now = self.clock()
        await self.disclosures.pass_on(task.tenant, task.request, recipient, ids, now, session, f"{min(ids)}-")
        return told.model_copy(update={"statements": len(ids), "outcome": "pending"})
