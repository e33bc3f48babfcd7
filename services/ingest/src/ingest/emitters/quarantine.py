"""The collection `quarantine`: refused statements of batches whose good ones were stored.

`{_id: "tenant/<32 hexadecimal digits>", tenant, credential, version, index, status, reasons: [{pointer, detail}],
identifiers, bytes, key, others?, size, received_at, last_at, times, expires_at}`: `bytes` is the JSON as it was sent,
sealed for everyone whom it names (`sharing`; `others` are the keys beyond the first), or for the tenant where no one
can be made out; `identifiers` are the keyed digests of these, by which an erasure finds it. The same statement of the
same credential is there once, and counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from events.sealing import Sealer
from service_kit.mongo import (
    ASCENDING,
    DESCENDING,
    BulkWriteError,
    Collection,
    CollectionSpec,
    Database,
    Document,
    Index,
    Session,
    UpdateOne,
    aggregate,
)

from ingest.sharing import Shared, open_shared, owners_of, seal_shared

QUARANTINE: Final = CollectionSpec(
    "quarantine",
    "source",
    (
        Index((("tenant", ASCENDING), ("received_at", DESCENDING), ("_id", DESCENDING))),
        Index((("tenant", ASCENDING), ("identifiers", ASCENDING))),
        Index((("tenant", ASCENDING), ("size", ASCENDING))),
        Index((("expires_at", ASCENDING),), expire_after_seconds=0),
    ),
)
_DUPLICATE_KEY: Final = 11000
_WITHOUT_BODY: Final = {"bytes": 0, "others": 0, "identifiers": 0}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, and where in the statement (a JSON pointer)."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A refused statement. `index` is its place in the batch it came in, `times` how often it came."""

    id: str
    tenant: str
    credential: str
    version: str
    index: int
    status: int
    reasons: tuple[Reason, ...]
    received_at: datetime
    last_at: datetime
    expires_at: datetime
    times: int = 1


@dataclass(frozen=True, slots=True)
class Held:
    """What a tenant has in quarantine."""

    count: int
    size: int


class QuarantineRepository:
    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._collection: Collection = db[QUARANTINE.name]
        self._sealer = sealer

    async def add(self, items: Sequence[tuple[Quarantined, bytes, Sequence[str], Sequence[str]]]) -> None:
        """Each with its bytes, the learners under whose keys they are sealed, and the digests of whom it names.

        What is there already is only counted, and kept for longer.
        """
        owned = [(owners_of(one.tenant, learners or [""]), data) for one, data, learners, _ in items]
        sealed = await seal_shared(self._sealer, owned)
        changes: list[Any] = []
        for (one, data, _, identifiers), held in zip(items, sealed, strict=True):
            first, *others = held.keys
            body: Document = {"bytes": held.data, "key": first, "size": len(data), "identifiers": list(identifiers)}
            body |= {"others": others} if others else {}
            changes.append(UpdateOne({"_id": _key(one.tenant, one.id)}, _change(one, body), upsert=True))
        try:
            await self._collection.bulk_write(changes, ordered=False)
        except BulkWriteError as error:
            if any(one["code"] != _DUPLICATE_KEY for one in (error.details or {}).get("writeErrors", [{"code": 0}])):
                raise  # a duplicate key: the same statement came twice at the same moment, and is there

    async def held(self, tenant: str) -> Held:
        # Only `tenant` and `size` are named, so that the index answers alone.
        pipeline: list[Document] = [
            {"$match": {"tenant": tenant, "size": {"$gte": 0}}},
            {"$project": {"_id": 0, "size": 1}},
            {"$group": {"_id": None, "count": {"$sum": 1}, "size": {"$sum": "$size"}}},
        ]
        found = await aggregate(self._collection, pipeline)
        return Held(found[0]["count"], found[0]["size"]) if found else Held(0, 0)

    async def one(self, tenant: str, quarantine_id: str) -> tuple[Quarantined, bytes] | None:
        """None also where someone it names is gone."""
        found = await self._collection.find_one({"_id": _key(tenant, quarantine_id), "tenant": tenant})
        if found is None:
            return None
        (opened,) = await open_shared(self._sealer, [Shared(found["bytes"], (found["key"], *found.get("others", ())))])
        return None if opened is None else (_quarantined(found), opened)

    async def page(
        self, tenant: str, credential: str | None, after: tuple[datetime, str] | None, limit: int
    ) -> list[Quarantined]:
        """Newest first."""
        where: Document = {"tenant": tenant} | ({} if credential is None else {"credential": credential})
        if after is not None:
            moment, last = after
            tie = {"received_at": moment, "_id": {"$lt": _key(tenant, last)}}
            where |= {"received_at": {"$lte": moment}, "$or": [{"received_at": {"$lt": moment}}, tie]}
        order = [("received_at", DESCENDING), ("_id", DESCENDING)]
        found = await self._collection.find(where, _WITHOUT_BODY).sort(order).limit(limit).to_list(None)
        return [_quarantined(document) for document in found]

    async def remove(self, tenant: str, quarantine_id: str) -> bool:
        result = await self._collection.delete_one({"_id": _key(tenant, quarantine_id), "tenant": tenant})
        return result.deleted_count == 1

    async def forget(self, tenant: str, digests: Sequence[str], session: Session) -> int:
        """Delete whatever names one of these identifiers."""
        where = {"tenant": tenant, "identifiers": {"$in": list(digests)}}
        return (await self._collection.delete_many(where, session=session)).deleted_count


def _change(one: Quarantined, body: Mapping[str, Any]) -> Document:
    first: Document = {
        "tenant": one.tenant,
        "credential": one.credential,
        "version": one.version,
        "index": one.index,
        "received_at": one.received_at,
        **body,
    }
    latest = {
        "status": one.status,
        "reasons": [{"pointer": reason.pointer, "detail": reason.detail} for reason in one.reasons],
        "last_at": one.last_at,
        "expires_at": one.expires_at,
    }
    return {"$setOnInsert": first, "$set": latest, "$inc": {"times": 1}}


def _quarantined(found: Document) -> Quarantined:
    return Quarantined(
        id=found["_id"].partition("/")[2],
        tenant=found["tenant"],
        credential=found["credential"],
        version=found["version"],
        index=found["index"],
        status=found["status"],
        reasons=tuple(Reason(reason["pointer"], reason["detail"]) for reason in found["reasons"]),
        received_at=found["received_at"],
        last_at=found["last_at"],
        expires_at=found["expires_at"],
        times=found["times"],
    )


def _key(tenant: str, quarantine_id: str) -> str:
    return f"{tenant}/{quarantine_id}"
