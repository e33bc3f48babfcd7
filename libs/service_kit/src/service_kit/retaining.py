"""Retention rules, carried out by each service: a learner after the other, a part at a time, as fast as is set.

A step is one transaction: the records, and how far the order has come. So a worker that dies repeats nothing, and
whoever goes on comes to the same counts. A learner under a legal hold or a restriction, or whose inspection is open, is
passed over; that is looked up in the step's own transaction, behind a fence that a hold writes too.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol, runtime_checkable

from events.payloads import Receipt, RetentionAction, RetentionOrder, Selection, Told

from service_kit import metrics
from service_kit.candidates import Candidates, outlives
from service_kit.clock import Clock
from service_kit.consent import ConsentView, Standing
from service_kit.mongo import Client, Database, Session, in_transaction
from service_kit.orders import Ordered, Orders, Place, told_together
from service_kit.pacing import PREVIEW_FACTOR, RetainingSettings, rest
from service_kit.turning import Turning, quietly

log = logging.getLogger(__name__)

REST_SECONDS: Final = 1.0
CLAIM: Final = timedelta(seconds=5)
AT_ONCE: Final = 10
STEP_SECONDS: Final = 0.15
"""Then a step ends with the learner it is at: a long transaction meets those of others, and begins anew for ever."""
REMEMBERED: Final = 64
PART: Final = 100
"""Records of a step: what is deleted at once, others wait for."""

SendReceipt = Callable[[str, None, Receipt, Session], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Task:
    """A learner's records under an order. `place`: where the last part ended. `held`: who of these is held. `request`:
    the run's id.
    """

    tenant: str
    learner: str
    order: RetentionOrder
    place: Place | None
    limit: int
    standing: Standing
    held: Callable[[Sequence[str], Session], Awaitable[frozenset[str]]]
    request: str

    @property
    def selection(self) -> Selection:
        return self.order.selection

    @property
    def counts_only(self) -> bool:
        return self.order.preview

    @property
    def action(self) -> RetentionAction:
        return self.order.action

    def outlives(self, newest: datetime | None) -> bool:
        """Whether a copy of what was made of a learner's records goes, the newest of which was stored then."""
        return outlives(self.order, newest)


@dataclass(frozen=True, slots=True)
class Part:
    """What was taken (in a preview: would be), what was left and why; `place`: there is more, from there on.

    `told`: recipients outside who have what was taken.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)
    looked: int = 0
    place: Place | None = None
    told: Sequence[Told] = ()


@runtime_checkable
class Retains(Protocol):
    """A service's own part."""

    async def candidates(self, tenant: str, after: str | None, order: RetentionOrder) -> Candidates:
        """The next learners of the portion of whom something may be taken, behind `after` (None: from the first on)."""
        ...

    async def retain(self, task: Task, session: Session) -> Part:
        """Carry it out on so many records of one learner. Repeatable: the second time finds nothing."""
        ...


