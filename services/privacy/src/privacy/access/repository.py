"""Archives in MongoDB, sealed under the learner's key and gone when they expire.

- `archives`: `{_id: request, tenant, size, sha256, chunks, attempt, made_at, expires_at, link?: {digest, expires_at},
  fetched_at?}`
- `archive_chunks`: `{_id: "request/attempt/number", request, bytes, key, expires_at}`
"""

import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from events.sealing import Owner, Sealed, Sealer
from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, Index, Session

ARCHIVES: Final = CollectionSpec("archives", "source", (Index((("expires_at", ASCENDING),), expire_after_seconds=0),))
CHUNKS: Final = CollectionSpec(
    "archive_chunks",
    "source",
    (Index((("expires_at", ASCENDING),), expire_after_seconds=0), Index((("request", ASCENDING),))),
)
CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Made:
    """An archive that can be fetched."""

    request: str
    attempt: int
    size: int
    sha256: str
    chunks: int
    made_at: datetime
    expires_at: datetime


class Archives:
    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._archives: Collection = db[ARCHIVES.name]
        self._chunks: Collection = db[CHUNKS.name]
        self._sealer = sealer

    async def add_chunk(
        self, owner: Owner, request: str, attempt: int, number: int, data: bytes, expires_at: datetime
    ) -> None:
        (sealed,) = await self._sealer.seal([(owner, data)])
        chunk = {"request": request, "bytes": sealed.data, "key": sealed.key, "expires_at": expires_at}
        await self._chunks.replace_one({"_id": _chunk(request, attempt, number)}, chunk, upsert=True)

    async def put(self, tenant: str, made: Made, session: Session) -> None:
        """From now on it can be fetched; what earlier attempts have left goes."""
        document = {
            "tenant": tenant,
            "attempt": made.attempt,
            "size": made.size,
            "sha256": made.sha256,
            "chunks": made.chunks,
            "made_at": made.made_at,
            "expires_at": made.expires_at,
        }
        await self._archives.replace_one({"_id": made.request}, document, upsert=True, session=session)
        keep = {"$gte": _chunk(made.request, made.attempt, 0), "$lt": _chunk(made.request, made.attempt, 10**6)}
        await self._chunks.delete_many({"request": made.request, "_id": {"$not": keep}}, session=session)

    async def find(self, tenant: str, request: str, now: datetime) -> Made | None:
        found = await self._archives.find_one({"_id": request, "tenant": tenant, "expires_at": {"$gt": now}})
        return _made(found) if found else None

    async def new_link(self, tenant: str, request: str, expires_at: datetime) -> str | None:
        """A secret that is good once, instead of any before it; None where there is nothing to fetch."""
        secret = secrets.token_urlsafe(32)
        link = {"digest": _digest(secret), "expires_at": expires_at}
        changed = await self._archives.update_one({"_id": request, "tenant": tenant}, {"$set": {"link": link}})
        return secret if changed.matched_count else None

    async def use_link(self, tenant: str, request: str, secret: str, now: datetime) -> Made | None:
        """The archive, if this link is good: from now on it is not."""
        where = {
            "_id": request,
            "tenant": tenant,
            "expires_at": {"$gt": now},
            "link.digest": _digest(secret),
            "link.expires_at": {"$gt": now},
        }
        found = await self._archives.find_one_and_update(where, {"$unset": {"link": ""}, "$set": {"fetched_at": now}})
        return _made(found) if found else None

    async def lies_unread(self, tenant: str, requests: Sequence[str], now: datetime, session: Session) -> bool:
        """Whether one of these archives was never fetched and still can be."""
        where = {"_id": {"$in": list(requests)}, "tenant": tenant, "expires_at": {"$gt": now}, "fetched_at": None}
        return await self._archives.find_one(where, {"_id": 1}, session=session) is not None

    async def read(self, made: Made) -> AsyncIterator[bytes]:
        for number in range(made.chunks):
            found = await self._chunks.find_one({"_id": _chunk(made.request, made.attempt, number)})
            if found is None:
                raise LookupError("the archive has expired meanwhile")
            (data,) = await self._sealer.open([Sealed(bytes(found["bytes"]), found["key"])])
            yield data

    async def forget(self, requests: Sequence[str], session: Session) -> int:
        """Delete the archives of these requests; how many there were."""
        wanted = {"$in": list(requests)}
        await self._chunks.delete_many({"request": wanted}, session=session)
        return int((await self._archives.delete_many({"_id": wanted}, session=session)).deleted_count)


def _chunk(request: str, attempt: int, number: int) -> str:
    return f"{request}/{attempt:06}/{number:06}"


def _digest(secret: str) -> str:
    """256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _made(document: Document) -> Made:
    return Made(
        request=document["_id"],
        attempt=document["attempt"],
        size=document["size"],
        sha256=document["sha256"],
        chunks=document["chunks"],
        made_at=document["made_at"],
        expires_at=document["expires_at"],
    )
