"""The collection `credentials`: `{_id: key, tenant, name, scopes, digest, created_at}`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, Index

from ingest.credentials.schemas import Scope

CREDENTIALS: Final = CollectionSpec("credentials", "source", (Index((("tenant", ASCENDING), ("_id", ASCENDING))),))


@dataclass(frozen=True, slots=True)
class Credential:
    key: str
    tenant: str
    name: str
    scopes: frozenset[Scope]
    digest: str
    created_at: datetime

    def may(self, *scopes: Scope) -> bool:
        """Whether it has one of the scopes; `all` stands for every one."""
        return Scope.all in self.scopes or not self.scopes.isdisjoint(scopes)


class CredentialRepository:
    def __init__(self, db: Database) -> None:
        self._collection: Collection = db[CREDENTIALS.name]

    async def add(self, credential: Credential) -> None:
        await self._collection.insert_one(
            {
                "_id": credential.key,
                "tenant": credential.tenant,
                "name": credential.name,
                "scopes": sorted(credential.scopes),
                "digest": credential.digest,
                "created_at": credential.created_at,
            }
        )

    async def of_key(self, key: str) -> Credential | None:
        """By its key alone: it is the credential that says which tenant calls."""
        found = await self._collection.find_one({"_id": key})
        return None if found is None else _credential(found)

    async def page(self, tenant: str, after: str | None, limit: int) -> list[Credential]:
        """In the order of their making."""
        where: Document = {"tenant": tenant} | ({} if after is None else {"_id": {"$gt": after}})
        found = await self._collection.find(where).sort("_id", ASCENDING).limit(limit).to_list(None)
        return [_credential(document) for document in found]

    async def remove(self, tenant: str, key: str) -> bool:
        result = await self._collection.delete_one({"_id": key, "tenant": tenant})
        return result.deleted_count == 1


def _credential(document: Document) -> Credential:
    return Credential(
        document["_id"],
        document["tenant"],
        document["name"],
        frozenset(Scope(scope) for scope in document["scopes"]),
        document["digest"],
        document["created_at"],
    )
