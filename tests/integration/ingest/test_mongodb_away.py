"""With MongoDB away or frozen nothing is acknowledged."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from devstack.mongo import MongoServer
from ingest.app import create
from service_kit.settings import ServiceSettings

from tests.integration.ingest.lrs import STATEMENTS, running, statement
from tests.support.ports import free_port
from tests.support.tokens import Tokens


async def test_is_answered_with_503(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = f"mongodb://127.0.0.1:{free_port()}/?replicaSet=rs0&serverSelectionTimeoutMS=200"
    monkeypatch.setenv("TRELLIS_MONGODB_URL", nobody)
    app = create(ServiceSettings())
    headers = {"X-Experience-API-Version": "1.0.3", "Authorization": "Basic a2V5OnNlY3JldA=="}
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://ingest.test", timeout=30) as http,
    ):
        answer = await http.post(STATEMENTS, json=statement(), headers=headers)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0


@pytest.fixture
def own_mongo(tmp_path: Path) -> Iterator[MongoServer]:
    server = MongoServer(tmp_path / "mongo")
    server.start()
    server.wait()
    yield server
    server.stop()


@pytest.mark.long
async def test_frozen_is_503_within_a_minute(
    own_mongo: MongoServer, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writes are given up after 10 seconds, reads when the driver misses its heartbeat."""
    monkeypatch.setenv("TRELLIS_MONGODB_URL", own_mongo.url)
    monkeypatch.setenv("TRELLIS_NAMESPACE", "frozen-")
    for name, value in tokens.settings.items():
        monkeypatch.setenv(name, value)
    child = own_mongo.child
    assert child is not None
    async with running(tokens) as lrs:
        sent, known = [statement(), statement()], statement()
        assert (await lrs.post(known)).status_code == 200
        child.signal(signal.SIGSTOP)
        try:
            asked = time.monotonic()
            answers = await asyncio.gather(lrs.post(sent), lrs.post(known), lrs.get(), lrs.get(statementId=known["id"]))
            assert time.monotonic() - asked < 60
        finally:
            child.signal(signal.SIGCONT)
        for answer in answers:
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
        deadline = time.monotonic() + 60
        while (await lrs.post(sent)).status_code != 200:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)
        assert await lrs.stored() == 3
