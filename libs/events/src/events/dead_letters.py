"""Where messages go that cannot be handled: `<topic>.dlq`, with the reason in the headers and the record untouched."""

from collections.abc import Sequence
from typing import Any

from events.envelope import Record
from events.kafka import Kafka, started_producer, stop_within


class DeadLetters:
    """Writes dead letters; made at the first one. The record stays as it was, so that it can be replayed."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._producer: Any | None = None

    async def bury(self, group: str, invalid: Sequence[tuple[Record, str]]) -> None:
        """Return when the broker has them all."""
        producer = await self._started()
        try:
            for record, reason in invalid:
                await producer.send_and_wait(
                    self._kafka.name(record.topic.dead_letters),
                    value=record.value,
                    key=record.key,
                    headers=[
                        ("reason", reason.encode()),
                        ("group", group.encode()),
                        ("source", f"{record.topic.name}/{record.partition}/{record.offset}".encode()),
                    ],
                )
        except BaseException:
            await self.close()
            raise

    async def _started(self) -> Any:
        if self._producer is None:
            self._producer = await started_producer(self._kafka)
        return self._producer

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop_within(producer.stop())
