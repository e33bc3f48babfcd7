"""Another number of partitions, chosen before the first `init`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from events import topics
from events.envelope import Outgoing
from events.errors import PartitionsDiffer
from events.kafka import Kafka, check_partitions, create_topics
from events.publisher import Publisher
from events.sealing import ClearSealer


async def test_topics_are_made_with_the_number_that_was_set(kafka_bootstrap: str, namespace: str) -> None:
    kafka = Kafka(kafka_bootstrap, namespace, partitions=5)
    await create_topics(kafka, [topics.PROFILES])
    await check_partitions(kafka, [topics.PROFILES])
    with pytest.raises(PartitionsDiffer, match=r"has 5 partitions, the contract says 12 \(TRELLIS_TOPIC_PARTITIONS\)"):
        await check_partitions(Kafka(kafka_bootstrap, namespace), [topics.PROFILES])


async def test_nothing_is_published_to_another_number(kafka_bootstrap: str, namespace: str) -> None:
    await create_topics(Kafka(kafka_bootstrap, namespace, partitions=5), [topics.PROFILES])
    tombstone = Outgoing(topics.PROFILES, "1", "demo", "learner", datetime.now(UTC), None)
    async with Publisher(Kafka(kafka_bootstrap, namespace), ClearSealer()) as publisher:
        with pytest.raises(PartitionsDiffer):
            await publisher.publish([tombstone])
    async with AIOKafkaConsumer(bootstrap_servers=kafka_bootstrap) as reader:
        places = [TopicPartition(f"{namespace}{topics.PROFILES.name}", number) for number in range(5)]
        assert set((await reader.end_offsets(places)).values()) == {0}
