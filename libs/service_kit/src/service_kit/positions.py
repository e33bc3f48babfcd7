"""Where a consumer group stands, kept in the service's own database beside what its batches change."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from events.consumer import Move, Partition
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

POSITIONS: Final = CollectionSpec("positions", "source")


class MongoPositions:
    """`events.consumer.Positions` on MongoDB: `{_id: "group/topic/partition", next}`."""

    def __init__(self, client: Client, db: Database) -> None:
        self._client = client
        self._collection = db[POSITIONS.name]

    async def load(self, group: str, partitions: Mapping[Partition, int]) -> dict[Partition, int]:
        try:
            found = await self._collection.find({"_id": {"$in": [_id(group, p) for p in partitions]}}).to_list(None)
            known = {document["_id"]: int(document["next"]) for document in found}
            for partition, beginning in partitions.items():
                if _id(group, partition) not in known:
                    await self._begin(group, partition, beginning)
            return {p: known.get(_id(group, p), beginning) for p, beginning in partitions.items()}
        except Exception as error:
            raise _not_ready(error) from error

    async def _begin(self, group: str, partition: Partition, beginning: int) -> None:
        try:
            await self._collection.insert_one({"_id": _id(group, partition), "next": beginning})
        except DuplicateKeyError:
            raise Fenced(str(partition)) from None

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
