"""The collection `credentials`.

`{_id: key, tenant, name, scopes, digest, created_at, profile, expires_at?, rate_per_second?, burst?, previous?:
{digest, until}, last_used?}`: `previous` is the secret before the last rotation.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from service_kit.clock import Clock
from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, Index

from ingest.credentials.authority import account_of_key
from ingest.credentials.credential import Credential, Known, Rate, Secret
from ingest.credentials.profiles import Profile
from ingest.credentials.schemas import Scope
from ingest.credentials.use import EVERY_SECONDS

__all__ = ["CREDENTIALS", "Credential", "CredentialRepository", "StoredCredential"]

CREDENTIALS: Final = CollectionSpec("credentials", "source", (Index((("tenant", ASCENDING), ("_id", ASCENDING))),))


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """A credential as it is kept."""

    key: str
    tenant: str
    name: str
    scopes: frozenset[Scope]
    secret: Secret
    created_at: datetime
    profile: Profile = Profile.strict
    expires_at: datetime | None = None
    rate_per_second: float | None = None
    burst: int | None = None
    previous: Secret | None = None
    last_used: datetime | None = None

    def known(self) -> Known:
        credential = Credential(self.key, self.tenant, self.scopes, account_of_key(self.key), self.profile)
        secrets = (self.secret,) if self.previous is None else (self.secret, self.previous)
        return Known(self.key, credential, secrets, self.expires_at, self._rate())

    def _rate(self) -> Rate | None:
        if self.rate_per_second is None:
            return None
        return Rate(self.rate_per_second, self.burst or math.ceil(self.rate_per_second))


class CredentialRepository:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._collection: Collection = db[CREDENTIALS.name]
        self._clock = clock

    async def add(self, credential: StoredCredential) -> None:
        await self._collection.insert_one(_document(credential))

    async def known(self, key: str) -> Known | None:
        """By its key alone: it is the credential that says which tenant calls."""
        found = await self._collection.find_one({"_id": key})
        return None if found is None else _credential(found).known()

    async def one(self, tenant: str, key: str) -> StoredCredential | None:
        found = await self._collection.find_one({"_id": key, "tenant": tenant})
        return None if found is None else _credential(found)

    async def page(self, tenant: str, after: str | None, limit: int) -> list[StoredCredential]:
        """In the order of their making."""
        where: Document = {"tenant": tenant} | ({} if after is None else {"_id": {"$gt": after}})
        found = await self._collection.find(where).sort("_id", ASCENDING).limit(limit).to_list(None)
        return [_credential(document) for document in found]

    async def rotate(self, tenant: str, key: str, digest: str, grace: timedelta) -> StoredCredential | None:
        """Set a new secret; the one until now stays good for the grace, one before that no longer."""
        kept: Any = {"digest": "$digest", "until": self._clock() + grace} if grace else "$$REMOVE"
        changes = [{"$set": {"digest": digest, "previous": kept}}]
        found = await self._collection.find_one_and_update(
            {"_id": key, "tenant": tenant}, changes, return_document=True
        )
        return None if found is None else _credential(found)

    async def used(self, key: str) -> None:
        """Now; nothing where another replica has written so within the minute."""
        now = self._clock()
        where = {"_id": key, "last_used": {"$not": {"$gt": now - timedelta(seconds=EVERY_SECONDS)}}}
        await self._collection.update_one(where, {"$set": {"last_used": now}})

    async def remove_all(self, tenant: str) -> int:
        """Every one of the tenant's; how many there were."""
        return (await self._collection.delete_many({"tenant": tenant})).deleted_count

    async def remove(self, tenant: str, key: str) -> bool:
        result = await self._collection.delete_one({"_id": key, "tenant": tenant})
        return result.deleted_count == 1


def _document(credential: StoredCredential) -> Document:
    optional: Document = {
        "expires_at": credential.expires_at,
        "rate_per_second": credential.rate_per_second,
        "burst": credential.burst,
    }
    return {
        "_id": credential.key,
        "tenant": credential.tenant,
        "name": credential.name,
        "scopes": sorted(credential.scopes),
        "digest": credential.secret.digest,
        "created_at": credential.created_at,
        "profile": credential.profile.value,
        **{name: value for name, value in optional.items() if value is not None},
    }


def _credential(document: Document) -> StoredCredential:
    previous = document.get("previous")
    return StoredCredential(
        key=document["_id"],
        tenant=document["tenant"],
        name=document["name"],
        scopes=frozenset(Scope(scope) for scope in document["scopes"]),
        secret=Secret(document["digest"]),
        created_at=document["created_at"],
        profile=Profile(document.get("profile", Profile.strict)),
        expires_at=document.get("expires_at"),
        rate_per_second=document.get("rate_per_second"),
        burst=document.get("burst"),
        previous=None if previous is None else Secret(previous["digest"], previous["until"]),
        last_used=document.get("last_used"),
    )
