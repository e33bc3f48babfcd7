"""How far a request has come. Pure.

pending ──approve──▶ running ──everyone who carries it out has answered──▶ completed
   └────refuse────▶ refused     └─ past its deadline ─▶ failed ──the missing answers──▶ completed

Whatever else is open when the learner is erased is `overtaken`.

`completed` says that the services are closed to it; of an erasure `key_destroyed_at` says since when nobody can read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal

CARRIERS: Final = frozenset({"ingest", "learner_profile", "recommendation", "insights", "privacy"})
LONGEST_PAUSE: Final = timedelta(hours=1)

Kind = Literal["erasure", "access", "portability", "restriction", "objection", "rectification"]
Identity = Literal["known", "asked", "confirmed"]

COLLECTED: Final[frozenset[str]] = frozenset({"access", "portability"})
CARRIERS_OF: Final[Mapping[Kind, frozenset[str]]] = {
    "erasure": CARRIERS,
    "access": CARRIERS,
    "portability": frozenset({"ingest"}),  # what was provided, and nothing that was derived from it
    "restriction": CARRIERS,
    "objection": CARRIERS,
    "rectification": frozenset({"ingest", "privacy"}),  # the rest follows from the statements that void and correct
}


class Status(StrEnum):
    pending = "pending"
    running = "running"
    completed = "completed"
    refused = "refused"
    failed = "failed"
    overtaken = "overtaken"  # the learner was erased before it was done


OPEN: Final = (Status.pending, Status.running)


@dataclass(frozen=True, slots=True)
class Carried:
    """One service's receipt: documents removed or given, by collection."""

    counts: Mapping[str, int]
    completed_at: datetime


@dataclass(frozen=True, slots=True)
class Recipient:
    """Someone outside who was given data of the learner, and what came of passing the request on (GDPR 19).

    `outcome` is `pending`, `received` or `failed`; then `reason` names why.
    """

    name: str
    purpose: str
    outcome: str = "pending"
    statements: int = 0
    reason: str | None = None


@dataclass(frozen=True)
class DataRequest:
    """A data subject's request. `sent` counts how often it was published, `send_again_at` says when it is due next.

    `learner` is empty once an erasure is done and the key is gone. `version`: the version of the learner's decisions
    that every service must have acknowledged. `details` is what the kind needs: `purposes`, `statement_id`, ….
    """

    id: str
    type: Kind
    learner: str
    status: Status
    requested_by: str
    requested_at: datetime
    completed_at: datetime | None = None
    reason: str | None = None
    receipts: Mapping[str, Carried] = field(default_factory=dict)
    started_at: datetime | None = None
    sent: int = 0
    send_again_at: datetime | None = None
    due_at: datetime | None = None
    pack: str = ""
    clauses: tuple[str, ...] = ()
    ground: str | None = None
    extended_at: datetime | None = None
    extension_reason: str | None = None
    identity: Identity = "known"
    identity_asked_at: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    version: int | None = None
    escalated_at: datetime | None = None
    key_destroyed_at: datetime | None = None
    recipients: tuple[Recipient, ...] = ()
    returning_refused_until: datetime | None = None

    @property
    def about(self) -> str:
        """What tells it from the learner's other requests of its kind: the statement, the purposes objected to."""
        return str(self.details.get("statement_id") or ",".join(sorted(self.details.get("purposes") or ())))

    @property
    def carriers(self) -> frozenset[str]:
        return CARRIERS_OF[self.type]

    @property
    def silent(self) -> list[str]:
        """The services that have not answered yet."""
        waits = self.status in (Status.running, Status.failed)
        return sorted(self.carriers - self.receipts.keys()) if waits else []


def started(request: DataRequest, own: Carried | None, resend: timedelta, now: datetime) -> DataRequest:
    """Running from now on; where privacy's own part is done in the same transaction, with its receipt."""
    receipts = request.receipts if own is None else {**request.receipts, "privacy": own}
    return replace(
        request,
        status=Status.running,
        started_at=now,
        receipts=receipts,
        sent=1,
        send_again_at=now + resend,
        escalated_at=None,
    )


def received(request: DataRequest, service: str, carried: Carried) -> DataRequest:
    """With a service's receipt; of several from one service the first counts. Completed with the last one missing."""
    if service in request.receipts or request.status not in (Status.running, Status.failed):
        return request
    receipts = {**request.receipts, service: carried}
    if not receipts.keys() >= request.carriers:
        return replace(request, receipts=receipts)
    done = max(one.completed_at for one in receipts.values())
    return replace(request, receipts=receipts, status=Status.completed, completed_at=done, send_again_at=None)


def overdue(request: DataRequest, now: datetime, resend: timedelta, escalate_after: timedelta) -> DataRequest:
    """A running request whose receipts have not come: to be sent once more, later each time.

    After a while it is escalated; past its deadline it has failed.
    """
    if request.started_at is None or (request.due_at is not None and now > request.due_at):
        return replace(request, status=Status.failed, send_again_at=None, escalated_at=request.escalated_at or now)
    pause = min(resend * 2 ** min(request.sent, 20), LONGEST_PAUSE)
    escalated = request.escalated_at
    if escalated is None and now - request.started_at >= escalate_after:
        escalated = now
    return replace(request, sent=request.sent + 1, send_again_at=now + pause, escalated_at=escalated)


def with_recipient(request: DataRequest, recipient: Recipient) -> DataRequest:
    """With what came of passing it on to this recipient; an answer that has come stays."""
    held = {one.name: one for one in request.recipients}
    before = held.get(recipient.name)
    if before is not None and before.outcome != "pending":
        return request
    held[recipient.name] = recipient
    return replace(request, recipients=tuple(held.values()))


def identity_asked(request: DataRequest, now: datetime) -> DataRequest:
    """Doubts about who asks: the request waits until they are gone (GDPR 12(6))."""
    return replace(request, identity="asked", identity_asked_at=now)


def identity_confirmed(request: DataRequest, now: datetime) -> DataRequest:
    """The time that the answer took does not count against the deadline."""
    waited = now - request.identity_asked_at if request.identity_asked_at else timedelta()
    due = request.due_at + waited if request.due_at else None
    return replace(request, identity="confirmed", due_at=due)
