"""MongoDB: the only module that knows the driver.

The driver is PyMongo's own AsyncMongoClient (`docs/adr/0026-pymongo-async.md`).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, TypeVar

import bson
import pymongo
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from opentelemetry.metrics import Counter
from pymongo import (
    ASCENDING,
    DESCENDING,
    AsyncMongoClient,
    DeleteMany,
    DeleteOne,
    InsertOne,
    ReplaceOne,
    UpdateMany,
    UpdateOne,
)
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from service_kit import metrics
from service_kit.settings import MongoSettings

__all__ = [
    "ASCENDING",
    "DESCENDING",
    "BulkWriteError",
    "Client",
    "Collection",
    "CollectionSpec",
    "Database",
    "DeleteMany",
    "DeleteOne",
    "Document",
    "DriverError",
    "DuplicateKeyError",
    "Index",
    "InsertOne",
    "MongoAway",
    "OperationFailure",
    "ReplaceOne",
    "Session",
    "StoredCollection",
    "UpdateMany",
    "UpdateOne",
    "aggregate",
    "as_stored",
    "away",
    "connect",
    "database",
    "ensure",
    "in_transaction",
    "read_stored",
    "within",
]

Document = dict[str, Any]
DriverError = PyMongoError
Client = AsyncMongoClient[Document]
Database = AsyncDatabase[Document]
Collection = AsyncCollection[Document]
StoredCollection = AsyncCollection[RawBSONDocument]
Session = AsyncClientSession
T = TypeVar("T")

_DURABLE = WriteConcern(w="majority", j=True, wtimeout=20_000)
_NAMESPACE_EXISTS = 48


class MongoAway(Exception):
    """MongoDB did not answer in time; the same call may succeed later."""


@dataclass(frozen=True)
class Index:
    """An index: `keys` as (field, direction) pairs; `where` makes it partial."""

    keys: tuple[tuple[str, int], ...]
    unique: bool = False
    where: Document | None = None
    expire_after_seconds: int | None = None


@dataclass(frozen=True)
class CollectionSpec:
    """A collection. `source` is backed up, `derived` can be rebuilt from sources."""

    name: str
    kind: Literal["source", "derived"]
    indexes: tuple[Index, ...] = field(default=())


def connect(settings: MongoSettings) -> Client:
    """A client for the running event loop: majority and journaled writes, majority reads, aware datetimes."""
    return AsyncMongoClient(
        settings.mongodb_url.get_secret_value(),
        tz_aware=True,
        uuidRepresentation="standard",
        serverSelectionTimeoutMS=5_000,
        retryWrites=True,
        maxPoolSize=50,
    )


def database(client: Client, settings: MongoSettings, service: str) -> Database:
    """The service's own database."""
    return client.get_database(
        f"{settings.namespace}{service}",
        codec_options=CodecOptions(tz_aware=True),
        write_concern=_DURABLE,
        read_concern=ReadConcern("majority"),
    )


def as_stored(collection: Collection) -> StoredCollection:
    """The same collection, whose documents come as the bytes that they are (`raw`): for those that seldom change."""
    return collection.with_options(codec_options=CodecOptions(document_class=RawBSONDocument))


def read_stored(raw: bytes) -> Document:
    """The document that those bytes are."""
    return bson.decode(raw)


async def ensure(db: Database, collections: Sequence[CollectionSpec]) -> None:
    """Create collections and indexes; repeatable."""
    existing = set(await db.list_collection_names())
    for spec in collections:
        if spec.name not in existing:
            await _create(db, spec.name)
        for index in spec.indexes:
            options: Document = {"unique": index.unique}
            if index.where is not None:
                options["partialFilterExpression"] = index.where
            if index.expire_after_seconds is not None:
                options["expireAfterSeconds"] = index.expire_after_seconds
            await db[spec.name].create_index(list(index.keys), **options)


async def _create(db: Database, name: str) -> None:
    try:
        await db.create_collection(name, check_exists=False)
    except OperationFailure as error:
        if error.code != _NAMESPACE_EXISTS:
            raise


async def aggregate(collection: Collection, pipeline: Sequence[Document]) -> list[Document]:
    """All results of the pipeline."""
    return await (await collection.aggregate(list(pipeline))).to_list(None)


def away(error: BaseException) -> bool:
    """Whether MongoDB is busy or away, so that the same call may succeed later."""
    if isinstance(error, MongoAway | ConnectionFailure | ExecutionTimeout | WTimeoutError):
        return True
    return isinstance(error, PyMongoError) and (
        error.has_error_label("RetryableWriteError") or error.has_error_label("TransientTransactionError")
    )


def within(seconds: float) -> AbstractContextManager[None]:
    """In the block no call waits longer for a server that is silent: it then fails as `away`."""
    limited: AbstractContextManager[None] = pymongo.timeout(seconds)
    return limited


async def in_transaction(client: Client, body: Callable[[Session], Awaitable[T]], *, deadline_seconds: float = 15) -> T:
    """Run `body` in one transaction, again on a write conflict or a change of primary until the deadline.

    `body` may run several times. Raises `MongoAway` when the deadline passes.
    """
    until = time.monotonic() + deadline_seconds
    pause = 0.005
    while True:
        try:
            async with client.start_session() as session:
                await session.start_transaction(read_concern=ReadConcern("snapshot"), write_concern=_DURABLE)
                result = await body(session)
                await _commit(session, until)
                return result
        except PyMongoError as error:
            if not away(error):
                raise
            if time.monotonic() > until:
                raise MongoAway(type(error).__name__) from error
        _repeated().add(1)
        await asyncio.sleep(pause)
        pause = min(pause * 2, 0.5)


@cache
def _repeated() -> Counter:
    return metrics.counter(metrics.TRANSACTIONS_REPEATED)


async def _commit(session: Session, until: float) -> None:
    """Commit; where the answer is lost, again: the server knows whether it has done so already."""
    while True:
        try:
            await session.commit_transaction()
        except PyMongoError as error:
            if not error.has_error_label("UnknownTransactionCommitResult") or time.monotonic() > until:
                raise
            await asyncio.sleep(0.1)
        else:
            return
