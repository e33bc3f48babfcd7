"""With MongoDB away nothing is acknowledged."""

from __future__ import annotations

import httpx2
import pytest
from ingest.app import create
from service_kit.settings import ServiceSettings

from tests.integration.ingest.lrs import STATEMENTS, statement
from tests.support.ports import free_port


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
