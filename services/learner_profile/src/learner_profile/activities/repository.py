"""MongoDB: the activities of the catalog, as far as they say what evidence counts towards.

`remap` stands in a document whose mapping changed until the learners concerned are marked (see `remapping`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from events.payloads import CatalogActivity
from service_kit.mongo import (
    ASCENDING,
    Collection,
    CollectionSpec,
    Database,
    Document,
    Index,
    Session,
    StoredCollection,
    UpdateOne,
    as_stored,
    read_stored,
)
from uuid_utils.compat import uuid7

from learner_profile.evidence.mapping import Mapped, mapped

ACTIVITIES: Final = CollectionSpec(
    "activities", "derived", (Index((("remap.due", ASCENDING),), where={"remap.due": {"$exists": True}}),)
)


@dataclass(frozen=True, slots=True)
class Remap:
    """An activity whose mapping changed. `swept_at`: when its learners were first marked; None: not yet."""

    tenant: str
    activity: str
    token: str
    swept_at: datetime | None


class ActivityRepository:
    """The view of the catalog, of all tenants; every call names its tenant."""

    def __init__(self, db: Database) -> None:
        self._activities: Collection = db[ACTIVITIES.name]
        self._stored: StoredCollection = as_stored(self._activities)

    async def known(
        self, tenant: str, activities: Iterable[str], session: Session | None = None
    ) -> dict[str, CatalogActivity]:
        """Those of the activities that the catalog has."""
        ids = [_id(tenant, activity) for activity in activities]
        if not ids:
            return {}
        found = await self._activities.find({"_id": {"$in": ids}}, session=session).to_list(None)
        known = (CatalogActivity.model_validate(d["activity"]) for d in found if d["activity"] is not None)
        return {activity.id: activity for activity in known}

    async def mapped(self, tenant: str, activities: Iterable[str], session: Session | None = None) -> dict[str, Mapped]:
        """What the fold needs of those that the catalog has."""
        ids = [_id(tenant, activity) for activity in activities]
        if not ids:
            return {}
        found = await self._stored.find({"_id": {"$in": ids}}, {"activity": 1}, session=session).to_list(None)
        return dict(one for document in found if (one := _mapped(document.raw)) is not None)

    async def put(
        self, tenant: str, changes: Sequence[tuple[str, CatalogActivity | None, bool]], now: datetime, session: Session
    ) -> None:
        """Store (or, for None, remove) activities; `True` asks for a remap of the learners concerned."""
        writes = [
            UpdateOne({"_id": _id(tenant, key)}, _change(tenant, key, activity, now if remap else None), upsert=True)
            for key, activity, remap in changes
        ]
        if writes:
            await self._activities.bulk_write(writes, ordered=False, session=session)

    async def due(self, now: datetime, limit: int) -> list[Remap]:
        """Remaps whose time has come, the longest due first."""
        found = self._activities.find({"remap.due": {"$lte": now}}, {"tenant": 1, "key": 1, "remap": 1})
        documents = await found.sort([("remap.due", ASCENDING)]).limit(limit).to_list(None)
        return [Remap(d["tenant"], d["key"], d["remap"]["token"], d["remap"].get("swept_at")) for d in documents]

    async def swept(self, remap: Remap, at: datetime, again_at: datetime) -> None:
        """The learners were marked; look once more later."""
        await self._activities.update_one(_held(remap), {"$set": {"remap.due": again_at, "remap.swept_at": at}})

    async def done(self, remap: Remap) -> None:
        """Nothing is left to mark. A removed activity leaves."""
        await self._activities.delete_one({**_held(remap), "activity": None})
        await self._activities.update_one(_held(remap), {"$unset": {"remap": ""}})


@lru_cache(maxsize=4096)
def _mapped(stored: bytes) -> tuple[str, Mapped] | None:
    """By the bytes that are stored: a batch asks for the same few hundred activities as the one before."""
    activity = read_stored(stored)["activity"]
    return None if activity is None else (activity["id"], mapped(CatalogActivity.model_validate(activity)))


def _id(tenant: str, activity: str) -> str:
    return f"{tenant}/{activity}"


def _held(remap: Remap) -> Document:
    return {"_id": _id(remap.tenant, remap.activity), "remap.token": remap.token}


def _change(tenant: str, key: str, activity: CatalogActivity | None, due: datetime | None) -> Document:
    """A remap that is still to be carried out stays where this change asks for none."""
    fields: Document = {
        "tenant": tenant,
        "key": key,
        "activity": None if activity is None else activity.model_dump(mode="json"),
    }
    if due is not None:
        fields["remap"] = {"due": due, "token": str(uuid7())}
    return {"$set": fields}
