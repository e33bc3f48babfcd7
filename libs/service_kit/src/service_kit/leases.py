"""Leases on shards of work, fairly divided between the replicas that are alive. Time is the database's (`$$NOW`)."""

import logging
import math
import time
from typing import Final
from uuid import uuid4

from service_kit.mongo import Collection, CollectionSpec, Database, DuplicateKeyError

log = logging.getLogger(__name__)

LEASES: Final = CollectionSpec("leases", "derived")
TTL_SECONDS: Final = 6.0


class Leases:
    """One replica's leases on the shards `0 … shards - 1` of a named piece of work.

    Call `current` before each piece of work. A shard is worked on by its holder alone, but for the moment in
    which a replica stalls longer than the TTL: whoever relies on leases must bear a repetition.
    """

    def __init__(self, db: Database, work: str, shards: int) -> None:
        self._collection: Collection = db[LEASES.name]
        self._work = work
        self._shards = shards
        self._owner = uuid4().hex
        self._renewed = -TTL_SECONDS
        self.held: frozenset[int] = frozenset()

    async def current(self) -> frozenset[int]:
        """The shards held now, renewed when a third of the TTL has passed."""
        if time.monotonic() - self._renewed > TTL_SECONDS / 3:
            await self.renew()
            self._renewed = time.monotonic()
        return self.held

    async def renew(self) -> frozenset[int]:
        """Renew what is held, give back what is more than a fair share, take what is free; the shards held now."""
        fair = math.ceil(self._shards / await self._meet())
        self.held = await self._kept()
        for shard in sorted(self.held)[fair:]:
            await self._release(shard)
            self.held -= {shard}
        for shard in range(self._shards):
            if len(self.held) >= fair:
                break
            if shard not in self.held and await self._take(shard):
                self.held |= {shard}
        return self.held

    async def _kept(self) -> frozenset[int]:
        """Renew the leases held, in one write; those that are still ours."""
        ids = {self._id(shard): shard for shard in self.held}
        if not ids:
            return frozenset()
        ours = {"_id": {"$in": list(ids)}, "owner": self._owner}
        renewed = await self._collection.update_many(ours, [{"$set": _lease(self._owner)}])
        if renewed.matched_count == len(ids):
            return self.held
        return frozenset(ids[document["_id"]] for document in await self._collection.find(ours).to_list(None))

    async def release(self) -> None:
        """Give all back, so that another replica need not wait for the TTL."""
        for shard in self.held:
            await self._release(shard)
        self.held = frozenset()
        await self._collection.delete_one({"_id": self._member})

    def _id(self, shard: int) -> str:
        return f"{self._work}/{shard}"

    @property
    def _member(self) -> str:
        return f"{self._work}/replica/{self._owner}"

    async def _meet(self) -> int:
        """Say that this replica lives; how many do."""
        await self._collection.update_one({"_id": self._member}, [{"$set": _lease(self._owner)}], upsert=True)
        ids = {"$gte": f"{self._work}/replica/", "$lt": f"{self._work}/replica0"}
        await self._collection.delete_many({"_id": ids, "$expr": {"$lt": ["$until", "$$NOW"]}})
        return max(1, await self._collection.count_documents({"_id": ids}))

    async def _take(self, shard: int) -> bool:
        """Take the shard if it is free, ours or expired; whether it is ours now."""
        mine = {"$or": [{"$eq": ["$owner", self._owner]}, {"$lt": [{"$ifNull": ["$until", 0]}, "$$NOW"]}]}
        lease = _lease(self._owner)
        update = [{"$set": {name: {"$cond": [mine, value, f"${name}"]} for name, value in lease.items()}}]
        try:
            found = await self._collection.find_one_and_update(
                {"_id": self._id(shard)}, update, upsert=True, return_document=True
            )
        except DuplicateKeyError:
            return False
        return bool(found and found["owner"] == self._owner)

    async def _release(self, shard: int) -> None:
        await self._collection.delete_one({"_id": self._id(shard), "owner": self._owner})


def _lease(owner: str) -> dict[str, object]:
    return {"owner": owner, "until": {"$add": ["$$NOW", int(TTL_SECONDS * 1000)]}}
