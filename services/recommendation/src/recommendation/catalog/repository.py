"""MongoDB out: activities, and a version for each tenant's catalog that every change raises."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from events.payloads import CatalogActivity
from events.tracing import current_traceparent
from service_kit.clock import Clock
from service_kit.mongo import (
    ASCENDING,
    Client,
    Collection,
    CollectionSpec,
    Database,
    Document,
    ReplaceOne,
    Session,
    in_transaction,
)
from service_kit.outbox import OUTBOX_INDEX, flag

ACTIVITIES: Final = CollectionSpec("activities", "source", (OUTBOX_INDEX,))
CATALOGS: Final = CollectionSpec("catalogs", "source")
# MongoDB ends a transaction after 60 s; an import of many lines is several of them.
CHUNK: Final = 2_000


class CatalogRepository:
    """Ids are `tenant/IRI`: a tenant's activities lie together in the `_id` index, in the order of their IRIs."""

    def __init__(self, client: Client, db: Database, clock: Clock) -> None:
        self._client = client
        self._activities: Collection = db[ACTIVITIES.name]
        self._catalogs: Collection = db[CATALOGS.name]
        self._clock = clock

    async def put(self, tenant: str, activities: Sequence[CatalogActivity]) -> int:
        """Store what differs from what is held, flagged for publication; how many did. Repeatable."""
        changed = 0
        for start in range(0, len(activities), CHUNK):
            chunk = activities[start : start + CHUNK]

            async def body(session: Session, chunk: Sequence[CatalogActivity] = chunk) -> int:
                return await self._put(tenant, chunk, session)

            changed += await in_transaction(self._client, body)
        return changed

    async def _put(self, tenant: str, activities: Sequence[CatalogActivity], session: Session) -> int:
        new = {key_of(tenant, activity.id): activity.model_dump(mode="json") for activity in activities}
        held = await self._activities.find({"_id": {"$in": list(new)}}, {"activity": 1}, session=session).to_list(None)
        same = {document["_id"] for document in held if document["activity"] == new[document["_id"]]}
        now, traceparent = self._clock(), current_traceparent()
        changes = [
            ReplaceOne({"_id": key}, _document(activity, now, traceparent), upsert=True)
            for key, activity in new.items()
            if key not in same
        ]
        if changes:
            await self._activities.bulk_write(changes, ordered=False, session=session)
            await self._catalogs.update_one({"_id": tenant}, {"$inc": {"version": 1}}, upsert=True, session=session)
        return len(changes)

    async def version(self, tenant: str) -> int:
        """Rises with every change; 0 where there is no catalog."""
        found = await self._catalogs.find_one({"_id": tenant})
        return int(found["version"]) if found else 0

    async def page(self, tenant: str, after: str | None, limit: int) -> list[CatalogActivity]:
        """By IRI, those after the one named."""
        found = self._activities.find(range_of(tenant, after), {"activity": 1})
        return [_activity(d) for d in await found.sort([("_id", ASCENDING)]).limit(limit).to_list(None)]

    async def all(self, tenant: str) -> list[CatalogActivity]:
        """The whole catalog, by IRI."""
        found = self._activities.find(range_of(tenant), {"activity": 1}).sort([("_id", ASCENDING)])
        return [_activity(document) for document in await found.to_list(None)]

    async def count(self, tenant: str) -> int:
        return await self._activities.count_documents(range_of(tenant))


def key_of(tenant: str, activity: str) -> str:
    return f"{tenant}/{activity}"


def range_of(tenant: str, after: str | None = None) -> Document:
    """A tenant has no slash in its name, so that no other's ids fall between `tenant/` and `tenant0`."""
    return {"_id": {"$gt": key_of(tenant, after or ""), "$lt": f"{tenant}0"}}


def _document(activity: Document, now: datetime, traceparent: str | None) -> Document:
    return {"activity": activity, "changed_at": now, "traceparent": traceparent, "outbox": flag(activity["id"])}


def _activity(document: Document) -> CatalogActivity:
    return CatalogActivity.model_validate(document["activity"])
