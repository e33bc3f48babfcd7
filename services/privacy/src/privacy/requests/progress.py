"""How far a request has come. Pure.

pending ──approve──▶ running ──all receipts──▶ completed
   └────refuse────▶ refused     └─ too late ─▶ failed ──the missing receipts──▶ completed
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

CARRIERS: Final = frozenset({"ingest", "learner_profile", "recommendation", "insights", "privacy"})
LONGEST_PAUSE: Final = timedelta(hours=1)


class Status(StrEnum):
    pending = "pending"
    running = "running"
    completed = "completed"
    refused = "refused"
    failed = "failed"


OPEN: Final = (Status.pending, Status.running)
Kind = Literal["erasure"]


@dataclass(frozen=True, slots=True)
class Carried:
    """One service's receipt: documents removed, by collection."""

    counts: Mapping[str, int]
    completed_at: datetime


@dataclass(frozen=True)
class DataRequest:
    """A data subject's request. `sent` counts how often it was published, `send_again_at` says when it is due next."""

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


def started(request: DataRequest, own: Carried, resend: timedelta) -> DataRequest:
    """Running from now on; privacy's own part is done in the same transaction."""
    at = own.completed_at
    return replace(
        request,
        status=Status.running,
        started_at=at,
        receipts={**request.receipts, "privacy": own},
        sent=1,
        send_again_at=at + resend,
    )


def received(request: DataRequest, service: str, carried: Carried) -> DataRequest:
    """With a service's receipt; of several from one service the first counts. Completed with the last one missing."""
    if service in request.receipts or request.status not in (Status.running, Status.failed):
        return request
    receipts = {**request.receipts, service: carried}
    if receipts.keys() < CARRIERS:
        return replace(request, receipts=receipts)
    done = max(one.completed_at for one in receipts.values())
    return replace(request, receipts=receipts, status=Status.completed, completed_at=done, send_again_at=None)


def overdue(request: DataRequest, now: datetime, resend: timedelta, failed_after: timedelta) -> DataRequest:
    """A running request whose receipts have not come: to be sent once more, later each time; at last, failed."""
    if request.started_at is None or now - request.started_at > failed_after:
        return replace(request, status=Status.failed, send_again_at=None)
    pause = min(resend * 2 ** min(request.sent, 20), LONGEST_PAUSE)
    return replace(request, sent=request.sent + 1, send_again_at=now + pause)
