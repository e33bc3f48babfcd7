"""Leases on shards of work, fairly divided between the replicas that are alive. Time is the database's (`$$NOW`)."""

import logging
import math
from typing import Final
from uuid import uuid4

from service_kit.mongo import Collection, CollectionSpec, Database, DuplicateKeyError

log = logging.getLogger(__name__)

LEASES: Final = CollectionSpec("leases", "derived")
TTL_SECONDS: Final = 6.0


class Leases:
    """One replica's leases on the shards `0 … shards - 1` of a named piece of work.

    Call `renew` at least every third of the TTL. A shard is worked on by its holder alone, but for the moment in
    which a replica stalls longer than the TTL: whoever relies on leases must bear a repetition.
    """

    def __init__(self, db: Database, work: str, shards: int) -> None:
        self._collection: Collection = db[LEASES.name]
        self._work = work
        self._shards = shards
        self._owner = uuid4().hex
        self.held: frozenset[int] = frozenset()

    async def renew(self) -> frozenset[int]:
        """Renew what is held, give back what is more than a fair share, take what is free; the shards held now."""
        replicas = await self._meet()
        fair = math.ceil(self._shards / replicas)
        kept = [shard for shard in sorted(self.held) if await self._take(shard)]
        for shard in kept[fair:]:
            await self._release(shard)
        kept = kept[:fair]
        for shard in range(self._shards):
            if len(kept) >= fair:
                break
            if shard not in kept and await self._take(shard):
                kept.append(shard)
        self.held = frozenset(kept)
        return self.held

    async def release(self) -> None:
        """Give all back, so that another replica need not wait for the TTL."""
        for shard in self.held:
            await self._release(shard)
        self.held = frozenset()
        await self._collection.delete_one({"_id": self._member})

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
                {"_id": f"{self._work}/{shard}"}, update, upsert=True, return_document=True
            )
        except DuplicateKeyError:
            return False
        return bool(found and found["owner"] == self._owner)

    async def _release(self, shard: int) -> None:
        await self._collection.delete_one({"_id": f"{self._work}/{shard}", "owner": self._owner})


def _lease(owner: str) -> dict[str, object]:
    return {"owner": owner, "until": {"$add": ["$$NOW", int(TTL_SECONDS * 1000)]}}
