"""Messages out: encode, seal, send, wait for the broker's answer."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.partitioner import DefaultPartitioner

from events.envelope import Outgoing, encode
from events.kafka import MAX_RECORD_BYTES, Kafka, check_partitions, started_producer, stop_within
from events.sealing import KeyGone, Sealer

log = logging.getLogger(__name__)

Place = tuple[str, int]  # topic (with namespace), partition
KeyValue = tuple[bytes, bytes | None]
_AROUND = 100  # bytes of a record beside its key and value


class Publisher:
    """Publishes batches of messages through one idempotent producer.

    `async with Publisher(kafka, sealer)` starts and stops the producer. Kafka may be away at the start: the producer is
    then made at the first batch that can reach it.
    """

    def __init__(self, kafka: Kafka, sealer: Sealer) -> None:
        self._kafka = kafka
        self._sealer = sealer
        self._producer: Any | None = None
        self._checked: set[str] = set()

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Return when the broker has all of them (`acks=all`). On an error some may be out: publish them again.

        Raises `KeysAway`, and `PartitionsDiffer` before anything goes to a topic with another number of partitions.
        """
        if not messages:
            return
        messages, values = await self._encoded(messages)
        producer = await self._started()
        await self._check(messages)
        try:
            places = self._by_place(messages, values).items()
            results = await asyncio.gather(
                *(_send(producer, place, records) for place, records in places), return_exceptions=True
            )
        except BaseException:
            await self.close()
            raise
        failed = [result for result in results if isinstance(result, BaseException)]
        if failed:
            await self.close()
            raise failed[0]

    def _by_place(
        self, messages: Sequence[Outgoing], values: Sequence[bytes | None]
    ) -> defaultdict[Place, list[KeyValue]]:
        """The records of each partition, in their order; a key stays where Kafka's own partitioner puts it."""
        partitions, partition_of = list(range(self._kafka.partitions)), DefaultPartitioner()
        found: defaultdict[Place, list[KeyValue]] = defaultdict(list)
        for message, value in zip(messages, values, strict=True):
            key = message.record_key
            if len(key) + len(value or b"") > MAX_RECORD_BYTES - _AROUND:
                raise MessageSizeTooLargeError(f"a message of more than {MAX_RECORD_BYTES} bytes")
            place = (self._kafka.name(message.topic.name), partition_of(key, partitions, partitions))
            found[place].append((key, value))
        return found

    async def _encoded(self, messages: Sequence[Outgoing]) -> tuple[Sequence[Outgoing], list[bytes | None]]:
        """The messages and their values; what is about a learner forgotten meanwhile is left out."""
        try:
            return messages, await encode(messages, self._sealer)
        except KeyGone:
            pass
        left: list[Outgoing] = []
        values: list[bytes | None] = []
        for message in messages:
            try:
                values += await encode([message], self._sealer)
            except KeyGone:
                log.info("left out what is about someone forgotten", extra={"topic": message.topic.name})
            else:
                left.append(message)
        return left, values

    async def _started(self) -> Any:
        if self._producer is None:
            self._producer = await started_producer(self._kafka)
        return self._producer

    async def _check(self, messages: Sequence[Outgoing]) -> None:
        unchecked = {
            message.topic.name: message.topic for message in messages if message.topic.name not in self._checked
        }
        if unchecked:
            await check_partitions(self._kafka, unchecked.values())
            self._checked.update(unchecked)

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop_within(producer.stop())

    async def __aenter__(self) -> "Publisher":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _send(producer: Any, place: Place, records: Sequence[KeyValue]) -> None:
    """Put together by the batch: a producer that is given records one by one takes six times as long for each."""
    topic, partition = place
    sent = []
    batch = producer.create_batch()
    for key, value in records:
        if batch.append(timestamp=None, key=key, value=value) is None:
            sent.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(timestamp=None, key=key, value=value)
    batch.close()  # full or not, it need not linger
    sent.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*sent)
