"""The collection `stamps`: one document that says who may be writing what, and how far everything is consistent.

`{_id: "writers", through, writers: [{id, from, until}], now}`: `from` is the lowest stamp that a replica may still be
writing, `until` when that is no longer believed, by the database's clock; `through` is the greatest Consistent-Through
ever given out. It never falls, and stays below every live replica's `from`: both follow from each renewal being one
atomic change of this one document.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from service_kit.mongo import Collection, CollectionSpec, Database, Document, DuplicateKeyError, within

STAMPS: Final = CollectionSpec("stamps", "source")
RENEWAL_SECONDS: Final = 5.0
_ID: Final = "writers"


@dataclass(frozen=True, slots=True)
class Renewed:
    """What a renewal gave: Consistent-Through, the highest bound of any replica, and the database's time."""

    through: int
    highest: int
    now: datetime


class Writers:
    def __init__(self, db: Database, *, lease_seconds: float) -> None:
        self._collection: Collection = db[STAMPS.name]
        self._lease_ms = round(lease_seconds * 1000)

    async def renew(self, replica: str, bound: int) -> Renewed:
        """Promise that the replica writes nothing below `bound`; whoever is new or came too late is lifted."""
        found = await self._change(
            [
                {"$set": {"writers": _others(replica), "through": {"$ifNull": ["$through", 0]}}},
                {"$set": {"writers": {"$concatArrays": ["$writers", [self._lease(replica, bound)]]}}},
                {"$set": {"through": _through(), "now": "$$NOW"}},
            ]
        )
        return Renewed(found["through"], max(one["from"] for one in found["writers"]), found["now"])

    async def through(self) -> int:
        """The greatest Consistent-Through given out, for whoever writes nothing; 0 where none was."""
        found = await self._collection.find_one({"_id": _ID})
        return 0 if found is None else int(found["through"])

    async def leave(self, replica: str) -> None:
        """Nothing of this replica's is being written any more."""
        await self._collection.update_one({"_id": _ID}, {"$pull": {"writers": {"id": replica}}})

    def _lease(self, replica: str, bound: int) -> Document:
        lifted = {"$max": [{"$literal": bound}, {"$add": ["$through", 1]}]}
        return {"id": replica, "from": lifted, "until": {"$add": ["$$NOW", self._lease_ms]}}

    async def _change(self, update: list[Document]) -> Document:
        while True:
            try:
                with within(RENEWAL_SECONDS):
                    found: Document | None = await self._collection.find_one_and_update(
                        {"_id": _ID}, update, upsert=True, return_document=True
                    )
            except DuplicateKeyError:  # two were first at once
                continue
            if found is not None:
                return found


def _others(replica: str) -> Any:
    alive = {"$and": [{"$ne": ["$$one.id", replica]}, {"$gt": ["$$one.until", "$$NOW"]}]}
    return {"$filter": {"input": {"$ifNull": ["$writers", []]}, "as": "one", "cond": alive}}


def _through() -> Any:
    return {"$max": ["$through", {"$subtract": [{"$min": "$writers.from"}, 1]}]}
