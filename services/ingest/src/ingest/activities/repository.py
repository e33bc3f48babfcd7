"""The collection `activities`: `{_id: "tenant/sha256(activity id)", definition, revision}`.

`definition` is JSON as bytes: extensions have IRIs for keys, and numbers stay as they were sent. Activities are
nobody's: nothing is sealed. `revision` is drawn anew by each write, which names the one that it has seen.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from service_kit.mongo import (
    BulkWriteError,
    Collection,
    CollectionSpec,
    Database,
    InsertOne,
    UpdateOne,
)
from xapi.exact import dumps, loads
from xapi.parsing import JsonObject

ACTIVITIES: Final = CollectionSpec("activities", "source")
_DUPLICATE_KEY: Final = 11000


@dataclass(frozen=True, slots=True)
class Known:
    """A definition as it is; `revision` None: not stored yet."""

    definition: JsonObject
    revision: bytes | None = None


class ActivityRepository:
    def __init__(self, db: Database) -> None:
        self._collection: Collection = db[ACTIVITIES.name]

    async def find(self, tenant: str, activities: Iterable[str]) -> dict[str, Known]:
        """The known ones, by activity id."""
        ids = {_key(tenant, activity): activity for activity in activities}
        found = await self._collection.find({"_id": {"$in": list(ids)}}).to_list(None) if ids else []
        return {ids[d["_id"]]: Known(loads(d["definition"]), d["revision"]) for d in found}

    async def put(self, tenant: str, definitions: Mapping[str, Known]) -> bool:
        """Store each that is still as it was seen; whether all were."""
        changes: list[Any] = []
        for activity, known in definitions.items():
            fields = {"definition": dumps(known.definition), "revision": secrets.token_bytes(12)}
            key = _key(tenant, activity)
            if known.revision is None:
                changes.append(InsertOne({"_id": key} | fields))
            else:
                changes.append(UpdateOne({"_id": key, "revision": known.revision}, {"$set": fields}))
        try:
            result = await self._collection.bulk_write(changes, ordered=False)
        except BulkWriteError as error:
            failed = (error.details or {}).get("writeErrors", [])
            if not failed or any(one["code"] != _DUPLICATE_KEY for one in failed):
                raise
            return False
        return result.inserted_count + result.matched_count == len(changes)


def _key(tenant: str, activity: str) -> str:
    return f"{tenant}/{hashlib.sha256(activity.encode()).hexdigest()}"
