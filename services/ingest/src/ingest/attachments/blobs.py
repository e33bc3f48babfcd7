"""Where the bytes lie: one port, two stores. What they mean is the business of `repository`."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from obstore.exceptions import BaseError
from obstore.store import S3Store
from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, Index, MongoAway

from ingest.settings import AttachmentSettings

if TYPE_CHECKING:
    from obstore.store import RetryConfig, S3Config

CHUNKS: Final = CollectionSpec(
    "attachments.chunks", "source", (Index((("files_id", ASCENDING), ("n", ASCENDING)), unique=True),)
)
CHUNKS_AT_ONCE: Final = 4
_PART: Final = 5 * 1024 * 1024
_RETRIES: Final["RetryConfig"] = {"max_retries": 3, "retry_timeout": timedelta(seconds=15)}


class BlobGone(Exception):
    """Its bytes are not there, or not all of them."""


class Blobs(Protocol):
    """Bytes by name. A name is written once; what was written in part may be deleted as if it were whole."""

    async def write(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Return when all is durable. The chunks, but the last, are of one size."""
        ...

    def read(self, name: str, chunk_size: int) -> AsyncIterator[bytes]:
        """In chunks of the size that was written. Raises `BlobGone`."""
        ...

    async def delete(self, names: Sequence[str]) -> None:
        """Those that are not there are no error."""
        ...


class GridFsBlobs:
    """The chunks of GridFS as its specification lays them out; the files beside them are `repository`'s.

    By plain reads and writes: the driver's own bucket holds up to 48 MB of an upload, and reads 16 MB ahead.
    """

    def __init__(self, db: Database) -> None:
        self._chunks: Collection = db[CHUNKS.name]

    async def write(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        batch: list[Document] = []
        number = 0
        async for chunk in chunks:
            batch.append({"files_id": name, "n": number, "data": chunk})
            number += 1
            if len(batch) == CHUNKS_AT_ONCE:
                await self._chunks.insert_many(batch, ordered=False)
                batch = []
        if batch:
            await self._chunks.insert_many(batch, ordered=False)

    async def read(self, name: str, chunk_size: int) -> AsyncIterator[bytes]:
        expected = 0
        found = self._chunks.find({"files_id": name}, {"n": 1, "data": 1}).sort("n", ASCENDING)
        async for chunk in found.batch_size(CHUNKS_AT_ONCE):
            if chunk["n"] != expected:
                raise BlobGone(name)
            yield chunk["data"]
            expected += 1

    async def delete(self, names: Sequence[str]) -> None:
        await self._chunks.delete_many({"files_id": {"$in": list(names)}})


class S3Blobs:
    """An object a name, in an S3-compatible store. What it refuses or cannot do now reads as being away."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    @classmethod
    def by(cls, settings: AttachmentSettings) -> "S3Blobs":
        config: S3Config = {"bucket": settings.s3_bucket, "region": settings.s3_region}
        if settings.s3_endpoint:
            config["endpoint"] = settings.s3_endpoint
        if key := settings.s3_access_key_id.get_secret_value():
            config["access_key_id"] = key
            config["secret_access_key"] = settings.s3_secret_access_key.get_secret_value()
        plain = settings.s3_endpoint.startswith("http://")
        store = S3Store(config=config, client_options={"allow_http": plain}, retry_config=_RETRIES)
        return cls(store)

    async def write(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        try:
            await self._store.put_async(_path(name), chunks, chunk_size=_PART, max_concurrency=1)
        except BaseError as error:
            raise MongoAway(type(error).__name__) from error

    async def read(self, name: str, chunk_size: int) -> AsyncIterator[bytes]:
        waiting = bytearray()
        try:
            found = await self._store.get_async(_path(name))
            async for piece in found.stream(min_chunk_size=chunk_size):
                waiting += piece
                while len(waiting) >= chunk_size:
                    yield bytes(waiting[:chunk_size])
                    del waiting[:chunk_size]
        except FileNotFoundError:
            raise BlobGone(name) from None
        except BaseError as error:
            raise MongoAway(type(error).__name__) from error
        if waiting:
            yield bytes(waiting)

    async def delete(self, names: Sequence[str]) -> None:
        try:
            await self._store.delete_async([_path(name) for name in names])
        except FileNotFoundError:
            return
        except BaseError as error:
            raise MongoAway(type(error).__name__) from error


def blobs_by(settings: AttachmentSettings, db: Database) -> Blobs:
    return S3Blobs.by(settings) if settings.attachment_store == "s3" else GridFsBlobs(db)


def _path(name: str) -> str:
    return f"attachments/{name}"
