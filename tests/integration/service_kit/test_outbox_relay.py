"""What a document promised to say is said at least once, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer
from events.envelope import Outgoing
from events.kafka import Kafka, create_topics
from events.publisher import Publisher
from events.sealing import ClearSealer
from events.topics import Topic
from pydantic import BaseModel
from service_kit.leases import LEASES
from service_kit.mongo import CollectionSpec, Document, ensure, in_transaction
from service_kit.outbox import OUTBOX_INDEX, OutboxRelay, flag

from tests.integration.service_kit.conftest import Mongo
from tests.support.ports import free_port

THINGS = CollectionSpec("things", "source", (OUTBOX_INDEX,))


class Thing(BaseModel):
    number: int


TOPIC = Topic("test.things.v1", "tests", "tenant/learner", Thing, ("tests",), "Things to tell.")


class ThingSource:
    spec = THINGS

    def __init__(self, *, remove_when_sent: bool = False) -> None:
        self.remove_when_sent = remove_when_sent

    async def messages(self, documents: Sequence[Document]) -> list[Outgoing]:
        return [
            Outgoing(TOPIC, d["outbox"]["token"], "demo", d["_id"], datetime.now(UTC), Thing(number=d["number"]))
            for d in documents
        ]


@pytest_asyncio.fixture
async def kafka(kafka_bootstrap: str, namespace: str, mongo: Mongo) -> AsyncIterator[Kafka]:
    kafka = Kafka(kafka_bootstrap, namespace)
    await create_topics(kafka, [TOPIC])
    await ensure(mongo.db, [THINGS, LEASES])
    yield kafka


async def put(mongo: Mongo, name: str, number: int) -> None:
    document = {"number": number, "outbox": flag(name)}
    await mongo.db["things"].replace_one({"_id": name}, document, upsert=True)


async def flagged(mongo: Mongo) -> int:
    return await mongo.db["things"].count_documents({"outbox": {"$exists": True}})


async def told(kafka: Kafka, number: int) -> list[bytes]:
    """The first records of the topic."""
    consumer = AIOKafkaConsumer(kafka.name(TOPIC.name), bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        return [(await asyncio.wait_for(consumer.getone(), 10)).value or b"" for _ in range(number)]
    finally:
        await consumer.stop()


async def until(found: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool], seconds: float = 30) -> Any:
    async with asyncio.timeout(seconds):
        while not wanted(answer := await found()):  # noqa: ASYNC110 — the answer comes from MongoDB
            await asyncio.sleep(0.02)
    return answer


async def stop(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_all_are_told_and_the_flags_cleared(mongo: Mongo, kafka: Kafka) -> None:
    async with Publisher(kafka, ClearSealer()) as publisher:
        relay = OutboxRelay(mongo.db, ThingSource(), publisher, batch=10)
        for number in range(25):
            await put(mongo, f"thing-{number}", number)
        assert [await relay.turn() for _ in range(2)] == [5, 0]
        assert relay.published == 25
    assert await flagged(mongo) == 0
    assert await mongo.db["things"].count_documents({}) == 25
    assert len(await told(kafka, 25)) == 25


async def test_removed_when_sent(mongo: Mongo, kafka: Kafka) -> None:
    await put(mongo, "one", 1)
    async with Publisher(kafka, ClearSealer()) as publisher:
        await OutboxRelay(mongo.db, ThingSource(remove_when_sent=True), publisher).turn()
    assert await mongo.db["things"].count_documents({}) == 0


async def test_what_changes_while_it_is_published_is_told_again(mongo: Mongo, kafka: Kafka) -> None:
    class Slow(Publisher):
        changed = False

        async def publish(self, messages: Sequence[Outgoing]) -> None:
            await super().publish(messages)
            if not self.changed:
                self.changed = True
                await put(mongo, "one", 2)

    await put(mongo, "one", 1)
    publisher = Slow(kafka, ClearSealer())
    async with publisher:
        for remove in (False, True):
            publisher.changed = False
            relay = OutboxRelay(mongo.db, ThingSource(remove_when_sent=remove), publisher)
            await put(mongo, "one", 1)
            await relay.turn()
            assert await flagged(mongo) == 1, "the new flag stands"
            await relay.turn()
            assert await flagged(mongo) == 0
            await relay._leases.release()
    values = await told(kafka, 4)
    assert [b'"number":2' in value for value in values] == [False, True, False, True]


async def test_two_replicas_share_and_one_takes_over(mongo: Mongo, kafka: Kafka) -> None:
    publishers = [Publisher(kafka, ClearSealer()) for _ in range(2)]
    relays = [OutboxRelay(mongo.db, ThingSource(), publisher, poll_seconds=0.02) for publisher in publishers]
    tasks = [asyncio.create_task(relay.run()) for relay in relays]

    async def shares() -> list[int]:
        return [len(relay._leases.held) for relay in relays]

    async def published() -> int:
        return sum(relay.published for relay in relays)

    await until(shares, lambda s: s == [6, 6])
    for number in range(60):
        await put(mongo, f"thing-{number}", number)
    await until(published, lambda n: n == 60)
    assert await flagged(mongo) == 0
    assert all(relay.published for relay in relays)
    await stop(tasks[0])
    for number in range(60):
        await put(mongo, f"thing-{number}", number)
    await until(lambda: flagged(mongo), lambda n: n == 0)
    await stop(tasks[1])
    for publisher in publishers:
        await publisher.close()


async def test_it_waits_while_kafka_is_away(mongo: Mongo, kafka: Kafka) -> None:
    port = free_port()
    publisher = Publisher(Kafka(f"127.0.0.1:{port}", kafka.namespace), ClearSealer())
    relay = OutboxRelay(mongo.db, ThingSource(), publisher, poll_seconds=0.02)
    await put(mongo, "one", 1)
    task = asyncio.create_task(relay.run())
    await asyncio.sleep(1.5)
    assert not task.done()
    assert await flagged(mongo) == 1
    async with door(port, kafka.bootstrap):
        await until(lambda: flagged(mongo), lambda n: n == 0)
    await stop(task)
    await publisher.close()
    assert b'"number":1' in (await told(kafka, 1))[0]


async def test_a_wake_is_quicker_than_the_poll(mongo: Mongo, kafka: Kafka) -> None:
    async with Publisher(kafka, ClearSealer()) as publisher:
        relay = OutboxRelay(mongo.db, ThingSource(), publisher, poll_seconds=3600)
        task = asyncio.create_task(relay.run())

        async def held() -> int:
            return len(relay._leases.held)

        await until(held, lambda n: n == 12)
        await put(mongo, "one", 1)
        relay.wake()
        await until(lambda: flagged(mongo), lambda n: n == 0, seconds=10)
        await stop(task)


class door:  # noqa: N801 — reads as what it does
    """Lets connections through to the broker while it is open."""

    def __init__(self, port: int, target: str) -> None:
        self._port = port
        self._host, _, self._target = target.partition(":")
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> None:
        self._server = await asyncio.start_server(self._let_in, "127.0.0.1", self._port)

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await stop(*self._tasks)

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._host, int(self._target))
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.create_task(_carry(source, sink))
            self._tasks.add(task)


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    finally:
        sink.close()


@pytest.mark.parametrize(("held_off", "runs"), [(True, 1), (False, 2)])
async def test_who_holds_clearing_is_not_made_to_begin_anew(
    mongo: Mongo, kafka: Kafka, held_off: bool, runs: int
) -> None:
    things, begun = mongo.db["things"], 0
    await put(mongo, "one", 1)
    async with Publisher(kafka, ClearSealer()) as publisher:
        relay = OutboxRelay(mongo.db, ThingSource(), publisher)

        async def change(session: Any) -> None:
            nonlocal begun
            begun += 1
            await things.find_one({"_id": "one"}, session=session)
            turn = asyncio.create_task(relay.turn())
            turns.append(turn)
            await asyncio.wait([turn], timeout=2)
            assert turn.done() is not held_off
            await things.update_one({"_id": "one"}, {"$set": {"number": 2, "outbox": flag("one")}}, session=session)

        turns: list[asyncio.Task[int]] = []
        async with relay.clearing if held_off else asyncio.Lock():
            await in_transaction(mongo.client, change)
        await asyncio.gather(*turns)
    assert begun == runs
    assert await flagged(mongo) == 1, "the new flag stands"
