"""Clients of Kafka as this house sets them, and the creation of topics."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.helpers import create_ssl_context

from events.errors import PartitionsDiffer
from events.topics import PARTITIONS, Topic

MAX_RECORD_BYTES: Final = 16 * 1024 * 1024  # a request body of 8 MiB in its envelope, with room
GATHERED_BYTES: Final = 256 * 1024
DAY_MS: Final = 86_400_000
APPEAR_TURNS: Final = 40
STOP_SECONDS: Final = 5.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kafka:
    """Where Kafka is. `namespace` prefixes topics and groups where several installations share a cluster.

    `partitions` is fixed for the life of an installation: keys stay where they are. With a `user` the connection is
    encrypted and authenticated (SASL_SSL, SCRAM-SHA-512); `ca_file` holds the certificates of whoever signs brokers.
    """

    bootstrap: str
    namespace: str = ""
    replication: int = 1
    partitions: int = PARTITIONS
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""

    def name(self, topic: str) -> str:
        return f"{self.namespace}{topic}"

    def security(self) -> dict[str, Any]:
        """What every client is given besides the address."""
        if not self.user:
            return {}
        return {
            "security_protocol": "SASL_SSL",
            "ssl_context": create_ssl_context(cafile=self.ca_file or None),
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password,
        }


async def started_producer(kafka: Kafka) -> Any:
    """A producer that has reached the broker."""
    producer = new_producer(kafka)
    try:
        await producer.start()
    except BaseException:
        await stop_within(producer.stop())
        raise
    return producer


def new_producer(kafka: Kafka) -> Any:
    """An idempotent producer, `acks=all`. Start it inside the event loop."""
    return AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap,
        **kafka.security(),
        enable_idempotence=True,
        acks="all",
        linger_ms=2,
        max_batch_size=256 * 1024,
        max_request_size=MAX_RECORD_BYTES,
        request_timeout_ms=30_000,
    )


def new_consumer(kafka: Kafka, group: str, gather_ms: int | None = None) -> Any:
    """A consumer that commits nothing by itself and starts where nothing is known at the earliest record.

    The broker answers at the first record, or, with `gather_ms`, when it has gathered records for so long: under load
    many records then share a fetch and a transaction, where they would else come one by one.
    """
    return AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap,
        **kafka.security(),
        group_id=kafka.name(group),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        fetch_min_bytes=GATHERED_BYTES if gather_ms else 1,
        fetch_max_wait_ms=gather_ms or 500,
        max_poll_interval_ms=DAY_MS,  # a paused worker waits; its liveness is watched apart
        session_timeout_ms=6_000,
        heartbeat_interval_ms=1_500,
        metadata_max_age_ms=30_000,
    )


async def create_topics(kafka: Kafka, topics: Iterable[Topic]) -> None:
    """Create the topics with their dead letters; repeatable. Raises `PartitionsDiffer`."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap, **kafka.security())
    await admin.start()
    try:
        wanted = [new for topic in topics for new in _new_topics(kafka, topic)]
        response = await admin.create_topics(wanted)
        for name, code, *_ in response.topic_errors:
            if code and for_code(code) is not TopicAlreadyExistsError:
                raise for_code(code)(name)
        await check_partitions(kafka, topics, admin)
    finally:
        await admin.close()


async def check_partitions(kafka: Kafka, topics: Iterable[Topic], admin: Any | None = None) -> None:
    """Raise `PartitionsDiffer` where a topic has another number of partitions than was set, or does not appear.

    A topic just made takes a moment to appear in the broker's metadata: it is waited for.
    """
    client = admin or AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap, **kafka.security())
    if admin is None:
        await client.start()
    try:
        names = [kafka.name(topic.name) for topic in topics]
        for turn in range(1, APPEAR_TURNS + 1):
            counts = {found["topic"]: len(found["partitions"]) for found in await client.describe_topics(names)}
            if all(counts.values()) or turn == APPEAR_TURNS:
                break
            await asyncio.sleep(0.25)
    finally:
        if admin is None:
            await client.close()
    for name, count in counts.items():
        if count == 0:
            raise PartitionsDiffer(f"topic {name} is missing: `python -m <service> init` of its owner creates it")
        if count != kafka.partitions:
            raise PartitionsDiffer(
                f"topic {name} has {count} partitions, the contract says {kafka.partitions} "
                "(TRELLIS_TOPIC_PARTITIONS): set it as it was at the first init, "
                "or delete the topic where it is empty, else move to a new topic version"
            )


async def stop_within(stopping: Coroutine[Any, Any, None], seconds: float = STOP_SECONDS) -> None:
    """Stop a client; where the broker is away do not wait for it. What was not sent is sent again by its outbox."""
    try:
        async with asyncio.timeout(seconds):
            await stopping
    except (TimeoutError, KafkaError):
        log.info("a client was stopped without the broker's answer")


def topic_config(topic: Topic) -> dict[str, str]:
    """The broker's settings for the topic."""
    config = {"max.message.bytes": str(MAX_RECORD_BYTES)}
    if topic.compacted:
        compact = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1"}
        return config | compact | {"delete.retention.ms": str(DAY_MS)}
    return config | {"retention.ms": str(topic.retention_days * DAY_MS)}


def _new_topics(kafka: Kafka, topic: Topic) -> list[NewTopic]:
    dead = {"retention.ms": str(30 * DAY_MS), "max.message.bytes": str(MAX_RECORD_BYTES)}
    return [
        NewTopic(kafka.name(topic.name), kafka.partitions, kafka.replication, topic_configs=topic_config(topic)),
        NewTopic(kafka.name(topic.dead_letters), 1, kafka.replication, topic_configs=dead),
    ]
