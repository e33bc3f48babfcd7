"""Access and portability: everything that every service holds, in one ZIP, fetched once by who may."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI
from privacy.access.collecting import Collecting
from privacy.consents.decisions import ENFORCERS
from privacy.requests.settings import RequestSettings
from privacy.state import State
from service_kit.app import create_app
from service_kit.peers import Peers
from service_kit.runtime import Connections, connections
from service_kit.settings import PeerSettings, ServiceSettings
from service_kit.subjects import Item, Piece, Record, router

from tests.integration.privacy.conftest import Caller, policy
from tests.support.serving import serve

pytestmark = pytest.mark.asyncio(loop_scope="module")

STATEMENT = b'{"actor":{"mbox":"mailto:ada@example.org"},"verb":{"id":"urn:v"},"object":{"id":"urn:a"},"n":1.50}'
SEPARATOR = '{"note":"one\u2028two"}'.encode()


@dataclass
class Neighbours:
    """The four other services, as small as can be: each gives what it is told to hold."""

    held: dict[str, list[Item]] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    urls: dict[str, str] = field(default_factory=dict)

    def app(self, service: str, settings: ServiceSettings) -> FastAPI:
        async def items(tenant: str, learner: str) -> AsyncIterator[Item]:
            if service in self.away:
                raise ConnectionError
            for item in self.held.get(service, ()):
                yield item

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            yield

        routers = [router(lambda _: items)]
        return create_app(title=service, description="", settings=settings, lifespan=lifespan, routers=routers)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def neighbours(settings: ServiceSettings) -> AsyncIterator[Neighbours]:
    made = Neighbours()
    async with AsyncExitStack() as stack:
        for service in ENFORCERS:
            made.urls[service] = await stack.enter_async_context(serve(made.app(service, settings)))
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(http: httpx2.AsyncClient, settings: ServiceSettings) -> AsyncIterator[Connections]:
    async with connections("privacy", settings) as c:
        yield c


@pytest_asyncio.fixture(loop_scope="module")
async def collecting(
    here: Connections, neighbours: Neighbours, call: Caller, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Collecting]:
    neighbours.held = {
        "ingest": [
            Record("identifiers", b'{"identifier":"mailto:ada@example.org"}'),
            Record("statements", STATEMENT),
            Record("statements", SEPARATOR),
            Piece("attachments/abc", b"\x00\xff"),
            Piece("attachments/abc", b"\x01"),
        ],
        "learner_profile": [Record("profile", b'{"version":1}')],
        "insights": [Piece("../../etc/passwd", b"x")],
    }
    neighbours.away.clear()
    monkeypatch.setenv("TRELLIS_SERVICE_TOKEN", call.tokens.make("service", tenant="*", service="privacy"))
    for service, url in neighbours.urls.items():
        monkeypatch.setenv(f"TRELLIS_{service.upper()}_URL", url)
    monkeypatch.setenv("TRELLIS_ERASURE_RESEND_SECONDS", "0.01")
    monkeypatch.setenv("TRELLIS_REQUEST_ESCALATION_SECONDS", "0.02")
    async with httpx2.AsyncClient() as http:
        yield Collecting(State.of(here), Peers(http, PeerSettings()), RequestSettings())


async def asked(call: Caller, learner: str, kind: str = "access") -> str:
    await call("PUT", "/policy", "dpo", body=policy())
    made = await call("POST", "/requests", "learner", body={"type": kind, "learner_id": learner}, learner=learner)
    assert (made.status_code, made.json()["status"]) == (202, "running")
    return str(made.json()["id"])


async def fetched(call: Caller, request: str, learner: str) -> zipfile.ZipFile:
    link = await call("POST", f"/requests/{request}/link", "learner", learner=learner)
    assert link.status_code == 201
    got = await call("GET", link.json()["url"], "learner", learner=learner)
    assert got.status_code == 200
    assert hashlib.sha256(got.content).hexdigest() == link.json()["sha256"]
    assert (await call("GET", link.json()["url"], "learner", learner=learner)).status_code == 404, "a link is good once"
    return zipfile.ZipFile(io.BytesIO(got.content))


class TestArchive:
    async def test_holds_what_every_service_holds(self, call: Caller, collecting: Collecting) -> None:
        learner = str(uuid4())
        request = await asked(call, learner)
        await call("PUT", "/consents/me/profile", "learner", body={"status": "objected"}, learner=learner)
        assert await collecting.turn() == 1
        done = (await call("GET", f"/requests/{request}", "learner", learner=learner)).json()
        assert (done["status"], done["silent"]) == ("completed", [])
        counts = {receipt["service"]: receipt["counts"] for receipt in done["receipts"]}
        assert counts["ingest"] == {"identifiers": 1, "statements": 2, "files": 1}
        found = await fetched(call, request, learner)
        assert found.testzip() is None
        assert found.read("ingest/statements.jsonl") == STATEMENT + b"\n" + SEPARATOR + b"\n", "byte for byte"
        assert found.read("ingest/attachments/abc") == b"\x00\xff\x01"
        assert "insights/etc/passwd" in found.namelist(), "no name leads out of the archive"
        assert json.loads(found.read("privacy/consents.jsonl"))["purposes"]["profile"]["status"] == "objected"
        assert json.loads(found.read("privacy/requests.jsonl").splitlines()[0])["id"] == request
        assert b"Everything you did that was recorded" in found.read("README.txt")
        manifest = json.loads(found.read("manifest.json"))
        assert {f["name"] for f in manifest["files"]} == set(found.namelist()) - {"manifest.json"}
        for file in manifest["files"]:
            data = found.read(file["name"])
            assert hashlib.sha256(data).hexdigest() == file["sha256"]
            assert file.get("records", len(data.splitlines())) == data.count(b"\n") or "records" not in file

    async def test_portability_gives_what_was_provided_alone(self, call: Caller, collecting: Collecting) -> None:
        learner = str(uuid4())
        request = await asked(call, learner, "portability")
        await collecting.turn()
        names = (await fetched(call, request, learner)).namelist()
        assert names == [
            "ingest/identifiers.jsonl",
            "ingest/statements.jsonl",
            "ingest/attachments/abc",
            "README.txt",
            "manifest.json",
        ]

    async def test_waits_for_a_service_that_is_away_and_escalates(
        self, call: Caller, collecting: Collecting, neighbours: Neighbours
    ) -> None:
        learner = str(uuid4())
        request = await asked(call, learner)
        neighbours.away.add("insights")

        async def read() -> Any:
            return (await call("GET", f"/requests/{request}", "dpo")).json()

        for _ in range(50):
            await collecting.turn()
            if (waiting := await read())["escalated_at"]:
                break
        assert (waiting["status"], waiting["receipts"]) == ("running", [])
        assert waiting["escalated_at"] is not None
        refused = await call("POST", f"/requests/{request}/link", "learner", learner=learner)
        assert refused.status_code == 409
        neighbours.away.clear()
        for _ in range(50):
            await collecting.turn()
            if (await read())["status"] == "completed":
                break
        assert (await fetched(call, request, learner)).testzip() is None


class TestLink:
    async def test_is_for_the_learner_the_guardian_and_the_officer(self, call: Caller, collecting: Collecting) -> None:
        learner = str(uuid4())
        request = await asked(call, learner)
        await collecting.turn()
        path = f"/requests/{request}/link"
        assert (await call("POST", path)).status_code == 401
        assert (await call("POST", path, "learner", learner=str(uuid4()))).status_code == 404
        assert (await call("POST", path, "guardian")).status_code == 404
        assert (await call("POST", path, "app")).status_code == 403
        assert (await call("POST", path, "dpo", tenant="elsewhere")).status_code == 404
        link = (await call("POST", path, "dpo")).json()["url"]
        assert (await call("GET", link, "learner", learner=str(uuid4()))).status_code == 404
        assert (await call("GET", link)).status_code == 401
        later = (await call("POST", path, "learner", learner=learner)).json()["url"]
        assert (await call("GET", link, "dpo")).status_code == 404, "a new link ends the one before"
        assert (await call("GET", later, "dpo")).status_code == 200

    async def test_nothing_lies_in_the_clear_and_an_erasure_takes_it(
        self, call: Caller, collecting: Collecting, here: Connections
    ) -> None:
        learner = str(uuid4())
        request = await asked(call, learner)
        await collecting.turn()
        assert await here.db["archive_chunks"].count_documents({"request": request}) == 1
        made = await call("POST", "/requests", "dpo", body={"type": "erasure", "learner_id": learner})
        assert made.json()["status"] == "running"
        assert await here.db["archive_chunks"].count_documents({"request": request}) == 0
        held = await here.db["requests"].find_one({"_id": request})
        assert held is not None
        assert "learner" not in held
        assert (await call("POST", f"/requests/{request}/link", "learner", learner=learner)).status_code == 404
