"""Every message is counted once, whatever happens to the worker in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest
from events.consumer import Bounds, Move, Offsets, Partition, Rejected
from events.envelope import Message
from events.errors import NotReady, TooManyInvalid
from service_kit.positions import MongoPositions

from tests.integration.events.conftest import Counting, Ground, stop, until


async def test_once_each_though_the_worker_dies_in_the_middle_of_batches(ground: Ground) -> None:
    class Dying(Counting):
        """Says when it has written, before the transaction commits, and then hangs for a while."""

        def __init__(self, wrote: asyncio.Event) -> None:
            super().__init__(ground.db)
            self.wrote = wrote

        async def handle(self, messages: Sequence[Message], session: Any) -> None:
            await super().handle(messages, session)
            if len(self.seen) > 60:
                self.wrote.set()
                await asyncio.sleep(30)

    await ground.publish(range(400))
    for _ in range(3):
        wrote = asyncio.Event()
        task = asyncio.create_task(ground.consumer(Dying(wrote)).run())
        await asyncio.wait_for(wrote.wait(), 30)
        await stop(task)
    assert 0 < len(await ground.counted()) < 400
    task = asyncio.create_task(ground.consumer(Counting(ground.db)).run())
    counts = await until(ground.counted, lambda c: len(c) == 400)
    await stop(task)
    assert set(counts.values()) == {1}


async def test_two_workers_share_the_partitions(ground: Ground) -> None:
    first, second = Counting(ground.db), Counting(ground.db)
    await ground.publish(range(200))
    workers = [ground.consumer(first)]
    tasks = [asyncio.create_task(workers[0].run())]
    await until(ground.counted, lambda c: len(c) >= 50)
    workers.append(ground.consumer(second))
    tasks.append(asyncio.create_task(workers[1].run()))

    async def shares() -> list[int]:
        return [worker.progress.assigned for worker in workers]

    await until(shares, lambda s: s == [6, 6])
    await ground.publish(range(200, 400))
    counts = await until(ground.counted, lambda c: len(c) == 400)
    assert set(counts.values()) == {1}
    assert second.seen, "the second worker has counted its share"
    await stop(tasks[1])
    await until(shares, lambda s: s[0] == 12)
    await ground.publish(range(400, 450))
    counts = await until(ground.counted, lambda c: len(c) == 450)
    await stop(tasks[0])
    assert set(counts.values()) == {1}


async def test_a_zombie_changes_nothing(ground: Ground) -> None:
    """Another worker moves the partition on while this one still decodes its batch."""

    class Overtaken(MongoPositions):
        overtaken = False

        async def transact(
            self, group: str, moves: Mapping[Partition, Move], body: Callable[[Any], Awaitable[None]]
        ) -> None:
            if not self.overtaken:
                self.overtaken = True
                [(topic, partition)] = moves
                ours = {"_id": f"{group}/{topic}/{partition}"}
                await ground.db["positions"].update_one(ours, {"$inc": {"next": 5}})
            await super().transact(group, moves, body)

    await ground.publish(range(10), keys=1)
    consumer = ground.consumer(Counting(ground.db))
    consumer._positions = Overtaken(ground.client, ground.db)
    task = asyncio.create_task(consumer.run())
    counts = await until(ground.counted, lambda c: 9 in c)
    await stop(task)
    assert counts == dict.fromkeys(range(5, 10), 1), "the first five are the other worker's"


async def test_poison_goes_to_the_dead_letters_with_its_reason(ground: Ground) -> None:
    wrong_type = b'{"id":"1","type":"test.things.v1","tenant":"demo","occurred_at":"2026-01-01T00:00:00Z","data":{}}'
    await ground.raw(b"not json", wrong_type, wrong_type.replace(b'"demo"', b'"other"'))
    await ground.raw(b"{}", key=None)
    await ground.publish([1])
    handler = Counting(ground.db)
    consumer = ground.consumer(handler)
    task = asyncio.create_task(consumer.run())
    await until(ground.counted, lambda c: c == {1: 1})
    letters = await ground.dead(4)
    await stop(task)
    reasons = {letter.value: dict(letter.headers)["reason"].decode() for letter in letters}
    assert reasons[b"not json"] == "the value is not a JSON envelope"
    assert reasons[wrong_type] == "/number: Field required"
    assert "tenant of the envelope" in reasons[wrong_type.replace(b'"demo"', b'"other"')]
    assert reasons[b"{}"] == "the record has no key"
    assert dict(letters[0].headers)["group"] == b"tests.count"
    assert consumer.progress.dead == 4


async def test_a_rejected_message_takes_no_other_with_it(ground: Ground) -> None:
    class Choosy(Counting):
        async def handle(self, messages: Sequence[Message], session: Any) -> None:
            await super().handle(messages, session)
            odd = [(m, "odd") for m in messages if m.payload.number == 13]
            if odd:
                raise Rejected(odd)

    await ground.publish(range(30))
    task = asyncio.create_task(ground.consumer(Choosy(ground.db)).run())
    counts = await until(ground.counted, lambda c: len(c) == 29)
    [letter] = await ground.dead(1)
    await stop(task)
    assert 13 not in counts
    assert set(counts.values()) == {1}
    assert dict(letter.headers)["reason"] == b"odd"


async def test_too_many_invalid_messages_stop_the_worker(ground: Ground) -> None:
    await ground.publish([1])
    await ground.raw(*[b"?"] * 12)
    consumer = ground.consumer(Counting(ground.db), bounds=Bounds(run=5))
    with pytest.raises(TooManyInvalid, match="not a JSON envelope"):
        await asyncio.wait_for(consumer.run(), 30)
    assert consumer.progress.dead == 0, "nothing is poured away: the position stays before them"


async def test_scattered_invalid_messages_do_not(ground: Ground) -> None:
    for number in range(8):
        await ground.raw(b"?", key=b"demo/learner-0")
        await ground.publish([number], keys=1)
    consumer = ground.consumer(Counting(ground.db), bounds=Bounds(run=5))
    task = asyncio.create_task(consumer.run())
    await until(ground.counted, lambda c: len(c) == 8)
    await stop(task)


async def test_what_is_not_ready_is_waited_for(ground: Ground) -> None:
    class Waiting(Counting):
        ready = False

        async def handle(self, messages: Sequence[Message], session: Any) -> None:
            if not self.ready:
                raise NotReady("no policy")
            await super().handle(messages, session)

    handler = Waiting(ground.db)
    consumer = ground.consumer(handler)
    await ground.publish(range(5))
    task = asyncio.create_task(consumer.run())

    async def waiting() -> str | None:
        return consumer.progress.waiting_for

    assert await until(waiting, bool) == "no policy"
    assert await ground.counted() == {}
    handler.ready = True
    counts = await until(ground.counted, lambda c: len(c) == 5)
    await stop(task)
    assert set(counts.values()) == {1}
    assert consumer.progress.waiting_for is None
    assert handler.commits >= 1


async def test_a_waiting_worker_gives_its_partitions_away(ground: Ground) -> None:
    class NeverReady(Counting):
        async def handle(self, messages: Sequence[Message], session: Any) -> None:
            raise NotReady("never")

    await ground.publish(range(100))
    stuck = ground.consumer(NeverReady(ground.db))
    tasks = [asyncio.create_task(stuck.run())]

    async def waiting() -> str | None:
        return stuck.progress.waiting_for

    await until(waiting, bool)
    other = ground.consumer(Counting(ground.db))
    tasks.append(asyncio.create_task(other.run()))

    async def share() -> int:
        return other.progress.assigned

    await until(share, lambda s: s == 6)
    await stop(tasks[0])
    counts = await until(ground.counted, lambda c: len(c) == 100)
    await stop(tasks[1])
    assert set(counts.values()) == {1}


async def test_a_tombstone_is_a_message_without_payload(ground: Ground) -> None:
    await ground.raw(None, key=b"demo/learner-1")
    handler = Counting(ground.db)
    task = asyncio.create_task(ground.consumer(handler).run())

    async def seen() -> list[Message]:
        return handler.seen

    [message] = await until(seen, bool)
    await stop(task)
    assert (message.tenant, message.subject, message.payload) == ("demo", "learner-1", None)


async def test_a_failure_while_joining_ends_the_run(ground: Ground) -> None:
    consumer = ground.consumer(Counting(ground.db))

    async def load(group: str, partitions: Mapping[Partition, Offsets]) -> dict[Partition, int]:
        raise RuntimeError("a fault of ours")

    consumer._positions.load = load  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="a fault of ours"):
        await asyncio.wait_for(consumer.run(), 30)


async def test_positions_past_the_end_lose_nothing(ground: Ground) -> None:
    """Kafka's data were wiped and MongoDB's were not."""
    task = asyncio.create_task(ground.consumer(Counting(ground.db)).run())
    await ground.publish(range(20))
    await until(ground.counted, lambda c: len(c) == 20)
    await stop(task)
    await ground.db["positions"].update_many({}, {"$set": {"next": 1_000_000}})
    await ground.publish(range(20, 40))
    task = asyncio.create_task(ground.consumer(Counting(ground.db)).run())
    await until(ground.counted, lambda c: len(c) == 40)
    await stop(task)


async def test_lag_is_measured_and_reported(ground: Ground) -> None:
    await ground.publish(range(30), keys=1)
    consumer = ground.consumer(Counting(ground.db))
    task = asyncio.create_task(consumer.run())
    await until(ground.counted, lambda c: len(c) == 30)

    async def lag() -> int:
        return sum(consumer.progress.lag.values()) if consumer.progress.lag else -1

    assert await until(lag, lambda n: n == 0) == 0
    await stop(task)