class Retaining:
    """The worker's job. `wake` after a batch was committed makes it look at once."""

    def __init__(
        self,
        client: Client,
        db: Database,
        service: str,
        participant: Retains,
        clock: Clock,
        receipt: SendReceipt,
        sent: Callable[[], None],
    ) -> None:
        self._client = client
        self._orders = Orders(db)
        self._view = ConsentView(db)
        self._service = service
        self._participant = participant
        self._clock = clock
        self._receipt = receipt
        self._sent = sent
        self._rate = RetainingSettings().retention_records_per_second
        self._ahead: dict[str, Candidates] = {}  # of an order, so that not every step asks for them
        self._taken = metrics.counter(metrics.RETENTION_RECORDS)
        turning = Turning("retaining", self.turn, rest_seconds=REST_SECONDS)
        self.run, self.wake, self.check = turning.run, turning.wake, turning.check

    async def turn(self) -> bool:
        """One step of the order that waits longest; whether there was one."""
        began = time.monotonic()
        ordered = await self._orders.claim(self._clock(), CLAIM)
        if ordered is None:
            return False
        try:
            claimed = time.monotonic()
            after, looked = await self._step(ordered)
        except Exception:
            await quietly(self._orders.give_back(ordered))
            raise
        if after.done_at is not None:
            self._sent()
        taken = 0 if ordered.order.preview else sum(after.counts.values()) - sum(ordered.counts.values())
        self._taken.add(taken, {"service": self._service})
        records = max(taken, looked / PREVIEW_FACTOR)
        took, waited = time.monotonic() - claimed, claimed - began
        await asyncio.sleep(rest(records, self._rate, took=took, waited=waited if taken else 0.0))
        return True

    async def _step(self, ordered: Ordered) -> tuple[Ordered, int]:
        """How far it has come with this step, and at how many records it has looked."""
        ahead = await self._look(ordered)
        learners = _next(ordered, ahead)
        if learners:
            return await in_transaction(self._client, lambda session: self._take(ordered, learners, session))
        if ahead.reached is not None:
            after = replace(ordered, after=ahead.reached, step=ordered.step + 1)
            await self._orders.put(after)
            return after, 0
        self._ahead.pop(ordered.id, None)
        return await in_transaction(self._client, lambda session: self._finish(ordered, session)), 0

    async def _look(self, ordered: Ordered) -> Candidates:
        """Whom the next steps are about. Whoever appears meanwhile has nothing that is old."""
        ahead = self._ahead.get(ordered.id)
        if ahead is None or not (ahead.reached is None or ahead.after(ordered.after)):
            known = [one for one in (ordered.after, ahead.reached if ahead else None) if one is not None]
            after = max(known, default=None)
            ahead = await self._participant.candidates(ordered.tenant, after, ordered.order)
            if len(self._ahead) >= REMEMBERED:  # of orders that another replica has ended
                self._ahead.clear()
            self._ahead[ordered.id] = ahead
        return ahead

    async def _take(self, ordered: Ordered, learners: Sequence[str], session: Session) -> tuple[Ordered, int]:
        tenant, order = ordered.tenant, ordered.order
        if not order.preview:
            await self._orders.fence(tenant, session)
        standings = await self._view.standings(tenant, learners, session)
        counts, kept, looked = Counter(ordered.counts), Counter(ordered.kept), 0
        done, place, told = ordered.after, ordered.place, ordered.told
        most = PART * PREVIEW_FACTOR if order.preview else PART
        until = time.monotonic() + STEP_SECONDS
        for learner in learners:
            reason = _reason(standings[learner])
            if reason is not None:
                kept[reason] += 1
                done, place = learner, None
                continue
            at = _at(place, learner)
            held, request = self._held_in(tenant), ordered.request.request_id
            task = Task(tenant, learner, order, at, most - looked, standings[learner], held, request)
            part = await self._participant.retain(task, session)
            counts.update(part.counts)
            kept.update(part.kept)
            looked += part.looked
            told = told_together(told, part.told)
            if part.place is not None:
                place = {"learner": learner, "at": part.place}
                break
            place = None
            done = learner
            if looked >= most or time.monotonic() > until:
                break
        step = ordered.step + 1
        after = replace(ordered, after=done, place=place, counts=_some(counts), kept=_some(kept), step=step, told=told)
        await self._orders.put(after, session)
        return after, looked

    def _held_in(self, tenant: str) -> Callable[[Sequence[str], Session], Awaitable[frozenset[str]]]:
        async def held(learners: Sequence[str], session: Session) -> frozenset[str]:
            standings = await self._view.standings(tenant, learners, session)
            return frozenset(one for one, standing in standings.items() if _reason(standing) is not None)

        return held

    async def _finish(self, ordered: Ordered, session: Session) -> Ordered:
        """What is done names no learner any more."""
        done = replace(ordered, after=None, place=None, step=ordered.step + 1, done_at=self._clock())
        await self._orders.put(done, session)
        await self._receipt(ordered.tenant, None, done.receipt(self._service), session)
        return done


def _next(ordered: Ordered, ahead: Candidates) -> list[str]:
    """Whose turn it is: first whoever was begun with."""
    begun = [ordered.place["learner"]] if ordered.place else []
    return list(dict.fromkeys([*begun, *ahead.after(ordered.after)]))[:AT_ONCE]


def _at(place: Place | None, learner: str) -> Place | None:
    """Where the learner's records go on."""
    return place["at"] if place is not None and place["learner"] == learner else None


def _reason(standing: Standing) -> str | None:
    """Why no rule touches this learner, if so."""
    if standing.erased:
        return "being_erased"
    if standing.held:
        return "held"
    return "restricted" if standing.restricted else None  # GDPR 18(2): to destroy would be to process


def _some(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: number for name, number in counts.items() if number}
