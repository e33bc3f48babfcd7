"""Entries in: chained in the order in which they come, tenant by tenant."""

from collections.abc import Sequence

from events.envelope import Message
from events.payloads import Audited
from events.sealing import Sealer
from service_kit.mongo import Session

from privacy.audit.chaining import Chaining, Entry
from privacy.audit.subjects import learners_of
from privacy.consents.forgotten import Forgotten


class AuditHandler:
    def __init__(self, chaining: Chaining, sealer: Sealer, forgotten: Forgotten) -> None:
        self._chaining = chaining
        self._sealer = sealer
        self._forgotten = forgotten

    async def handle(self, messages: Sequence[Message], session: Session) -> None:
        entries: dict[str, list[Entry]] = {}
        for message in messages:
            if isinstance(message.payload, Audited):
                entries.setdefault(message.tenant, []).append((message.id, message.payload))
        for tenant, own in entries.items():
            await self._chained(tenant, own, session)

    async def committed(self) -> None:
        """Nothing here publishes."""

    async def _chained(self, tenant: str, entries: Sequence[Entry], session: Session) -> None:
        links = await self._chaining.append(tenant, entries, session)
        said = dict(entries)
        subjects = await learners_of([said[link.entry_id] for link in links], self._sealer)
        gone = await self._forgotten.among(tenant, {one for learners in subjects for one in learners if one}, session)
        found = [
            (link.seq, learner)
            for link, learners in zip(links, subjects, strict=True)
            for learner in dict.fromkeys(learners)
            if learner is not None and learner not in gone
        ]
        await self._chaining.chain.index(tenant, found, session)
