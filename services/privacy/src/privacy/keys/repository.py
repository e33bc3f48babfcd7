"""Wrapped data keys in MongoDB: the one place that knows which is whose.

- `learner_keys`: `{_id: key, tenant, learner, bucket, wrapped}`; the tenant's own key has the learner "".
- `buckets`: `{_id, tenant, kind, state, count, made_at}`: the bucket keys themselves lie with the key provider.
  making ─▶ open ─▶ full; open or full ─▶ retiring (nothing is wrapped by it any more) ─▶ destroyed with its document.
- `key_erasures`: `{_id: request, tenant, learner, at, retiring?}`: learners closed to the services, whose key is to go.
- `destroyed`: `{_id: digest of tenant and learner_id}`: nobody whose key was destroyed is given one again. The id is
  random, so that the digest leads to nobody.
- `tombstones`: learners whose key is gone, to be told on `privacy.consents.v1`; each leaves with the broker's answer.
"""

import hashlib
from collections.abc import Collection as AnyCollection
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import uuid4

from events.sealing import Owner
from service_kit.keys.directory import WrappedKey
from service_kit.mongo import (
    ASCENDING,
    BulkWriteError,
    Collection,
    CollectionSpec,
    Database,
    Document,
    Index,
    ReplaceOne,
    Session,
    UpdateOne,
)
from service_kit.outbox import OUTBOX_INDEX, flag

LEARNER_KEYS: Final = CollectionSpec(
    "learner_keys",
    "source",
    (Index((("tenant", ASCENDING), ("learner", ASCENDING)), unique=True), Index((("bucket", ASCENDING),))),
)
BUCKETS: Final = CollectionSpec(
    "buckets",
    "source",
    (
        Index((("tenant", ASCENDING), ("kind", ASCENDING), ("state", ASCENDING))),
        Index((("state", ASCENDING), ("made_at", ASCENDING))),
    ),
)
ERASURES: Final = CollectionSpec(
    "key_erasures",
    "source",
    (
        Index((("at", ASCENDING),)),
        Index((("tenant", ASCENDING), ("learner", ASCENDING))),
        Index((("retiring", ASCENDING),), where={"retiring": {"$exists": True}}),
    ),
)
DESTROYED: Final = CollectionSpec("destroyed", "source")
TOMBSTONES: Final = CollectionSpec("tombstones", "source", (OUTBOX_INDEX,))
COLLECTIONS: Final = (LEARNER_KEYS, BUCKETS, ERASURES, DESTROYED, TOMBSTONES)

Kind = Literal["learners", "tenant"]
_DUPLICATE_KEY: Final = 11000
ROOM: Final = 1000  # learners a bucket: so many are wrapped anew for one who is forgotten


class AlreadyThere(Exception):
    """One of the learners was given a key by someone else meanwhile."""


@dataclass(frozen=True, slots=True)
class Bucket:
    name: str
    tenant: str
    kind: Kind
    state: str
    count: int


@dataclass(frozen=True, slots=True)
class KeyErasure:
    """A learner closed to the services, by request."""

    request: str
    tenant: str
    learner: str


