"""What is published arrives: whole, in the order of each key, where Kafka's own partitioner puts the key."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.partitioner import DefaultPartitioner
from events.envelope import Outgoing
from events.kafka import MAX_RECORD_BYTES, Kafka
from events.publisher import Publisher
from events.sealing import ClearSealer

from tests.integration.events.conftest import THINGS, Ground

KEYS = 30


def of_size(number: int, length: int) -> Outgoing:
    payload = {"number": number, "text": "x" * length}
    return Outgoing(THINGS, str(number), "demo", f"learner-{number % KEYS}", datetime.now(UTC), payload)


async def published(kafka: Kafka, count: int) -> list[tuple[int, bytes, int]]:
    """Partition, key and number of the first so many records."""
    name = kafka.name(THINGS.name)
    async with AIOKafkaConsumer(name, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest") as reader:
        found = [await reader.getone() for _ in range(count)]
    return [(one.partition, one.key, orjson.loads(one.value)["data"]["number"]) for one in found]


async def test_more_than_a_batch_holds_arrives_in_the_order_of_each_key(ground: Ground) -> None:
    sizes = [20_000] * 400
    sizes[7] = 3_000_000  # more than a batch by itself, in the midst of others
    async with Publisher(ground.kafka, ClearSealer()) as publisher:
        await publisher.publish([of_size(number, length) for number, length in enumerate(sizes)])
    numbers: defaultdict[bytes, list[int]] = defaultdict(list)
    places = list(range(ground.kafka.partitions))
    for partition, key, number in await published(ground.kafka, len(sizes)):
        numbers[key].append(number)
        assert partition == DefaultPartitioner()(key, places, places)
    assert len(numbers) == KEYS
    assert sorted(n for found in numbers.values() for n in found) == list(range(len(sizes)))
    assert all(found == sorted(found) for found in numbers.values())


async def test_what_is_too_large_is_refused_before_anything_goes_out(ground: Ground) -> None:
    async with Publisher(ground.kafka, ClearSealer()) as publisher:
        with pytest.raises(MessageSizeTooLargeError):
            await publisher.publish([of_size(1, 10), of_size(2, MAX_RECORD_BYTES)])
        async with AIOKafkaConsumer(bootstrap_servers=ground.kafka.bootstrap) as reader:
            name = ground.kafka.name(THINGS.name)
            ends = await reader.end_offsets([TopicPartition(name, n) for n in range(ground.kafka.partitions)])
        assert set(ends.values()) == {0}
        await publisher.publish([of_size(3, 10)])
    assert [number for _, _, number in await published(ground.kafka, 1)] == [3]
