"""Messages out: encode, seal, send, wait for the broker's answer."""

import asyncio
from collections.abc import Sequence
from typing import Any

from events.envelope import Outgoing, encode
from events.kafka import Kafka, check_partitions, started_producer, stop_within
from events.sealing import Sealer


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

        Raises `PartitionsDiffer` before anything goes to a topic with another number of partitions.
        """
        if not messages:
            return
        values = await encode(messages, self._sealer)
        producer = await self._started()
        await self._check(messages)
        try:
            pending = [
                await producer.send(self._kafka.name(message.topic.name), value=value, key=message.record_key)
                for message, value in zip(messages, values, strict=True)
            ]
            results = await asyncio.gather(*pending, return_exceptions=True)
        except BaseException:
            await self.close()
            raise
        failed = [result for result in results if isinstance(result, BaseException)]
        if failed:
            await self.close()
            raise failed[0]

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
