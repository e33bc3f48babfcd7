"""A topic of the tests' own, what is published to it, and a consumer that counts into MongoDB."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from events.consumer import BatchConsumer, Bounds
from events.dead_letters import DeadLetters
from events.envelope import Message, Outgoing
from events.kafka import Kafka, create_topics
from events.publisher import Publisher
from events.sealing import ClearSealer
from events.topics import Topic
from pydantic import BaseModel
from service_kit.mongo import Client, Database, connect, database, ensure
from service_kit.positions import POSITIONS, MongoPositions
from service_kit.settings import MongoSettings


class Thing(BaseModel):
    number: int


THINGS = Topic("test.things.v1", "tests", "tenant/learner", Thing, ("tests",), "Things to count.")


@pytest.fixture
def kafka(kafka_bootstrap: str, namespace: str) -> Kafka:
    return Kafka(kafka_bootstrap, namespace)


@pytest.fixture
def mongo(mongodb_url: str, namespace: str) -> Iterator[MongoSettings]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRELLIS_MONGODB_URL", mongodb_url)
        patch.setenv("TRELLIS_NAMESPACE", namespace)
        yield MongoSettings()


@dataclass
class Ground:
    kafka: Kafka
    client: Client
    db: Database
    letters: list[DeadLetters] = field(default_factory=list)

    async def publish(self, numbers: Sequence[int], keys: int = 24) -> None:
        async with Publisher(self.kafka, ClearSealer()) as publisher:
            await publisher.publish([outgoing(n, f"learner-{n % keys}") for n in numbers])

    async def raw(self, *values: bytes | None, key: bytes | None = b"demo/one") -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka.bootstrap)
        await producer.start()
        try:
            for value in values:
                await producer.send_and_wait(self.kafka.name(THINGS.name), value=value, key=key)
        finally:
            await producer.stop()

    def consumer(self, handler: Any, *, max_records: int = 50, bounds: Bounds | None = None) -> BatchConsumer:
        self.letters.append(DeadLetters(self.kafka))
        return BatchConsumer(
            kafka=self.kafka,
            group="tests.count",
            topics=[THINGS],
            handler=handler,
            positions=MongoPositions(self.client, self.db),
            dead_letters=self.letters[-1],
            sealer=ClearSealer(),
            max_records=max_records,
            bounds=bounds,
            pause_seconds=0.05,
        )

    async def counted(self) -> dict[int, int]:
        """How often each number was counted."""
        return {d["_id"]: d["times"] async for d in self.db["counts"].find()}

    async def dead(self, number: int) -> list[Any]:
        """The first dead letters."""
        name = self.kafka.name(THINGS.dead_letters)
        consumer = AIOKafkaConsumer(name, bootstrap_servers=self.kafka.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            return [await asyncio.wait_for(consumer.getone(), 10) for _ in range(number)]
        finally:
            await consumer.stop()


def outgoing(number: int, learner: str | None) -> Outgoing:
    return Outgoing(THINGS, str(uuid4()), "demo", learner, datetime.now(UTC), Thing(number=number))


class Counting:
    """Counts each number in the batch's transaction."""

    def __init__(self, db: Database) -> None:
        self._counts = db["counts"]
        self.seen: list[Message] = []
        self.commits = 0

    async def handle(self, messages: Sequence[Message], session: Any) -> None:
        for message in messages:
            if message.payload is not None:
                await self._counts.update_one(
                    {"_id": message.payload.number}, {"$inc": {"times": 1}}, upsert=True, session=session
                )
        self.seen += messages

    async def committed(self) -> None:
        self.commits += 1


@pytest_asyncio.fixture
async def ground(kafka: Kafka, mongo: MongoSettings) -> AsyncIterator[Ground]:
    await create_topics(kafka, [THINGS])
    client = connect(mongo)
    try:
        db = database(client, mongo, "tests")
        await ensure(db, [POSITIONS])
        await db.create_collection("counts")
        ground = Ground(kafka, client, db)
        yield ground
        for letters in ground.letters:
            await letters.close()
    finally:
        await client.close()


async def until(found: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool], seconds: float = 40) -> Any:
    """The first answer that is as wanted."""
    async with asyncio.timeout(seconds):
        while not wanted(answer := await found()):  # noqa: ASYNC110 — the answer comes from MongoDB
            await asyncio.sleep(0.05)
    return answer


async def stop(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
