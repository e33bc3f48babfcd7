"""POST /tenants/{id}/close: export, wait, erase everyone, one certificate."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2
import jwt
import pytest
import pytest_asyncio
from fastapi import APIRouter, FastAPI
from jwt.api_jws import PyJWS
from privacy.closing.closing import ClosingTenants
from privacy.consents.decisions import ENFORCERS
from privacy.state import State
from service_kit.app import create_app
from service_kit.peers import Peers
from service_kit.runtime import Connections, connections
from service_kit.settings import PeerSettings, ServiceSettings
from service_kit.subjects import Item, Record, router

from tests.integration.privacy.conftest import Caller, policy
from tests.integration.privacy.test_privacy_certificates import everyone_answered
from tests.support.serving import serve

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Neighbours:
    """Ingest knows the learners; all four give a line about each."""

    learners: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    urls: dict[str, str] = field(default_factory=dict)

    def app(self, service: str, settings: ServiceSettings) -> FastAPI:
        async def items(tenant: str, learner: str) -> AsyncIterator[Item]:
            yield Record.of("rows", {"of": learner})

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            yield

        routers = [router(lambda _: items), self._leaving()]
        return create_app(title=service, description="", settings=settings, lifespan=lifespan, routers=routers)

    def _leaving(self) -> APIRouter:
        made = APIRouter(prefix="/subjects")

        @made.get("")
        async def learners(after: str = "", limit: int = 100) -> dict[str, Any]:
            return {"items": [one for one in sorted(self.learners) if one > after][:limit]}

        @made.post("/{what}", status_code=204)
        async def tenant(what: str) -> None:
            self.calls.append(what)

        return made


@pytest_asyncio.fixture(loop_scope="module")
async def neighbours(settings: ServiceSettings) -> AsyncIterator[Neighbours]:
    made = Neighbours([str(uuid4()) for _ in range(3)])
    async with AsyncExitStack() as stack:
        for service in ENFORCERS:
            made.urls[service] = await stack.enter_async_context(serve(made.app(service, settings)))
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def here(http: httpx2.AsyncClient, settings: ServiceSettings) -> AsyncIterator[Connections]:
    async with connections("privacy", settings) as c:
        await c.db["closings"].delete_many({})
        yield c


@pytest_asyncio.fixture(loop_scope="module")
async def closing(
    here: Connections, neighbours: Neighbours, call: Caller, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ClosingTenants]:
    monkeypatch.setenv("TRELLIS_SERVICE_TOKEN", call.tokens.make("service", tenant="*", service="privacy"))
    for service, url in neighbours.urls.items():
        monkeypatch.setenv(f"TRELLIS_{service.upper()}_URL", url)
    async with httpx2.AsyncClient() as http:
        yield ClosingTenants(State.of(here), Peers(http, PeerSettings()))


async def now_due(here: Connections) -> None:
    clock = here.clock()
    await here.db["closings"].update_many({}, {"$set": {"due_at": clock, "erase_after": clock}})


async def test_only_the_officer_and_only_by_name(call: Caller) -> None:
    path = f"/tenants/{call.tenant}/close"
    assert (await call("POST", path, body={"confirm": call.tenant})).status_code == 401
    for role in ("operator", "learner", "app"):
        assert (await call("POST", path, role, body={"confirm": call.tenant})).status_code == 403
    assert (await call("POST", path, "dpo", body={"confirm": "another"})).status_code == 400
    assert (await call("POST", "/tenants/another/close", "dpo", body={"confirm": "another"})).status_code == 404
    assert (await call("GET", path, "dpo")).status_code == 404


async def test_everything_is_exported_then_erased_then_certified(
    call: Caller, closing: ClosingTenants, neighbours: Neighbours, here: Connections
) -> None:
    path, learners = f"/tenants/{call.tenant}/close", list(neighbours.learners)
    await call("PUT", "/policy", "dpo", body=policy() | {"pack": "open"})
    assert (await call("POST", path, "dpo", body={"confirm": call.tenant})).json()["stage"] == "exporting"
    while (held := (await call("GET", path, "dpo")).json())["stage"] == "exporting":
        await closing.turn()
    assert (held["stage"], held["exported"]) == ("waiting", 3)
    assert not await closing.turn(), "nothing happens before the waiting period is over"
    export = await call("GET", f"/tenants/{call.tenant}/export", "dpo")
    whole = zipfile.ZipFile(io.BytesIO(export.content))
    inner = [zipfile.ZipFile(io.BytesIO(whole.read(name))) for name in whole.namelist()]
    assert {json.loads(one.read("ingest/rows.jsonl"))["of"] for one in inner} == set(learners)

    await now_due(here)
    for _ in range(30):
        await now_due(here)
        await closing.turn()
        running = await here.db["requests"].find({"tenant": call.tenant, "unfinished": True}).to_list(None)
        for request in running:
            learner = str(request["learner"])
            await everyone_answered(State.of(here), call.tenant, learner, request["_id"])
            neighbours.learners.remove(learner)
        if (held := (await call("GET", path, "dpo")).json())["stage"] == "closed":
            break
    assert (held["stage"], held["erased"], held["failed"]) == ("closed", 3, 0)
    assert held["counts"]["ingest"] == {"rows": 9}
    assert neighbours.calls == ["close", "destroy-key"]
    rules = (await call("GET", "/policy", "dpo")).json()["purposes"]
    assert {rule["unknown"] for rule in rules.values()} == {"denied"}
    key = jwt.PyJWK((await call("GET", "/certificates/keys")).json()["keys"][0])
    said = json.loads(PyJWS().decode(held["certificate"], key, algorithms=["EdDSA"]))
    assert said["learners"] == {"exported": 3, "erased": 3, "failed": 0}
    assert not any(learner in json.dumps(said) for learner in learners)
    assert (await call("DELETE", path, "dpo")).status_code == 409


async def test_it_can_be_undone_before_the_erasure(
    call: Caller, closing: ClosingTenants, neighbours: Neighbours, here: Connections
) -> None:
    path = f"/tenants/{call.tenant}/close"
    await call("PUT", "/policy", "dpo", body=policy())
    await call("POST", path, "dpo", body={"confirm": call.tenant})
    while (await call("GET", path, "dpo")).json()["stage"] == "exporting":
        await closing.turn()
    assert (await call("DELETE", path, "dpo")).json()["stage"] == "cancelled"
    await closing.turn()
    assert (await call("GET", path, "dpo")).json()["stage"] == "cancelled"
    assert neighbours.calls == []
