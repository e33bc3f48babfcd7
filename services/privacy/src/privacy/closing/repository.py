"""The collection `closings`: `{_id: tenant, stage, asked_at, erase_after, cursor, exported, erased, failed, counts,
due_at, keys_destroyed_at, closed_at, jws}`. When all is done it names no learner, and stays as the proof.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, Index, Session

CLOSINGS: Final = CollectionSpec("closings", "source", (Index((("due_at", ASCENDING),)),))


class Stage(StrEnum):
    exporting = "exporting"
    waiting = "waiting"
    erasing = "erasing"
    closed = "closed"
    cancelled = "cancelled"


@dataclass(frozen=True)
class Closing:
    """`cursor`: the last learner that was exported. `counts`: documents removed, by service and collection.
    `keys_destroyed_at`: when every bucket key of the tenant was, its own too; None in the clear.
    """

    tenant: str
    stage: Stage
    asked_at: datetime
    erase_after: datetime
    cursor: str = ""
    exported: int = 0
    erased: int = 0
    failed: int = 0
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    keys_destroyed_at: datetime | None = None
    closed_at: datetime | None = None
    jws: str | None = None

    @property
    def open(self) -> bool:
        return self.stage in (Stage.exporting, Stage.waiting, Stage.erasing)


class Closings:
    def __init__(self, db: Database) -> None:
        self._closings: Collection = db[CLOSINGS.name]

    async def find(self, tenant: str, session: Session | None = None) -> Closing | None:
        found = await self._closings.find_one({"_id": tenant}, session=session)
        return _closing(found) if found else None

    async def is_shut(self, tenant: str) -> bool:
        """Whether nothing comes in any more, and what is there is erased or was."""
        where = {"_id": tenant, "stage": {"$in": [Stage.erasing.value, Stage.closed.value]}}
        return await self._closings.find_one(where, {"_id": 1}) is not None

    async def put(self, closing: Closing, due_at: datetime | None, session: Session | None = None) -> None:
        document = _document(closing) | {"due_at": due_at}
        await self._closings.replace_one({"_id": closing.tenant}, document, upsert=True, session=session)

    async def next_due(self, now: datetime, until: datetime) -> Closing | None:
        """One that is due; nobody else takes it before `until`."""
        found = await self._closings.find_one_and_update(
            {"due_at": {"$lte": now}}, {"$set": {"due_at": until}}, sort=[("due_at", ASCENDING)]
        )
        return _closing(found) if found else None

    async def move(self, was: Closing, now: Closing, due_at: datetime | None) -> bool:
        """Go on, unless it was cancelled meanwhile."""
        document = _document(now) | {"due_at": due_at}
        where = {"_id": was.tenant, "stage": was.stage.value, "cursor": was.cursor}
        return (await self._closings.replace_one(where, document)).matched_count == 1


def _document(closing: Closing) -> Document:
    said: dict[str, Any] = {
        "stage": closing.stage.value,
        "asked_at": closing.asked_at,
        "erase_after": closing.erase_after,
        "cursor": closing.cursor,
        "exported": closing.exported,
        "erased": closing.erased,
        "failed": closing.failed,
        "counts": closing.counts,
        "keys_destroyed_at": closing.keys_destroyed_at,
        "closed_at": closing.closed_at,
        "jws": closing.jws,
    }
    return said


def _closing(document: Document) -> Closing:
    return Closing(
        tenant=document["_id"],
        stage=Stage(document["stage"]),
        asked_at=document["asked_at"],
        erase_after=document["erase_after"],
        cursor=document["cursor"],
        exported=document["exported"],
        erased=document["erased"],
        failed=document["failed"],
        counts=document["counts"],
        keys_destroyed_at=document.get("keys_destroyed_at"),
        closed_at=document["closed_at"],
        jws=document["jws"],
    )
