"""This service's part in retention rules (`service_kit.retaining.Retains`).

Where evidence goes the state follows by the one mechanism: the learner is built anew, once, when the learner's last
part is done. Of whom nothing is left the profile goes too, with a tombstone. Where the aggregate stays, so does the
state: to build it anew gives the same bytes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from events.payloads import RetentionAction, RetentionOrder
from learner_model.state import microseconds
from service_kit.candidates import LOOKED_AT_ONCE, Candidates, merged
from service_kit.mongo import Session
from service_kit.retaining import Part, Task
from service_kit.selecting import before, is_whole, matches

from learner_profile.evidence.counting import counted
from learner_profile.evidence.mapping import looked_up
from learner_profile.evidence.repository import Place, Row
from learner_profile.learners.persons import made_of
from learner_profile.learners.profiles import Base, Profile, Status, built_anew, erased
from learner_profile.learners.rebuilding import Views
from learner_profile.retention.repository import Found, RetainedEvidence

PURPOSE: Final = "profile"
AGGREGATE: Final = RetentionAction.aggregate
EVERYTHING: Final = 1_000_000


@dataclass(frozen=True)
class Retention:
    views: Views
    evidence: RetainedEvidence
    wake: Callable[[], None] = field(default=lambda: None)

    async def candidates(self, tenant: str, after: str | None, order: RetentionOrder) -> Candidates:
        """Learners with old evidence; where age alone decides also with old markers or an old base record, or of whom
        a teacher has said something.
        """
        selection, until = order.selection, before(order.selection)
        start = order.first if after is None else after
        us = None if until is None else microseconds(until)
        rows = self.evidence.learners(tenant, start, order.behind, us, selection.verbs, LOOKED_AT_ONCE)
        found = [await rows]
        if us is not None and until is not None and is_whole(selection) and order.action is not AGGREGATE:
            found.append(await self.evidence.with_markers(tenant, start, order.behind, until, LOOKED_AT_ONCE))
            found.append(await self.views.bases.older(tenant, start, order.behind, us, LOOKED_AT_ONCE))
            found.append(await self.views.estimates.learners(tenant, start, order.behind, LOOKED_AT_ONCE))
        together = merged(found, LOOKED_AT_ONCE)
        since = selection.inactive_since
        if since is None:
            return together
        left = [one for one in together.learners if not await self.evidence.is_active(tenant, one, since)]
        return Candidates(left, together.reached)

    async def retain(self, task: Task, session: Session) -> Part:
        tenant, learner, since = task.tenant, task.learner, task.selection.inactive_since
        if since is not None and await self.evidence.is_active(tenant, learner, since, session):
            return Part()
        if task.action is AGGREGATE:
            return await self._aggregate(task, session)
        place = (task.place["at_us"], task.place["statement"]) if task.place else None
        rows = await self._next(task, place, task.limit, session)
        taken = [row.statement for row in rows if matches(task.selection, row.facts)]
        more = len(rows) == task.limit
        counts = {"evidence": len(taken)}
        if not task.counts_only:
            await self.evidence.remove(tenant, learner, taken, session)
        if not more:
            counts |= await self._last(task, session)
        if not (task.counts_only or more) and (task.place or any(counts.values())):
            await self._follow(tenant, learner, session)
        at = {"at_us": rows[-1].place[0], "statement": rows[-1].place[1]} if more else None
        return Part(counts, {}, len(rows), at)

    async def _next(self, task: Task, after: Place | None, limit: int, session: Session) -> list[Found]:
        selection, until = task.selection, before(task.selection)
        opened = bool(selection.activity_types or selection.tags or selection.activities)
        before_us = microseconds(until) if until else None
        return await self.evidence.until(task.tenant, task.learner, before_us, after, limit, opened, session)

    async def _last(self, task: Task, session: Session) -> dict[str, int]:
        """What has no verb and no activity: markers of what was voided, and the base record."""
        until = before(task.selection)
        if until is None or not is_whole(task.selection):
            return {}
        tenant, learner, remove = task.tenant, task.learner, not task.counts_only
        markers = await self.evidence.markers(tenant, learner, until, session, remove=remove)
        words = await self._words(task, until, session)
        bases = 0
        if await self.views.bases.is_older(tenant, learner, microseconds(until), session):
            bases = await self.views.bases.remove(tenant, learner, session) if remove else 1
        return {"voided": markers, "bases": bases, "estimates": words}

    async def _words(self, task: Task, until: datetime, session: Session) -> int:
        """What teachers said of the learner's competencies before that time: how much of it there is, or was."""
        estimates = self.views.estimates
        history = (await estimates.load(task.tenant, [task.learner], session)).get(task.learner, ())
        left = [one for one in history if one.at >= until]
        if not task.counts_only and len(left) < len(history):
            if left:
                await estimates.save(task.tenant, task.learner, left, session)
            else:
                await estimates.delete(task.tenant, task.learner, session)
        return len(history) - len(left)

    async def _follow(self, tenant: str, learner: str, session: Session) -> None:
        """The state after some of what made it is gone."""
        learners = self.views.learners
        left = await self.evidence.any_of(tenant, learner, session)
        left = left or await self.views.bases.has(tenant, learner, session)
        status = await learners.status(tenant, learner, session)
        if status is Status.OPEN and left:
            await learners.mark_dirty(tenant, [learner], session)
        elif status is Status.OPEN:
            known = await learners.load(tenant, [learner], session)
            await learners.save([erased(known[learner])], session)
        elif status is not None:
            await learners.touch(tenant, [learner], session)
        self.wake()

    # Keep the aggregate only

    async def _aggregate(self, task: Task, session: Session) -> Part:
        """So much of the evidence into the base record as one step may delete."""
        tenant, learner = task.tenant, task.learner
        matched = [
            row.statement
            for row in await self._next(task, None, EVERYTHING, session)
            if matches(task.selection, row.facts)
        ]
        taken = matched if task.counts_only else matched[: task.limit]
        if not taken:
            return Part(looked=len(matched))
        if not task.standing.allows(PURPOSE):
            return Part(kept={"not_allowed": len(matched)}, looked=len(matched))
        if not task.counts_only:
            await self._into_base(tenant, learner, taken, session)
            await self.evidence.remove(tenant, learner, taken, session)
        more = {"again": True} if len(taken) < len(matched) else None
        return Part({"evidence": len(taken)}, {}, len(taken), more)

    async def _into_base(self, tenant: str, learner: str, taken: Sequence[str], session: Session) -> None:
        """Everything up to the last of those taken, by the model of today and the catalog of today."""
        views = self.views
        bases = await views.bases.load(tenant, [learner], session)
        made = made_of([learner], await views.evidence.of_learners(tenant, [learner], session), bases)
        rows, base = made.rows, made.base
        chosen = set(taken)
        last = max((_place(row) for row in rows if row.reading.statement_id in chosen), default=None)
        if last is None:
            return  # what is taken was part of the base before
        into = [row for row in rows if _place(row) <= last]
        catalog = await views.activities.mapped(tenant, looked_up(row.reading for row in into), session)
        known = (await views.learners.load(tenant, [learner], session)).get(learner)
        blank = known or Profile(tenant=tenant, learner=learner)
        folder = await views.shelf.folder(tenant, (row.reading.stored for row in into))
        whole = built_anew(blank, [counted(row) for row in into], catalog, folder, base=base)
        newest = max([*(microseconds(row.reading.stored) for row in into), base.newest_us if base else 0])
        await views.bases.put(whole, _end(last, base, whole), newest, len(into), session)
        stay = [row.reading.statement_id for row in into if row.reading.statement_id not in chosen]
        await self.evidence.base(tenant, learner, stay, session)


def _end(last: Place, base: Base | None, whole: Profile) -> Place:
    """Where the base ends: never before it did, and never before what was folded last."""
    ends = [last, *([base.place] if base else [])]
    if whole.folded is not None and whole.folded.last is not None:
        ends.append(whole.folded.last)
    return max(ends)


def _place(row: Row) -> Place:
    return (microseconds(row.reading.at), row.reading.statement_id)
