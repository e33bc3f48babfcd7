"""A privacy service with a key file, and other services' keys beside it, on a real MongoDB."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from privacy.service import SERVICE as PRIVACY
from service_kit.keys import held
from service_kit.keys.making import Keys
from service_kit.leases import LEASES
from service_kit.mongo import ensure
from service_kit.positions import POSITIONS
from service_kit.runtime import Connections, connections
from service_kit.settings import ServiceSettings

from tests.support.serving import serve
from tests.support.tokens import Tokens


@dataclass
class KeyHouse:
    """The privacy service at `url`; `service` makes the connections of another."""

    url: str
    privacy: FastAPI
    key_file: Path
    tokens: Tokens
    http: httpx2.AsyncClient
    stack: AsyncExitStack

    async def service(self, name: str = "ingest") -> Connections:
        return await self.stack.enter_async_context(prepared(name))

    async def ask(
        self, what: str, body: object, *, role: str = "service", tenant: str = "*", service: str = "ingest"
    ) -> httpx2.Response:
        headers = self.tokens.headers(role, tenant=tenant, service=service)
        return await self.http.post(f"/keys/{what}", json=body, headers=headers)


@asynccontextmanager
async def prepared(name: str) -> AsyncIterator[Connections]:
    async with connections(name, ServiceSettings()) as c:
        await ensure(c.db, [POSITIONS, LEASES, *held.COLLECTIONS])
        yield c


def keys_of(c: Connections) -> Keys:
    assert c.keys is not None
    return c.keys


@pytest.fixture
def environment(
    mongodb_url: str,
    kafka_bootstrap: str,
    module_namespace: str,
    tokens: Tokens,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> pytest.MonkeyPatch:
    settings = {
        "TRELLIS_MONGODB_URL": mongodb_url,
        "TRELLIS_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "TRELLIS_NAMESPACE": module_namespace,
        "TRELLIS_KEY_PROVIDER": "file",
        "TRELLIS_KEY_FILE": str(tmp_path_factory.getbasetemp() / f"{module_namespace}keys.json"),
        "TRELLIS_SERVICE_TOKEN": tokens.make("service", tenant="*", service="ingest"),
        **tokens.settings,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
async def keys(environment: pytest.MonkeyPatch, tokens: Tokens) -> AsyncIterator[KeyHouse]:
    settings = ServiceSettings()
    async with connections("privacy", settings, PRIVACY.directory) as c:
        await ensure(c.db, [POSITIONS, LEASES, *held.COLLECTIONS, *PRIVACY.collections])
    app = PRIVACY.app(settings)
    async with serve(app) as url, httpx2.AsyncClient(base_url=url) as http, AsyncExitStack() as stack:
        environment.setenv("TRELLIS_PRIVACY_URL", url)
        yield KeyHouse(url, app, Path(settings.keys.key_file), tokens, http, stack)


@pytest.fixture
def tenant() -> str:
    return f"t{secrets.token_hex(4)}"
