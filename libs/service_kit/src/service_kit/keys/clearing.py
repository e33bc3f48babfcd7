"""Until when something from before there were keys lies in the clear: in the store, in the oplog, in topics.

The walk (`migrating`) says since when the store holds nothing clear. Copies outlive that: the oplog has them until its
oldest entry is younger, a topic until its retention is over; a compacted topic until its keys' next records.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from events import topics
from events.topics import Topic
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from service_kit import metrics
from service_kit.auth import Principal, Role, require
from service_kit.clock import Clock
from service_kit.keys.migrating import MIGRATIONS
from service_kit.metrics import Reading
from service_kit.mongo import Client, Collection, Database, OperationFailure
from service_kit.turning import Turning

LOOK_AGAIN_SECONDS: Final = 60.0
OPLOG: Final = "oplog"


class PlaceView(BaseModel):
    """A place of the store. `done`: nothing there is clear; `checked`: documents looked at."""

    place: str
    done: bool
    checked: int


class CopyView(BaseModel):
    """The oplog, or a topic. `clear_seconds`: how much longer it may hold clear bytes (of the oplog: how many seconds
    of it are yet to be overwritten); 0: none; null: that cannot be told.
    """

    where: str
    clear_seconds: float | None
    because: str


class Sealing(BaseModel):
    """`last_clear_at`: until then something clear was in the store; null where there never was."""

    places: list[PlaceView]
    last_clear_at: datetime | None
    copies: list[CopyView]


@dataclass(frozen=True)
class Note:
    """What the walk keeps of a place."""

    place: str
    done: bool
    checked: int
    clear_at: datetime | None


def status(notes: Sequence[Note], oldest: datetime | None, written: Iterable[Topic], now: datetime) -> Sealing:
    """`oldest`: the oplog's oldest entry, None where we may not look. `written`: the service's sealed topics."""
    clear = [note.clear_at for note in notes if note.clear_at is not None]
    last = max(clear) if clear else None
    places = [PlaceView(place=one.place, done=one.done, checked=one.checked) for one in notes]
    if last is None:
        return Sealing(places=places, last_clear_at=None, copies=[])
    copies = [_of_oplog(last, oldest), *(_of_topic(topic, last, now) for topic in written)]
    return Sealing(places=places, last_clear_at=last, copies=copies)


def _of_oplog(last: datetime, oldest: datetime | None) -> CopyView:
    if oldest is None:
        because = "this service's user may not look (clusterMonitor); rs.printReplicationInfo() tells"
        return CopyView(where=OPLOG, clear_seconds=None, because=because)
    left = max(0.0, (last - oldest).total_seconds())
    return CopyView(where=OPLOG, clear_seconds=left, because=f"its oldest entry is of {oldest.isoformat()}")


def _of_topic(topic: Topic, last: datetime, now: datetime) -> CopyView:
    if topic.compacted:
        return CopyView(where=topic.name, clear_seconds=None, because="compacted: until each learner's next message")
    until = last + timedelta(days=topic.retention_days)
    left = max(0.0, (until - now).total_seconds())
    return CopyView(where=topic.name, clear_seconds=left, because=f"kept for {topic.retention_days} days")


class Clearing:
    """What one service knows of it."""

    def __init__(self, client: Client, db: Database, service: str, clock: Clock) -> None:
        self._client = client
        self._notes: Collection = db[MIGRATIONS.name]
        self._topics = [topic for topic in topics.of_service(service) if topic.sealed]
        self._clock = clock
        self._last: Sealing | None = None
        self.run = Turning("looking for clear copies", self._turn, rest_seconds=LOOK_AGAIN_SECONDS).run

    async def status(self) -> Sealing:
        found = await self._notes.find({}).to_list(None)
        notes = [Note(d["_id"], d["done"], d["seen"], d.get("clear_at")) for d in found]
        return status(notes, await self._oldest(), self._topics, self._clock())

    def observe(self) -> None:
        """Have the metric read, once a process."""

        def read() -> Iterable[Reading]:
            copies = self._last.copies if self._last else ()
            return [(one.clear_seconds, {"where": one.where}) for one in copies if one.clear_seconds is not None]

        metrics.observe(metrics.CLEAR_COPIES, read)

    async def _turn(self) -> bool:
        self._last = await self.status()
        return False

    async def _oldest(self) -> datetime | None:
        """The time of the oplog's oldest entry; None where we may not look."""
        try:
            said = await self._client.admin.command({"serverStatus": 1, "oplog": 1})
            return datetime.fromtimestamp(said["oplog"]["earliestOptime"].time, UTC)
        except (OperationFailure, KeyError):
            return None


router = APIRouter(tags=["keys"])


@router.get("/sealing")
async def sealing(request: Request, _: Annotated[Principal, Depends(require(Role.operator))]) -> Sealing:
    """How far the sealing of what lay in the clear is, and how long copies of it may still be there."""
    clearing: Clearing = request.app.state.clearing
    return await clearing.status()
