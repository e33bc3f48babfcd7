"""Runs: begun by an officer or by their time, portion after portion, until every service has answered for each."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from service_kit import metrics
from service_kit.audit import Action, AuditEntry, Who
from service_kit.mongo import DuplicateKeyError, Session, in_transaction
from service_kit.problems import BadRequest, Conflict, NotFound
from service_kit.turning import Turning
from uuid_utils.compat import uuid7

from privacy.packs import pack_named
from privacy.policies.deciding import policy_of
from privacy.retention.rules import Rule, orders, portions, selection_of
from privacy.retention.runs import PortionState, Run, RunStatus, opened, sent_again
from privacy.retention.settings import RetentionSettings
from privacy.state import State

log = logging.getLogger(__name__)

REST_SECONDS: Final = 0.5
AT_ONCE: Final = 100
BY_SCHEDULE: Final = "schedule"
HOLD: Final = "hold"
SERVICE: Final = Who.itself("privacy")


async def found_run(tenant: str, run_id: str, state: State, session: Session | None = None) -> Run:
    """Raises `NotFound`."""
    run = await state.runs.find(tenant, run_id, session)
    if run is None:
        raise NotFound("There is no such run")
    return run


async def begin(tenant: str, rule: Rule, state: State, *, preview: bool, by: str, as_of: datetime | None = None) -> Run:
    """A run of the rule; the one that is under way, where there is one. Raises `BadRequest`, `NotFound`."""
    now = state.clock()
    if as_of is not None and as_of > now:
        errors = [{"pointer": "/as_of", "detail": "expected a moment that has passed"}]
        raise BadRequest("A rule takes what is old by now", errors=errors)

    async def start(session: Session) -> Run:
        return await _begin(tenant, rule, state, session, preview=preview, by=by, as_of=as_of or now)

    try:
        return await in_transaction(state.client, start)
    except DuplicateKeyError:
        run = await state.runs.open_of(tenant, rule.id)
        if run is None:
            raise Conflict("The rule runs at this moment") from None
        return run


async def _begin(
    tenant: str, rule: Rule, state: State, session: Session, *, preview: bool, by: str, as_of: datetime
) -> Run:
    under_way = None if preview else await state.runs.open_of(tenant, rule.id, session)
    if under_way is not None:
        return under_way
    pack = pack_named((await policy_of(tenant, state, session)).pack)
    selection = selection_of(rule, as_of, await state.course_ends.of(tenant, session))
    ranges = portions(RetentionSettings().retention_portions) if selection is not None else []
    now = state.clock()
    run = Run(
        id=str(uuid7()),
        tenant=tenant,
        rule=rule,
        preview=preview,
        as_of=as_of,
        selection=selection,
        portions=len(ranges),
        started_by=by,
        started_at=now,
        clauses=(str(pack.demands.retention),) if pack.demands.retention else (),
    )
    if selection is None:  # no course ended long enough ago
        run = replace(run, status=RunStatus.completed, completed_at=now)
    wanted = orders(rule, selection, preview, ranges) if selection is not None else []
    await state.runs.add(run, wanted, session)
    if not preview:
        await state.audit.record(_entry(run, "begun", Action.changed), session)
    return run


async def cancel(tenant: str, run_id: str, state: State) -> Run:
    """No portion begins any more; those that the services have are carried out. One that has ended stays so.

    Raises `NotFound`.
    """

    async def stop(session: Session) -> Run:
        run = await found_run(tenant, run_id, state, session)
        if run.status is not RunStatus.running:
            return run
        ended = replace(run, status=RunStatus.cancelled, completed_at=state.clock())
        await state.runs.put(ended, session)
        await state.audit.record(_entry(ended, "cancelled", Action.changed), session)
        return ended

    return await in_transaction(state.client, stop)


async def standing_of(run: Run, state: State) -> tuple[list[str], str | None]:
    """The services that have not answered, and what the run waits for."""
    if run.status is not RunStatus.running:
        return [], None
    open_ = await state.runs.portions(run.id, PortionState.open, AT_ONCE)
    waits = not run.preview and await state.holds.on_everyone(run.tenant)
    return sorted({service for one in open_ for service in one.silent}), HOLD if waits else None


def completed(run: Run, now: datetime) -> tuple[Run, AuditEntry | None]:
    """A run whose last portion is done, and what the audit says of it."""
    done = replace(run, status=RunStatus.completed, completed_at=now)
    return done, None if run.preview else _entry(done, "completed", Action.erased, done.totals.taken)


def _entry(run: Run, what: str, action: Action, count: int | None = None) -> AuditEntry:
    ground = run.clauses[0] if run.clauses else ""
    said = f"retention-runs/{run.rule.action.value}/{what}"
    return AuditEntry(run.tenant, SERVICE, action, said, ground=ground, count=count)


class Running:
    """The worker's job: begins what is due, opens portions, sends again. `sent` makes the relay look at once."""

    def __init__(
        self, state: State, settings: RetentionSettings, resend_seconds: float, sent: Callable[[], None]
    ) -> None:
        self._state = state
        self._settings = settings
        self._resend = timedelta(seconds=resend_seconds)
        self._sent = sent
        self._escalated = 0
        turning = Turning("retention runs", self.turn, rest_seconds=REST_SECONDS)
        self.run, self.wake, self.check = turning.run, turning.wake, turning.check
        metrics.observe(metrics.RETENTION_ESCALATED, lambda: [(self._escalated, {})])

    async def turn(self) -> bool:
        await self._begin_due()
        sent = await self._open() + await self._send_again()
        self._escalated = await self._state.runs.count_escalated()
        if sent:
            self._sent()
        return False

    async def _begin_due(self) -> None:
        now = self._state.clock()
        for tenant, rule, since in await self._state.rules.due(now, AT_ONCE):
            if await self._state.closings.is_shut(tenant):
                await self._state.rules.unschedule(rule.id, since)
                continue
            then = max(since + timedelta(days=rule.every_days), now)

            async def start(
                session: Session,
                tenant: str = tenant,
                rule: Rule = rule,
                since: datetime = since,
                then: datetime = then,
            ) -> None:
                if await self._state.rules.reschedule(rule.id, since, then, session):
                    await _begin(tenant, rule, self._state, session, preview=False, by=BY_SCHEDULE, as_of=now)

            try:
                await in_transaction(self._state.client, start)
            except (DuplicateKeyError, NotFound):
                continue  # another replica was quicker; or the tenant has no policy

    async def _open(self) -> int:
        """Portions whose turn has come, so many of each run at the same time; how many."""
        count, after = 0, ""
        while runs := await self._state.runs.under_way(after, AT_ONCE):
            for run in runs:
                count += await self._open_of(run)
            after = runs[-1].id
        return count

    async def _open_of(self, run: Run) -> int:
        if not run.preview and await self._state.holds.on_everyone(run.tenant):
            return 0
        at_once = self._settings.retention_portions_at_once
        room = at_once - len(await self._state.runs.portions(run.id, PortionState.open, at_once))
        if room <= 0:
            return 0
        now, count = self._state.clock(), 0
        for portion in await self._state.runs.portions(run.id, PortionState.waiting, room):
            count += await self._state.runs.send(portion, opened(portion, now, self._resend))
        return count

    async def _send_again(self) -> int:
        now, count = self._state.clock(), 0
        for portion in await self._state.runs.overdue(now, AT_ONCE):
            count += await self._state.runs.send(portion, sent_again(portion, now, self._resend))
            waited = now - (portion.opened_at or now)
            silent_for_long = waited >= timedelta(seconds=self._settings.retention_portion_seconds)
            if silent_for_long and await self._state.runs.escalate(portion.run, now):
                log.error(
                    "services stay silent on a run of a retention rule",
                    extra={"run": portion.run, "silent": portion.silent},
                )
        return count
