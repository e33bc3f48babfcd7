"""Heartbeats: on every partition under one key, and never younger than what waits for the broker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from events import heartbeats
from events.kafka import Kafka, new_consumer
from privacy.consents.decisions import Dossier
from privacy.consents.repository import Consents
from privacy.heartbeats.beating import Heart
from privacy.service import SERVICE
from service_kit.mongo import in_transaction
from service_kit.runtime import connections
from service_kit.settings import ServiceSettings

from tests.integration.privacy.conftest import twin, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_every_partition_is_confirmed_in_a_service(settings: ServiceSettings) -> None:
    await SERVICE.init(settings)
    started = datetime.now(UTC)
    async with connections("privacy", settings) as c, connections("ingest", settings) as listening:
        heart = Heart(c)
        await heart.beat()
        await heart.close()

        async def confirmed() -> list[datetime]:
            return [one["at"] async for one in listening.db["confirmations"].find({})]

        async with twin("ingest", settings):
            found = await until(confirmed, lambda times: len(times) == 2 * c.kafka.partitions)
        assert all(started - timedelta(seconds=1) < at < datetime.now(UTC) for at in found)
        keys = await _keys(c.kafka.name(heartbeats.TOPICS[1].name), c.kafka)
        assert keys == {heartbeats.KEY}


async def test_what_waits_for_the_broker_holds_the_time_back(settings: ServiceSettings) -> None:
    async with connections("privacy", settings) as c:
        heart, decided = Heart(c), datetime.now(UTC)
        put = Consents(c.db).put
        await in_transaction(c.client, lambda s: put("t", str(uuid4()), Dossier(version=1), decided, s))
        flagged = await c.db["consents"].find_one({"outbox.token": {"$exists": True}})
        assert flagged is not None
        late = await heart.all_sent_until()
        assert decided - timedelta(milliseconds=2) <= late < datetime.now(UTC)
        assert await heart.all_sent_until() == late, "it does not move while the change waits"
        await c.db["consents"].delete_one({"_id": flagged["_id"]})
        assert await heart.all_sent_until() > late


async def _keys(topic: str, kafka: Kafka) -> set[bytes | None]:
    consumer = new_consumer(kafka, f"heartbeats-{uuid4()}")
    await consumer.start()
    try:
        consumer.subscribe([topic])
        found: set[bytes | None] = set()
        for _ in range(20):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found |= {record.key for record in records}
            if found:
                return found
        return found
    finally:
        await consumer.stop()
