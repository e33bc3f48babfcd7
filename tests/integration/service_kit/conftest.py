"""A database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from service_kit.mongo import Client, Database, connect, database
from service_kit.settings import MongoSettings


@dataclass
class Mongo:
    client: Client
    db: Database


@pytest.fixture
def mongo_settings(mongodb_url: str, namespace: str) -> Iterator[MongoSettings]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRELLIS_MONGODB_URL", mongodb_url)
        patch.setenv("TRELLIS_NAMESPACE", namespace)
        yield MongoSettings()


@pytest_asyncio.fixture
async def mongo(mongo_settings: MongoSettings) -> AsyncIterator[Mongo]:
    client = connect(mongo_settings)
    yield Mongo(client, database(client, mongo_settings, "kit"))
    await client.close()
