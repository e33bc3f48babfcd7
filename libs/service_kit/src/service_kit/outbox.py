"""The outbox: a flag in the document that changed, set in the transaction that changed it, cleared after the broker's
answer.

`flag(subject)` is the value of the field `outbox`. A relay reads flagged documents of the shards it holds, oldest
first,
publishes them and clears just the flags it read: a document that changed meanwhile keeps its new flag. At least once.
"""

import asyncio
import time
import zlib
from collections.abc import Sequence
from typing import Final, Protocol

from events.cancellation import heed_cancellation
from events.envelope import Outgoing
from events.publisher import Publisher
from uuid_utils import uuid7

from service_kit.leases import Leases
from service_kit.mongo import (
    ASCENDING,
    Collection,
    CollectionSpec,
    Database,
    Document,
    Index,
)
from service_kit.turning import Turning, quietly

SHARDS: Final = 12
OUTBOX_INDEX: Final = Index(
    (("outbox.shard", ASCENDING), ("outbox.token", ASCENDING)), where={"outbox.token": {"$exists": True}}
)


def flag(subject: str) -> Document:
    """The outbox flag of a document about `subject` (a learner, an activity): its shard, and a token that rises
    with time.
    """
    return {"shard": zlib.crc32(subject.encode()) % SHARDS, "token": str(uuid7())}


class Source(Protocol):
    """A collection with flagged documents and how they become messages."""

    spec: CollectionSpec
    remove_when_sent: bool

    async def messages(self, documents: Sequence[Document]) -> list[Outgoing]:
        """The messages of these documents, in their order; a document may give none or several."""
        ...


class OutboxRelay:
    """Publishes one source's flagged documents. `wake()` after a commit makes it look at once.

    `clearing` is held while flags are cleared. Whoever changes flagged documents again and again, in transactions,
    holds it meanwhile: a flag that is cleared between a transaction's reading and writing makes all of it begin anew.
    """

    def __init__(
        self, db: Database, source: Source, publisher: Publisher, *, poll_seconds: float = 0.1, batch: int = 500
    ) -> None:
        self.name = source.spec.name
        self._collection: Collection = db[source.spec.name]
        self._source = source
        self._publisher = publisher
        self._batch = batch
        self._leases = Leases(db, f"outbox/{source.spec.name}", SHARDS)
        self._turning = Turning(f"outbox/{source.spec.name}", self._turn, rest_seconds=poll_seconds)
        self.wake = self._turning.wake
        self.check = self._turning.check
        self.clearing = asyncio.Lock()
        self.published = 0
        self._oldest: float | None = None  # Unix seconds of the oldest flag that was read and not cleared yet

    def oldest_seconds(self) -> float:
        """Age of the oldest change that waits for the broker; 0 where none waits."""
        return 0.0 if self._oldest is None else max(0.0, time.time() - self._oldest)

    async def run(self) -> None:
        """Relay until cancelled."""
        try:
            await self._turning.run()
        finally:
            await quietly(self._leases.release())

    async def _turn(self) -> bool:
        return await self.turn() >= self._batch

    async def turn(self) -> int:
        """Publish what waits, a batch after the other until one is not full; how many documents the last one held.

        While a batch is with the broker and its flags are cleared, the next is read and rendered.
        """
        held = await self._leases.current()
        if not held:
            self._oldest = None
            return 0
        after: str | None = None
        sending: asyncio.Task[None] | None = None
        try:
            while True:
                heed_cancellation()
                found = await self._read(held, after)
                messages = await self._source.messages(found) if found else []
                if sending is not None:
                    await sending
                self._oldest = min((_flagged_at(document) for document in found), default=None)
                if found:
                    sending = asyncio.create_task(self._send(found, messages))
                    after = found[-1]["outbox"]["token"]
                held = await self._leases.current()
                if len(found) < self._batch or not held:
                    break
            if sending is not None:
                await sending
            self._oldest = None
        finally:
            if sending is not None:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        self._turning.last_turn = time.monotonic()
        return len(found)

    async def _read(self, held: frozenset[int], after: str | None) -> list[Document]:
        """The next flagged documents; flags that came late lie before `after`, and come with the next turn."""
        token = {"$exists": True} if after is None else {"$gt": after}
        return await (
            self._collection.find({"outbox.token": token, "outbox.shard": {"$in": sorted(held)}})
            .sort("outbox.token", ASCENDING)  # a merge of the shards' index ranges
            .limit(self._batch)
            .batch_size(self._batch)
            .to_list(None)
        )

    async def _send(self, documents: Sequence[Document], messages: Sequence[Outgoing]) -> None:
        await self._publisher.publish(messages)
        async with self.clearing:
            await self._clear(documents)
        self.published += len(documents)
        self._turning.last_turn = time.monotonic()

    async def _clear(self, documents: Sequence[Document]) -> None:
        """In one command; a token stands in one document alone."""
        flags = {
            "_id": {"$in": [d["_id"] for d in documents]},
            "outbox.token": {"$in": [d["outbox"]["token"] for d in documents]},
        }
        if self._source.remove_when_sent:
            await self._collection.delete_many(flags, hint="_id_")
        else:
            await self._collection.update_many(flags, {"$unset": {"outbox": ""}}, hint="_id_")


def _flagged_at(document: Document) -> float:
    """Unix seconds: the first 48 bits of a UUIDv7 are its milliseconds (RFC 9562, 5.7)."""
    return int(document["outbox"]["token"].replace("-", "")[:12], 16) / 1000
