"""Kafka in: statements. One batch is one transaction: rows, states, and the partitions' positions."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from events.consumer import Rejected
from events.envelope import Message
from events.tracing import current_traceparent, span_after
from service_kit import metrics
from service_kit.clock import Clock
from service_kit.mongo import Session

from learner_profile.evidence.intake import Intake, sort_out
from learner_profile.evidence.mapping import Mapped, looked_up
from learner_profile.evidence.reading import Reading, UnreadableError, Voiding, read
from learner_profile.learners.privacy import PURPOSE, keeps_rows
from learner_profile.learners.profiles import Profile, folded_on
from learner_profile.learners.rebuilding import Views

Item = Reading | Voiding
_YIELD_EVERY: Final = 20


class _Batch:
    """A tenant's part of a batch: items by learner, and the trace of each learner's last one."""

    def __init__(self) -> None:
        self.items: defaultdict[str, list[Item]] = defaultdict(list)
        self.traces: dict[str, str | None] = {}

    def add(self, learner: str, item: Item, traceparent: str | None) -> None:
        self.items[learner].append(item)
        self.traces[learner] = traceparent

    def statements(self, learners: Sequence[str]) -> list[tuple[str, str]]:
        return [(learner, _statement(item)) for learner in learners for item in self.items[learner]]


class StatementsHandler:
    """Statements into rows, and into states where they come at the end of the learner's order."""

    def __init__(self, views: Views, clock: Clock, wakes: Sequence[Callable[[], None]] = ()) -> None:
        self._views = views
        self._clock = clock
        self._folded = metrics.counter(metrics.EVIDENCE_FOLDED)
        self._wakes = wakes

    async def handle(self, messages: Sequence[Message], session: Session) -> None:
        for tenant, batch in _by_tenant(messages).items():
            await self._tenant(tenant, batch, session)

    async def committed(self) -> None:
        for wake in self._wakes:
            wake()

    async def _tenant(self, tenant: str, batch: _Batch, session: Session) -> None:
        """All that a tenant's statements change: one query each for standings, rows, profiles and activities."""
        standings = await self._views.consents.standings(tenant, batch.items, session)
        kept = [learner for learner in batch.items if keeps_rows(standings[learner])]
        known: defaultdict[str, dict[str, bool]] = defaultdict(dict)
        found = await self._views.evidence.known(tenant, batch.statements(kept), session)
        for (learner, statement), voided in found.items():
            known[learner][statement] = voided
        intakes = {learner: sort_out(batch.items[learner], known[learner]) for learner in kept}
        intakes = {learner: intake for learner, intake in intakes.items() if not intake.empty}
        await self._write_rows(tenant, intakes, session)
        folded = {learner: one for learner, one in intakes.items() if standings[learner].allows(PURPOSE)}
        await self._fold(tenant, folded, batch, session)
        await self._views.learners.touch(tenant, intakes.keys() - folded.keys(), session)

    async def _write_rows(self, tenant: str, intakes: Mapping[str, Intake], session: Session) -> None:
        new = [(learner, reading) for learner, intake in intakes.items() for reading in intake.new]
        voided = [(learner, statement) for learner, intake in intakes.items() for statement in intake.voided]
        await self._views.evidence.write(tenant, new, voided, self._clock(), session)

    async def _fold(self, tenant: str, intakes: Mapping[str, Intake], batch: _Batch, session: Session) -> None:
        if not intakes:
            return
        wanted = looked_up(reading for intake in intakes.values() for reading in intake.new)
        catalog = await self._views.activities.mapped(tenant, wanted, session)
        profiles = await self._views.learners.load(tenant, intakes, session)
        changed: list[Profile] = []
        for number, (learner, intake) in enumerate(intakes.items()):
            if number % _YIELD_EVERY == _YIELD_EVERY - 1:
                await asyncio.sleep(0)  # heartbeats live in this loop
            before = profiles.get(learner, Profile(tenant=tenant, learner=learner))
            changed.append(_after(before, intake, catalog, batch.traces[learner]))
        unchanged = {learner for learner, intake in intakes.items() if not intake.new and not intake.takes_back}
        waiting = {p.learner for p in changed if _waits(p, profiles)} | unchanged
        await self._views.learners.save([p for p in changed if p.learner not in waiting], session)
        await self._views.learners.touch(tenant, waiting, session)
        self._folded.add(sum(len(intake.new) for intake in intakes.values()))


def _after(before: Profile, intake: Intake, catalog: Mapping[str, Mapped], traceparent: str | None) -> Profile:
    with span_after("fold evidence", traceparent):
        profile = replace(before, traceparent=current_traceparent() or traceparent)
        if intake.takes_back:
            profile = replace(profile, dirty=True)
        return folded_on(profile, intake.new, catalog)


def _waits(after: Profile, before: Mapping[str, Profile]) -> bool:
    """Whether it was to be built anew already: its place in that queue stays."""
    return after.dirty and after.learner in before and before[after.learner].dirty


def _by_tenant(messages: Sequence[Message]) -> dict[str, _Batch]:
    """The readable items. Raises `Rejected` with those that aren't."""
    batches: defaultdict[str, _Batch] = defaultdict(_Batch)
    verdicts: list[tuple[Message, str]] = []
    for message in messages:
        if message.subject is None or message.payload is None:
            verdicts.append((message, "a statement needs a learner in the record key, and a value"))
            continue
        try:
            item = read(message.payload.root)
        except UnreadableError as error:
            verdicts.append((message, str(error)))
            continue
        if item is not None:
            batches[message.tenant].add(message.subject, item, message.traceparent)
    if verdicts:
        raise Rejected(verdicts)
    return batches


def _statement(item: Item) -> str:
    return item.target if isinstance(item, Voiding) else item.statement_id
