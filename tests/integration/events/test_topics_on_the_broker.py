"""Topics as `init` makes them."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from events import topics
from events.errors import PartitionsDiffer
from events.kafka import Kafka, check_partitions, create_topics


async def partitions(kafka: Kafka) -> dict[str, int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        names = [name for name in await admin.list_topics() if name.startswith(kafka.namespace)]
        return {t["topic"]: len(t["partitions"]) for t in await admin.describe_topics(names)}
    finally:
        await admin.close()


async def test_created_once_by_many_and_again(kafka_bootstrap: str, namespace: str) -> None:
    kafka = Kafka(kafka_bootstrap, namespace)
    mine = topics.of_service("privacy")
    await asyncio.gather(*(create_topics(kafka, mine) for _ in range(3)))
    await create_topics(kafka, mine)
    names = {kafka.name(t.name): 12 for t in mine} | {kafka.name(t.dead_letters): 1 for t in mine}
    assert await partitions(kafka) == names


async def test_another_number_of_partitions_is_refused(kafka_bootstrap: str, namespace: str) -> None:
    kafka = Kafka(kafka_bootstrap, namespace)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(kafka.name(topics.PROFILES.name), 3, 1)])
    await admin.close()
    with pytest.raises(PartitionsDiffer, match="has 3 partitions, the contract says 12"):
        await create_topics(kafka, [topics.PROFILES])
    with pytest.raises(PartitionsDiffer):
        await check_partitions(kafka, [topics.PROFILES])


async def test_a_missing_topic_names_the_way_out(
    kafka_bootstrap: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.kafka.APPEAR_TURNS", 2)
    with pytest.raises(PartitionsDiffer, match="init"):
        await check_partitions(Kafka(kafka_bootstrap, namespace), [topics.CONSENTS])
