"""The fixtures that every other integration test stands on."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from fastapi import FastAPI
from pymongo import AsyncMongoClient

from tests.support import cleanup
from tests.support.serving import serve


async def test_mongodb_takes_transactions(mongodb_url: str, namespace: str) -> None:
    async with AsyncMongoClient[dict[str, Any]](mongodb_url) as client:
        things = client[f"{namespace}devstack"].things
        async with client.start_session() as session, await session.start_transaction():
            await things.insert_one({"_id": 1}, session=session)
        assert await things.count_documents({}) == 1


async def test_kafka_takes_idempotent_records_and_gives_them_to_a_group(kafka_bootstrap: str, namespace: str) -> None:
    topic = f"{namespace}things"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, num_partitions=12, replication_factor=1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, enable_idempotence=True, acks="all") as producer:
        await producer.send_and_wait(topic, b"value", key=b"key")
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka_bootstrap, group_id=f"{namespace}readers", auto_offset_reset="earliest"
    )
    async with consumer:
        record = await asyncio.wait_for(consumer.getone(), 30)
        await consumer.commit()
    assert (record.key, record.value) == (b"key", b"value")


async def test_what_carries_the_namespace_is_removed(mongodb_url: str, kafka_bootstrap: str) -> None:
    async with AsyncMongoClient[dict[str, Any]](mongodb_url) as client:
        await client["t-gone-devstack"].things.insert_one({})
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic("t-gone-things", num_partitions=1, replication_factor=1)])
        cleanup.drop_databases(mongodb_url, "t-gone-")
        cleanup.delete_topics(kafka_bootstrap, "t-gone-")
        assert "t-gone-devstack" not in await client.list_database_names()
        assert "t-gone-things" not in await admin.list_topics()
        await admin.close()


async def test_serve_answers_over_http_and_runs_the_lifespan() -> None:
    app = FastAPI()

    @app.get("/ping")
    async def ping() -> str:
        return "pong"

    async with serve(app) as url, httpx2.AsyncClient() as client:
        assert (await client.get(f"{url}/ping")).json() == "pong"
    async with httpx2.AsyncClient() as client:
        with pytest.raises(httpx2.ConnectError):
            await client.get(f"{url}/ping")
