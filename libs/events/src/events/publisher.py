"""Messages out: encode, seal, send, wait for the broker's answer."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from events.envelope import Outgoing, encode
from events.kafka import Kafka, check_partitions, started_producer, stop_within
from events.sealing import KeyGone, Sealer

log = logging.getLogger(__name__)


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
