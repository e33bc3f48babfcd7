"""A heartbeat to every partition of the topics of policies and decisions, every half a minute."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from events import heartbeats
from events.kafka import check_partitions, started_producer, stop_within
from service_kit.clock import Clock
from service_kit.mongo import ASCENDING, Collection
from service_kit.outbox import SHARDS
from service_kit.runtime import Connections
from service_kit.turning import Turning

from privacy.consents.repository import CONSENTS
from privacy.policies.repository import POLICIES

EVERY_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 5.0


class Heart:
    """The worker's job. A heartbeat's time is that of the oldest change which still waits for the broker, if one does:
    nobody is told that there is nothing new while there is.
    """

    def __init__(self, c: Connections, *, every_seconds: float = EVERY_SECONDS) -> None:
        self._kafka = c.kafka
        self._clock: Clock = c.clock
        self._outboxes: list[Collection] = [c.db[POLICIES.name], c.db[CONSENTS.name]]
        self._producer: Any | None = None
        self._every_seconds = every_seconds
        self._beat_at = float("-inf")
        self._turning = Turning("heartbeat", self._turn, rest_seconds=min(LOOK_SECONDS, every_seconds))
        self.check = self._turning.check

    async def run(self) -> None:
        """Beat until cancelled."""
        try:
            await self._turning.run()
        finally:
            await self.close()

    async def beat(self) -> None:
        """One heartbeat on every partition; returns with the broker's answers."""
        at = await self.all_sent_until()
        try:
            producer = await self._started()
            sent = [
                await producer.send(
                    self._kafka.name(topic.name), heartbeats.value(topic, at), heartbeats.KEY, partition=partition
                )
                for topic in heartbeats.TOPICS
                for partition in range(self._kafka.partitions)
            ]
            await asyncio.gather(*sent)
        except BaseException:
            await self.close()
            raise

    async def _started(self) -> Any:
        if self._producer is None:
            await check_partitions(self._kafka, heartbeats.TOPICS)
            self._producer = await started_producer(self._kafka)
        return self._producer

    async def _turn(self) -> bool:
        """A beat that fails is tried again at the next look."""
        if time.monotonic() >= self._beat_at:
            await self.beat()
            self._beat_at = time.monotonic() + self._every_seconds
        return False

    async def all_sent_until(self) -> datetime:
        """Before this everything decided is with the broker."""
        times = [self._clock()]
        flagged = {"outbox.token": {"$exists": True}, "outbox.shard": {"$in": list(range(SHARDS))}}
        for outbox in self._outboxes:
            waiting = outbox.find(flagged, {"outbox": 1})
            oldest = await waiting.sort("outbox.token", ASCENDING).limit(1).to_list(None)
            times += [_flagged_at(document["outbox"]["token"]) for document in oldest]
        return min(times)

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop_within(producer.stop())


def _flagged_at(token: str) -> datetime:
    """The first 48 bits of a UUIDv7 are its milliseconds (RFC 9562, 5.7)."""
    return datetime.fromtimestamp((UUID(token).int >> 80) / 1000, UTC)
