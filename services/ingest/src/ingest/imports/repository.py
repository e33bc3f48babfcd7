"""The collection `imports`: `{_id: "tenant/id", tenant, source, place, accepted, not_recorded, rejected, finished,
updated_at}`. Nothing in it belongs to a learner.
"""

from datetime import datetime
from typing import Any, Final

from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, Index

IMPORTS: Final = CollectionSpec("imports", "source", (Index((("tenant", ASCENDING), ("_id", ASCENDING))),))


class ImportRepository:
    def __init__(self, db: Database) -> None:
        self._collection: Collection = db[IMPORTS.name]

    async def put(self, tenant: str, import_id: str, progress: Document, at: datetime) -> Document:
        """Keep how far the import is; what is kept now."""
        key = _key(tenant, import_id)
        document = {"tenant": tenant, **progress, "updated_at": at}
        await self._collection.replace_one({"_id": key}, document, upsert=True)
        return {"_id": key, **document}

    async def one(self, tenant: str, import_id: str) -> Document | None:
        return await self._collection.find_one({"_id": _key(tenant, import_id)})

    async def page(self, tenant: str, after: str | None, limit: int) -> list[Document]:
        """By id."""
        where: Document = {"tenant": tenant} | ({} if after is None else {"_id": {"$gt": _key(tenant, after)}})
        return await self._collection.find(where).sort("_id", ASCENDING).limit(limit).to_list(None)

    async def remove(self, tenant: str, import_id: str) -> bool:
        return (await self._collection.delete_one({"_id": _key(tenant, import_id)})).deleted_count == 1


def id_of(document: Document) -> str:
    found: Any = document["_id"]
    return str(found).partition("/")[2]


def _key(tenant: str, import_id: str) -> str:
    return f"{tenant}/{import_id}"
