"""Remove what a test left in the shared MongoDB and Kafka."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from pymongo import MongoClient


def drop_databases(url: str, prefix: str) -> None:
    """Drop every database whose name begins so."""
    with MongoClient[dict[str, Any]](url) as client:
        for name in client.list_database_names():
            if name.startswith(prefix):
                client.drop_database(name)


def delete_topics(bootstrap: str, prefix: str) -> None:
    """Delete every topic whose name begins so."""
    # In a thread of its own: the test's event loop is not ours to use.
    worker = threading.Thread(target=lambda: asyncio.run(_delete_topics(bootstrap, prefix)))
    worker.start()
    worker.join()


async def _delete_topics(bootstrap: str, prefix: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        mine = [name for name in await admin.list_topics() if name.startswith(prefix)]
        if mine:
            await admin.delete_topics(mine)
    finally:
        await admin.close()
