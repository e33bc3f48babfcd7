"""Kafka in: statements. One batch is one transaction: rows, states, and the partitions' positions."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from events.consumer import Rejected
from events.envelope import Message
from events.tracing import span_after
from learner_model.folder import Folder
from msgspec.structs import replace
from service_kit import metrics
from service_kit.clock import Clock
from service_kit.consent import Standing
from service_kit.mongo import Session

from learner_profile.evidence.acts import Held, sort_out_totals
from learner_profile.evidence.counting import counted, is_late
from learner_profile.evidence.intake import Intake, sort_out
from learner_profile.evidence.mapping import Mapped, looked_up
from learner_profile.evidence.merged import Person, to_fold_on
from learner_profile.evidence.reading import Reading, UnreadableError, Voiding, read
from learner_profile.evidence.repository import Linked, New, Row, linked
from learner_profile.learners.profiles import Profile, Status, closed, folded_on, reopened
from learner_profile.learners.rebuilding import Views
from learner_profile.learners.standing import PURPOSE, everyone, keeps_rows, takes_rows
from learner_profile.roles.staff import by_staff
from learner_profile.settings import EvidenceSettings

Item = Reading | Voiding
_YIELD_EVERY: Final = 20
_NO_TIES: Final[Mapping[str, Linked]] = {}


class _Batch:
    """A tenant's part of a batch: items by learner, and the trace of each learner's last one."""

    def __init__(self) -> None:
        self.items: defaultdict[str, list[Item]] = defaultdict(list)
        self.traces: dict[str, str | None] = {}

    def add(self, learner: str, item: Item, traceparent: str | None) -> None:
        self.items[learner].append(item)
        self.traces[learner] = traceparent

    def leave_out(self, learners: Iterable[str]) -> None:
        """Take their statements out; what voids one of them stays."""
        for learner in learners:
            self.items[learner] = [item for item in self.items[learner] if isinstance(item, Voiding)]

    def statements(self, learners: Sequence[str]) -> list[tuple[str, str]]:
        return [(learner, _statement(item)) for learner in learners for item in self.items[learner]]


@dataclass(frozen=True, slots=True)
class _News:
    """What a batch brings about one learner: `rows` to insert, with the `ties` of those that have any, what of them is
    `counting` in the fold, `voided` statements, and whether anything that counted counts no longer.
    """

    rows: tuple[Row, ...]
    counting: list[Reading]
    voided: tuple[str, ...]
    ties: Mapping[str, Linked]
    takes_back: bool


class StatementsHandler:
    """Statements into rows, and into states where they come at the end of the learner's order."""

    def __init__(
        self, views: Views, clock: Clock, settings: EvidenceSettings, wakes: Sequence[Callable[[], None]] = ()
    ) -> None:
        self._views = views
        self._clock = clock
        self._late_after = timedelta(days=settings.late_evidence_days)
        self._folded = metrics.counter(metrics.EVIDENCE_FOLDED)
        self._late = metrics.counter(metrics.EVIDENCE_LATE)
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
        batch.leave_out(learner for learner in kept if not takes_rows(standings[learner]))
        known: defaultdict[str, dict[str, bool]] = defaultdict(dict)
        found = await self._views.evidence.known(tenant, batch.statements(kept), session)
        for (learner, statement), voided in found.items():
            known[learner][statement] = voided
        intakes = {learner: sort_out(batch.items[learner], known[learner]) for learner in kept}
        news = await self._news(tenant, {one: intake for one, intake in intakes.items() if not intake.empty}, session)
        allowed = {learner for learner in news if standings[learner].allows(PURPOSE)}
        people = {one: learners for one in news if len(learners := everyone(one, standings[one])) > 1}
        staff = await self._staff(tenant, {one: news[one].rows for one in allowed}, standings, people, session)
        allowed -= await self._others(tenant, allowed, standings, staff, session)
        folded = {learner: one for learner, one in news.items() if learner in allowed and learner not in people}
        together = await self._together(
            tenant, {one: learners for one, learners in people.items() if one in allowed}, news, batch, session
        )
        await self._write_rows(tenant, news, session)
        await self._fold(tenant, folded | together, batch, session)
        await self._views.learners.touch(tenant, news.keys() - folded.keys() - together.keys(), session)
        roots = {learners[0] for one, learners in people.items() if one in allowed}
        await self._build_anew(tenant, roots - together.keys(), session)

    async def _together(
        self,
        tenant: str,
        people: Mapping[str, tuple[str, ...]],
        news: Mapping[str, _News],
        batch: _Batch,
        session: Session,
    ) -> dict[str, _News]:
        """Of people who are several learners what can be folded on their one state, by the learner who has it."""
        found: defaultdict[tuple[str, ...], dict[str, Sequence[Row]]] = defaultdict(dict)
        taken_back = set()
        for learner, learners in people.items():
            found[learners][learner] = news[learner].rows
            batch.traces.setdefault(learners[0], batch.traces[learner])
            if news[learner].takes_back:
                taken_back.add(learners[0])
        profiles = await self._views.learners.load(tenant, {one[0] for one in found}, session) if found else {}
        asked = [
            Person(learners, new)
            for learners, new in found.items()
            if learners[0] not in taken_back and _goes_on(profiles.get(learners[0]))
        ]
        fit = await to_fold_on(self._views.evidence, tenant, asked, session) if asked else []
        return {one.everyone[0]: _news_of(tuple(one.rows)) for one in fit}

    async def _news(self, tenant: str, intakes: Mapping[str, Intake], session: Session) -> dict[str, _News]:
        """The intakes with what they are beside each other and beside the rows that there are."""
        ties = {learner: linked(tenant, learner, intake.new) for learner, intake in intakes.items()}
        held = await self._views.evidence.held(tenant, {one: t.values() for one, t in ties.items() if t}, session)
        return {
            learner: self._one(intake, ties[learner], held.get(learner, Held())) for learner, intake in intakes.items()
        }

    def _one(self, intake: Intake, ties: Mapping[str, Linked], held: Held) -> _News:
        found = sort_out_totals({statement: one.ties for statement, one in ties.items()}, held)
        rows = tuple(Row(one, one.statement_id in found.totals, is_late(one, self._late_after)) for one in intake.new)
        return _news_of(rows, intake.voided, ties, takes_back=intake.takes_back or found.takes_back)

    async def _write_rows(self, tenant: str, news: Mapping[str, _News], session: Session) -> None:
        new = [
            New(learner, row, one.ties.get(row.reading.statement_id))
            for learner, one in news.items()
            for row in one.rows
        ]
        voided = [(learner, statement) for learner, one in news.items() for statement in one.voided]
        await self._views.evidence.write(tenant, new, voided, self._clock(), session)
        self._late.add(sum(one.row.late for one in new))

    async def _staff(
        self,
        tenant: str,
        new: Mapping[str, Sequence[Row]],
        standings: Mapping[str, Standing],
        people: Mapping[str, tuple[str, ...]],
        session: Session,
    ) -> set[str]:
        """Who acts by identifiers of staff: those who are new, and those who were found to be staff before. Of all
        others there are rows, and all rows decide, at a rebuild.
        """
        found = {learner for learner, rows in new.items() if by_staff(standings[learner].policy, rows)}
        roots = {learner: people.get(learner, (learner,))[0] for learner in found}
        profiles = await self._views.learners.load(tenant, set(roots.values()), session) if roots else {}
        return {
            learner
            for learner, root in roots.items()
            if (profiles[root].status == Status.CLOSED if root in profiles else learner not in people)
        }

    async def _others(
        self,
        tenant: str,
        learners: Set[str],
        standings: Mapping[str, Standing],
        staff: Set[str],
        session: Session,
    ) -> set[str]:
        """Who is no learner by roster or policy. Each has a closed profile, which the next rule or roster may open."""
        if not learners:
            return set()
        policy = next(iter(standings.values())).policy
        others = await self._views.roles.others(tenant, learners, policy, session, staff)
        known = await self._views.learners.load(tenant, others, session) if others else {}
        found = [known.get(one, Profile(tenant=tenant, learner=one)) for one in sorted(others)]
        await self._views.learners.save(
            [closed(p) for p in found if p.version == 0 or p.status == Status.OPEN], session
        )
        return others

    async def _build_anew(self, tenant: str, roots: Set[str], session: Session) -> None:
        """Of merged learners the rows of all together show what is a total of what: they are built from the rows."""
        profiles = await self._views.learners.load(tenant, roots, session) if roots else {}
        found = [profiles.get(one, Profile(tenant=tenant, learner=one)) for one in sorted(roots)]
        opened = [reopened(p) for p in found if p.version == 0 or p.status == Status.CLOSED]
        await self._views.learners.save(opened, session)
        await self._views.learners.mark_dirty(tenant, sorted(roots), session)

    async def _fold(self, tenant: str, news: Mapping[str, _News], batch: _Batch, session: Session) -> None:
        if not news:
            return
        wanted = looked_up(reading for one in news.values() for reading in one.counting)
        catalog = await self._views.activities.mapped(tenant, wanted, session)
        profiles = await self._views.learners.load(tenant, news, session)
        stored = (reading.stored for one in news.values() for reading in one.counting)
        folder = await self._views.shelf.folder(tenant, stored)
        changed: list[Profile] = []
        for number, (learner, one) in enumerate(news.items()):
            if number % _YIELD_EVERY == _YIELD_EVERY - 1:
                await asyncio.sleep(0)  # heartbeats live in this loop
            before = profiles.get(learner, Profile(tenant=tenant, learner=learner))
            changed.append(_after(before, one, catalog, folder, batch.traces[learner]))
        unchanged = {learner for learner, one in news.items() if not one.counting and not one.takes_back}
        waiting = {p.learner for p in changed if _waits(p, profiles)} | unchanged
        await self._views.learners.save([p for p in changed if p.learner not in waiting], session)
        await self._views.learners.touch(tenant, waiting, session)
        self._folded.add(sum(len(one.rows) for one in news.values()))


def _after(
    before: Profile, news: _News, catalog: Mapping[str, Mapped], folder: Folder, traceparent: str | None
) -> Profile:
    with span_after("fold evidence", traceparent) as handed_on:
        profile = replace(before, traceparent=handed_on, dirty=before.dirty or news.takes_back)
        return folded_on(profile, news.counting, catalog, folder)


def _news_of(
    rows: tuple[Row, ...],
    voided: tuple[str, ...] = (),
    ties: Mapping[str, Linked] = _NO_TIES,
    *,
    takes_back: bool = False,
) -> _News:
    return _News(rows, [counted(row) for row in rows if not row.reading.of_group], voided, ties, takes_back)


def _goes_on(profile: Profile | None) -> bool:
    """Whether there is a state of all the person's learners that evidence can be folded on."""
    return profile is not None and profile.status == Status.OPEN and profile.folded is not None and not profile.dirty


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
