"""How far a run of a rule has come. Pure.

A run is cut into portions of learners; a portion goes through its stages (`rules.stages_of`), in each of which some
services act and answer.

running ──every portion is done──▶ completed
   └───────cancel───────▶ cancelled
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from events.payloads import RetentionOrder, Selection

from privacy.requests.progress import Recipient
from privacy.retention.rules import Rule, Totals, stages_of

LONGEST_PAUSE: Final = timedelta(hours=1)


class RunStatus(StrEnum):
    running = "running"
    completed = "completed"
    cancelled = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """`rule` as it was when the run began; `selection` None: it meant nothing at that time."""

    id: str
    tenant: str
    rule: Rule
    preview: bool
    as_of: datetime
    selection: Selection | None
    portions: int
    started_by: str
    started_at: datetime
    clauses: tuple[str, ...] = ()
    status: RunStatus = RunStatus.running
    done: int = 0
    totals: Totals = field(default_factory=Totals)
    recipients: tuple[Recipient, ...] = ()
    escalated_at: datetime | None = None
    completed_at: datetime | None = None


class PortionState(StrEnum):
    """`waiting`: for its turn; `open`: the services have it."""

    waiting = "waiting"
    open = "open"
    done = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """`answered`: the services that have given their receipt."""

    run: str
    tenant: str
    order: RetentionOrder
    stage: int = 0
    state: PortionState = PortionState.waiting
    answered: frozenset[str] = frozenset()
    sent: int = 0
    opened_at: datetime | None = None
    send_again_at: datetime | None = None

    @property
    def asked(self) -> list[str]:
        """Who acts in this stage."""
        return stages_of(self.order.services)[self.stage]

    @property
    def silent(self) -> list[str]:
        return sorted(set(self.asked) - self.answered) if self.state is PortionState.open else []


def opened(portion: Portion, now: datetime, resend: timedelta) -> Portion:
    """In the hands of the services of its stage."""
    return replace(portion, state=PortionState.open, sent=1, opened_at=now, send_again_at=now + resend)


def sent_again(portion: Portion, now: datetime, resend: timedelta) -> Portion:
    """Once more, later each time."""
    pause = min(resend * 2 ** min(portion.sent, 20), LONGEST_PAUSE)
    return replace(portion, sent=portion.sent + 1, send_again_at=now + pause)


def answered(portion: Portion, service: str) -> Portion:
    """With a service's receipt; the same where it is none that is waited for, or was there already."""
    if service not in portion.silent:
        return portion
    heard = replace(portion, answered=portion.answered | {service})
    if heard.silent:
        return heard
    if heard.stage + 1 < len(stages_of(heard.order.services)):
        return replace(heard, stage=heard.stage + 1, state=PortionState.waiting, send_again_at=None)
    return replace(heard, state=PortionState.done, send_again_at=None)


def with_told(recipients: Sequence[Recipient], more: Iterable[Recipient]) -> tuple[Recipient, ...]:
    """With those to whom what one portion has taken was given."""
    found = {(one.name, one.purpose): one for one in recipients}
    for one in more:
        held = found.get((one.name, one.purpose), replace(one, statements=0))
        found[one.name, one.purpose] = replace(held, statements=held.statements + one.statements)
    return tuple(found.values())


def with_answer(recipients: Sequence[Recipient], answer: Recipient) -> tuple[Recipient, ...]:
    """With what a recipient has answered; a failure stays."""
    found = {(one.name, one.purpose): one for one in recipients}
    held = found.get((answer.name, answer.purpose), replace(answer, statements=0))
    if held.outcome != "failed":
        held = replace(held, outcome=answer.outcome, reason=answer.reason)
    found[answer.name, answer.purpose] = held
    return tuple(found.values())


def added(totals: Mapping[str, Mapping[str, int]], service: str, more: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """The sums with what one portion has brought."""
    sums = {name: dict(one) for name, one in totals.items()}
    own = sums.setdefault(service, {})
    for name, number in more.items():
        own[name] = own.get(name, 0) + number
    return sums
