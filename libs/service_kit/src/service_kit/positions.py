"""Where a consumer group stands, kept in the service's own database beside what its batches change."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from events.consumer import Move, Offsets, Partition
from events.errors import Fenced, NotReady

from service_kit.mongo import (
    Client,
    CollectionSpec,
    Database,
    DuplicateKeyError,
    MongoAway,
    Session,
    UpdateOne,
    away,
    in_transaction,
)

log = logging.getLogger(__name__)

POSITIONS: Final = CollectionSpec("positions", "source")


class MongoPositions:
    """`events.consumer.Positions` on MongoDB: `{_id: "group/topic/partition", next}`."""

    def __init__(self, client: Client, db: Database) -> None:
        self._client = client
        self._collection = db[POSITIONS.name]

    async def load(self, group: str, partitions: Mapping[Partition, Offsets]) -> dict[Partition, int]:
        try:
            found = await self._collection.find({"_id": {"$in": [_id(group, p) for p in partitions]}}).to_list(None)
            known = {document["_id"]: int(document["next"]) for document in found}
            return {p: await self._begin(group, p, o, known.get(_id(group, p))) for p, o in partitions.items()}
        except Exception as error:
            raise _not_ready(error) from error

    async def _begin(self, group: str, partition: Partition, offsets: Offsets, known: int | None) -> int:
        if known is not None and known <= offsets.end:
            return known
        if known is not None:
            log.error("records were lost or replaced: reading them again from the first", extra={"group": group})
        was = {"_id": _id(group, partition)} | ({"next": known} if known is not None else {})
        try:
            await self._collection.replace_one(was, {"next": offsets.first}, upsert=True)
        except DuplicateKeyError:
            raise Fenced(str(partition)) from None
        return offsets.first

    async def transact(
        self, group: str, moves: Mapping[Partition, Move], body: Callable[[Any], Awaitable[None]]
    ) -> None:
        async def run(session: Session) -> None:
            changes: list[Any] = [
                UpdateOne({"_id": _id(group, partition), "next": move.expected}, {"$set": {"next": move.next}})
                for partition, move in moves.items()
            ]
            moved = await self._collection.bulk_write(changes, session=session)
            if moved.matched_count < len(changes):
                raise Fenced(group)
            await body(session)

        try:
            await in_transaction(self._client, run)
        except Exception as error:
            raise _not_ready(error) from error


def _id(group: str, partition: Partition) -> str:
    return f"{group}/{partition[0]}/{partition[1]}"


def _not_ready(error: Exception) -> Exception:
    return NotReady("MongoDB is away") if isinstance(error, MongoAway) or away(error) else error
