"""The keys that a service holds for itself, wrapped, in its own database.

- `data_keys`: `{_id: key, tenant, learner, bucket, wrapped, free?}`. `free` says that the key is drawn for a learner
  who has not come yet. It is backed up beside the data: after a restore it tells whose keys are gone meanwhile.
- `forgotten_keys`: `{_id: number, key, at}`, the newest erasures: each replica drops the keys it has open. The counter
  stands in `key_counter`.
"""

from collections.abc import Collection as AnyCollection
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from events.sealing import Owner

from service_kit.keys.directory import WrappedKey
from service_kit.mongo import (
    ASCENDING,
    DESCENDING,
    Collection,
    CollectionSpec,
    Database,
    Document,
    Index,
    ReplaceOne,
    Session,
    UpdateOne,
)

DATA_KEYS: Final = CollectionSpec(
    "data_keys",
    "source",
    (
        Index((("tenant", ASCENDING), ("learner", ASCENDING))),
        Index((("bucket", ASCENDING),)),
        Index((("tenant", ASCENDING), ("free", ASCENDING)), where={"free": True}),
    ),
)
FORGOTTEN: Final = CollectionSpec(
    "forgotten_keys", "derived", (Index((("at", ASCENDING),), expire_after_seconds=24 * 3600),)
)
COUNTER: Final = CollectionSpec("key_counter", "derived")
COLLECTIONS: Final = (DATA_KEYS, FORGOTTEN, COUNTER)


class HeldKeys:
    def __init__(self, db: Database) -> None:
        self._keys: Collection = db[DATA_KEYS.name]
        self._forgotten: Collection = db[FORGOTTEN.name]
        self._counter: Collection = db[COUNTER.name]

    async def by_owner(self, tenant: str, learners: AnyCollection[str]) -> list[WrappedKey]:
        found = self._keys.find({"tenant": tenant, "learner": {"$in": list(learners)}})
        return [_key_of(d) for d in await found.to_list(None)]

    async def by_name(self, names: AnyCollection[str]) -> list[WrappedKey]:
        return [_key_of(d) for d in await self._keys.find({"_id": {"$in": list(names)}}).to_list(None)]

    async def put(self, keys: Iterable[WrappedKey], *, free: bool = False) -> None:
        """Keep these; what was held of them, wrapped by an older bucket key, is replaced."""
        changes: list[Any] = [ReplaceOne({"_id": key.name}, _document(key, free=free), upsert=True) for key in keys]
        if changes:
            await self._keys.bulk_write(changes, ordered=False)

    async def wrapped_anew(self, keys: Iterable[WrappedKey]) -> None:
        """Keep these in the place of what is held of them; what was forgotten meanwhile does not come back."""
        changes: list[Any] = [
            UpdateOne({"_id": key.name}, {"$set": {"bucket": key.bucket, "wrapped": key.wrapped}}) for key in keys
        ]
        if changes:
            await self._keys.bulk_write(changes, ordered=False)

    # Drawn ahead

    async def count_free(self, tenant: str, most: int) -> int:
        return await self._keys.count_documents({"tenant": tenant, "free": True}, limit=most)

    async def claim(self, tenant: str, count: int) -> list[WrappedKey]:
        """Take up to `count` of those drawn ahead, for this replica alone."""
        found = await self._keys.find({"tenant": tenant, "free": True}, {"_id": 1}).limit(count).to_list(None)
        ids, mine = [d["_id"] for d in found], str(uuid4())
        if not ids:
            return []
        taking: Document = {"$set": {"claimed": mine}, "$unset": {"free": ""}}
        await self._keys.update_many({"_id": {"$in": ids}, "free": True}, taking)
        return [_key_of(d) for d in await self._keys.find({"_id": {"$in": ids}, "claimed": mine}).to_list(None)]

    # Forgetting

    async def forget(self, tenant: str, learner: str, at: datetime, session: Session) -> list[str]:
        """Delete the learner's keys and tell the other replicas; the names."""
        return await self._forget({"tenant": tenant, "learner": learner}, at, session)

    async def forget_tenant(self, tenant: str, at: datetime, session: Session | None = None) -> None:
        """Delete every key of the tenant, also those drawn ahead."""
        await self._forget({"tenant": tenant}, at, session)

    async def _forget(self, where: Document, at: datetime, session: Session | None) -> list[str]:
        names = [d["_id"] for d in await self._keys.find(where, {"_id": 1}, session=session).to_list(None)]
        if names:
            await self._keys.delete_many(where, session=session)
            await self._counter.update_one(
                {"_id": "forgotten"}, {"$inc": {"last": len(names)}}, upsert=True, session=session
            )
            found = await self._counter.find_one({"_id": "forgotten"}, session=session)
            last = found["last"] if found else len(names)
            news = [{"_id": last - number, "key": name, "at": at} for number, name in enumerate(names)]
            await self._forgotten.insert_many(news, session=session)
        return names

    async def last_forgotten(self) -> int:
        """The number of the newest erasure."""
        found = await self._forgotten.find({}, {"_id": 1}).sort("_id", DESCENDING).limit(1).to_list(None)
        return int(found[0]["_id"]) if found else 0

    async def forgotten_since(self, number: int) -> list[tuple[int, str]]:
        """Keys that were forgotten after that number, with their own."""
        found = await self._forgotten.find({"_id": {"$gt": number}}).sort("_id", ASCENDING).to_list(None)
        return [(d["_id"], d["key"]) for d in found]

    # After a restore

    async def buckets(self) -> list[str]:
        """Every bucket that a key here is wrapped by."""
        return sorted(await self._keys.distinct("bucket"))

    async def of_bucket(self, bucket: str, limit: int = 0) -> list[WrappedKey]:
        """Its keys, or so many of them."""
        return [_key_of(d) for d in await self._keys.find({"bucket": bucket}).limit(limit).to_list(None)]


def _document(key: WrappedKey, *, free: bool) -> Document:
    document: Document = {
        "_id": key.name,
        "tenant": key.owner.tenant,
        "learner": key.owner.learner,
        "bucket": key.bucket,
        "wrapped": key.wrapped,
    }
    return document | ({"free": True} if free else {})


def _key_of(document: Document) -> WrappedKey:
    owner = Owner(document["tenant"], document["learner"])
    return WrappedKey(document["_id"], owner, document["bucket"], bytes(document["wrapped"]))