class KeyRepository:
    def __init__(self, db: Database) -> None:
        self._keys: Collection = db[LEARNER_KEYS.name]
        self._buckets: Collection = db[BUCKETS.name]
        self._erasures: Collection = db[ERASURES.name]
        self._destroyed: Collection = db[DESTROYED.name]
        self._tombstones: Collection = db[TOMBSTONES.name]

    # Keys

    async def by_owner(self, tenant: str, learners: AnyCollection[str]) -> list[WrappedKey]:
        found = self._keys.find({"tenant": tenant, "learner": {"$in": list(learners)}})
        return [_key_of(d) for d in await found.to_list(None)]

    async def by_name(self, names: AnyCollection[str], tenant: str | None = None) -> list[WrappedKey]:
        """Of one tenant, or of any."""
        where: Document = {"_id": {"$in": list(names)}} | ({} if tenant is None else {"tenant": tenant})
        return [_key_of(d) for d in await self._keys.find(where).to_list(None)]

    async def of_bucket(self, bucket: str, session: Session | None = None) -> list[WrappedKey]:
        return [_key_of(d) for d in await self._keys.find({"bucket": bucket}, session=session).to_list(None)]

    async def insert(self, keys: Sequence[WrappedKey], session: Session) -> None:
        """Raises `AlreadyThere`."""
        documents = [_document(key) for key in keys]
        try:
            await self._keys.insert_many(documents, session=session)
        except BulkWriteError as error:
            failed = (error.details or {}).get("writeErrors", [])
            if not failed or any(one["code"] != _DUPLICATE_KEY for one in failed):
                raise
            raise AlreadyThere from None

    async def replace(self, keys: Sequence[WrappedKey], session: Session) -> None:
        """The same keys, wrapped anew."""
        changes: list[Any] = [
            UpdateOne({"_id": key.name}, {"$set": {"bucket": key.bucket, "wrapped": key.wrapped}}) for key in keys
        ]
        if changes:
            await self._keys.bulk_write(changes, ordered=False, session=session)

    async def delete(self, names: Sequence[str], session: Session) -> None:
        await self._keys.delete_many({"_id": {"$in": list(names)}}, session=session)

    async def may_have(self, tenant: str, learners: AnyCollection[str], session: Session | None = None) -> list[str]:
        """Those of the learners whose key was not destroyed."""
        digests = {_digest(tenant, learner): learner for learner in learners}
        found = await self._destroyed.find({"_id": {"$in": list(digests)}}, session=session).to_list(None)
        gone = {d["_id"] for d in found}
        return sorted(learner for digest, learner in digests.items() if digest not in gone)

    async def never_again(self, owners: AnyCollection[Owner], session: Session) -> None:
        """They are given no key any more."""
        changes: list[Any] = [
            ReplaceOne({"_id": _digest(owner.tenant, owner.learner)}, {}, upsert=True) for owner in owners
        ]
        if changes:
            await self._destroyed.bulk_write(changes, ordered=False, session=session)

    # Buckets

    async def bucket_with_room(self, tenant: str) -> Bucket | None:
        where = {"tenant": tenant, "kind": "learners", "state": "open", "count": {"$lt": ROOM}}
        found = await self._buckets.find_one(where)
        return _bucket_of(found) if found else None

    async def bucket(self, name: str) -> Bucket | None:
        found = await self._buckets.find_one({"_id": name})
        return _bucket_of(found) if found else None

    async def add_bucket(self, bucket: Bucket, at: datetime) -> None:
        """Before its key is made: a bucket key without a document would never be destroyed."""
        await self._buckets.insert_one(
            {
                "_id": bucket.name,
                "tenant": bucket.tenant,
                "kind": bucket.kind,
                "state": bucket.state,
                "count": bucket.count,
                "made_at": at,
            }
        )

    async def fill(self, bucket: Bucket, count: int, session: Session) -> bool:
        """Count that many more in it; False where it has changed since it was read."""
        full = bucket.count + count >= ROOM or bucket.kind == "tenant"
        result = await self._buckets.update_one(
            {"_id": bucket.name, "state": bucket.state, "count": bucket.count},
            {"$inc": {"count": count}, "$set": {"state": "full" if full else "open"}},
            session=session,
        )
        return result.modified_count == 1

    async def retire(self, bucket: Bucket, session: Session) -> bool:
        """Nothing more is wrapped by it; False where it has changed since it was read."""
        result = await self._buckets.update_one(
            {"_id": bucket.name, "state": bucket.state, "count": bucket.count},
            {"$set": {"state": "retiring"}},
            session=session,
        )
        return result.modified_count == 1

    async def retiring(self) -> list[str]:
        return [d["_id"] for d in await self._buckets.find({"state": "retiring"}, {"_id": 1}).to_list(None)]

    async def abandoned(self, before: datetime) -> list[str]:
        """Buckets that whoever made them did not come to use."""
        where = {"state": "making", "made_at": {"$lt": before}}
        return [d["_id"] for d in await self._buckets.find(where, {"_id": 1}).to_list(None)]

    async def remove_bucket(self, name: str, session: Session | None = None) -> None:
        await self._buckets.delete_one({"_id": name}, session=session)

    async def in_use(self, tenant: str | None = None) -> list[str]:
        """Buckets by which keys are wrapped, of one tenant or of all."""
        where: Document = {"state": {"$in": ["open", "full"]}} | ({} if tenant is None else {"tenant": tenant})
        return [d["_id"] for d in await self._buckets.find(where, {"_id": 1}).to_list(None)]

    # Erasures

    async def to_destroy(self, erasure: KeyErasure, at: datetime, session: Session) -> None:
        """The learner is closed to the services: now the key may go."""
        document = {"tenant": erasure.tenant, "learner": erasure.learner, "at": at}
        await self._erasures.update_one(
            {"_id": erasure.request}, {"$setOnInsert": document}, upsert=True, session=session
        )

    async def oldest_erasure(self) -> datetime | None:
        found = await self._erasures.find({}, {"at": 1}).sort("at", ASCENDING).limit(1).to_list(None)
        return found[0]["at"] if found else None

    async def erasures(self, limit: int) -> list[KeyErasure]:
        """Those whose bucket does not retire yet, the oldest first."""
        found = self._erasures.find({"retiring": {"$exists": False}}).sort("at", ASCENDING).limit(limit)
        return [_erasure_of(d) for d in await found.to_list(None)]

    async def mark_retiring(self, requests: Sequence[str], bucket: str, session: Session) -> None:
        """Their keys are deleted here; they are destroyed with this bucket key."""
        await self._erasures.update_many(
            {"_id": {"$in": list(requests)}}, {"$set": {"retiring": bucket}}, session=session
        )

    async def erased_with(self, bucket: str) -> list[KeyErasure]:
        return [_erasure_of(d) for d in await self._erasures.find({"retiring": bucket}).to_list(None)]

    async def finish(self, erasure: KeyErasure, session: Session) -> None:
        """The key is destroyed: tell whoever still has a mark of the learner, and let go of the own."""
        token = str(uuid4())
        tombstone = {
            "_id": token,
            "tenant": erasure.tenant,
            "learner": erasure.learner,
            "outbox": flag(erasure.learner),
        }
        await self._tombstones.insert_one(tombstone, session=session)
        await self._erasures.delete_one({"_id": erasure.request}, session=session)


def _digest(tenant: str, learner: str) -> str:
    return hashlib.sha256(f"{tenant}/{learner}".encode()).hexdigest()


def _document(key: WrappedKey) -> Document:
    return {
        "_id": key.name,
        "tenant": key.owner.tenant,
        "learner": key.owner.learner,
        "bucket": key.bucket,
        "wrapped": key.wrapped,
    }


def _key_of(document: Document) -> WrappedKey:
    owner = Owner(document["tenant"], document["learner"])
    return WrappedKey(document["_id"], owner, document["bucket"], bytes(document["wrapped"]))


def _bucket_of(document: Document) -> Bucket:
    return Bucket(document["_id"], document["tenant"], document["kind"], document["state"], document["count"])


def _erasure_of(document: Document) -> KeyErasure:
    return KeyErasure(document["_id"], document["tenant"], document["learner"])
