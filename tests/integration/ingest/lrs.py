"""An ingest of a test's own: its app in this process, a tenant nobody else uses, a real MongoDB behind."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

import httpx2
from events.payloads import Basis, ConsentState, ConsentStatus, Decision, Policy, PurposePolicy, Unknown
from fastapi import FastAPI
from ingest.app import create
from ingest.service import SERVICE
from service_kit.consent import ConsentView
from service_kit.leases import LEASES
from service_kit.mongo import ensure, in_transaction
from service_kit.positions import POSITIONS
from service_kit.runtime import Connections, connections
from service_kit.settings import ServiceSettings

from tests.support.tokens import Tokens

Json = dict[str, Any]
STATEMENTS = "/xapi/statements"


def statement(actor: str = "ada", **parts: Any) -> Json:
    """A small valid statement with a new id."""
    return {
        "id": str(uuid4()),
        "actor": agent(actor),
        "verb": {"id": "https://example.org/verbs/answered"},
        "object": {"id": "https://example.org/activities/1"},
        **parts,
    }


def agent(name: str) -> Json:
    return {"account": {"homePage": "https://lms.example.org", "name": name}}


def places(answer: httpx2.Response) -> set[str]:
    """Where a problem document says that the input is wrong: `/a/b` in the body, `query:name` or `query:name/a`."""
    return {
        (f"{error['in']}:{error['parameter']}" if "parameter" in error else "") + error.get("pointer", "")
        for error in answer.json()["errors"]
    }


def voiding(target: str, actor: str = "teacher") -> Json:
    return statement(
        actor,
        verb={"id": "http://adlnet.gov/expapi/verbs/voided"},
        object={"objectType": "StatementRef", "id": target},
    )


@dataclass
class Lrs:
    """One tenant's view of a running ingest."""

    app: FastAPI
    http: httpx2.AsyncClient
    connections: Connections
    tokens: Tokens
    tenant: str = field(default_factory=lambda: f"t{secrets.token_hex(4)}")
    auth: httpx2.BasicAuth = field(default_factory=lambda: httpx2.BasicAuth("", ""))
    version: str = "1.0.3"

    def bearer(self, *roles: str) -> dict[str, str]:
        return self.tokens.headers(*roles, tenant=self.tenant)

    def service(self, name: str) -> dict[str, str]:
        """As that service of ours calls, whose token is good for every tenant."""
        return self.tokens.headers("service", tenant="*", service=name) | {"Trellis-Tenant": self.tenant}

    async def credential(self, *scopes: str) -> tuple[str, httpx2.BasicAuth]:
        body = {"name": "test", "scopes": scopes or ["all"]}
        made = (await self.http.post("/credentials", json=body, headers=self.bearer("operator"))).json()
        return made["key"], httpx2.BasicAuth(made["key"], made["secret"])

    async def other_tenant(self, *, policy: bool = True) -> Lrs:
        """The same ingest, another tenant."""
        other = Lrs(self.app, self.http, self.connections, self.tokens)
        if policy:
            await other.policy()
        _, other.auth = await other.credential()
        return other

    async def policy(
        self,
        unknown: Unknown = Unknown.allowed,
        *,
        not_recorded: Literal["accept", "refuse"] = "accept",
        returning: Literal["new", "refuse"] = "new",
    ) -> None:
        """The tenant's policy, as if it had come from the privacy service."""
        purposes = {"record": PurposePolicy(basis=Basis.public_task, unknown=unknown)}
        version = secrets.randbits(30) + 1
        policy = Policy(version=version, purposes=purposes, not_recorded=not_recorded, returning=returning)
        view = ConsentView(self.connections.db)
        await self.connections.db["standings"].delete_one({"_id": self.tenant})
        await in_transaction(self.connections.client, lambda s: view.put_policy(self.tenant, policy, s))

    async def decide(
        self, learner: str, status: ConsentStatus | None, *, version: int = 1, erased: bool = False
    ) -> None:
        """A learner's decision about `record`, as if it had come from the privacy service."""
        now = self.connections.clock()
        purposes = {} if status is None else {"record": Decision(status=status, since=now)}
        state = ConsentState(version=version, purposes=purposes, erased=erased)
        view = ConsentView(self.connections.db)
        await in_transaction(self.connections.client, lambda s: view.put_state(self.tenant, learner, state, s))

    async def learner(self, name: str) -> str:
        answer = await self.http.post("/identities", json=agent(name), headers=self.bearer("app"))
        learner: str = answer.json()["learner_id"]
        return learner

    def _headers(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        return {"X-Experience-API-Version": self.version} | dict(headers or {})

    async def post(self, body: Json | Sequence[Json] | bytes, **options: Any) -> httpx2.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = self._headers({"Content-Type": "application/json"} | options.pop("headers", {}))
        options.setdefault("auth", self.auth)
        return await self.http.post(STATEMENTS, content=content, headers=headers, **options)

    async def put(self, body: Json, statement_id: str | None = None, **options: Any) -> httpx2.Response:
        params = {"statementId": statement_id or body["id"]} | options.pop("params", {})
        options.setdefault("auth", self.auth)
        return await self.http.put(STATEMENTS, json=body, params=params, headers=self._headers(None), **options)

    async def get(self, url: str = STATEMENTS, **params: Any) -> httpx2.Response:
        auth, headers = params.pop("auth", self.auth), params.pop("headers", None)
        return await self.http.get(url, params=params or None, auth=auth, headers=self._headers(headers))

    async def ids(self, **params: Any) -> list[str]:
        """Ids of a list's first page."""
        answer = await self.get(**params)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["statements"]]

    async def walk(self, **params: Any) -> list[str]:
        """Ids of all pages."""
        answer = (await self.get(**params)).json()
        found = [one["id"] for one in answer["statements"]]
        while answer["more"]:
            answer = (await self.get(answer["more"])).json()
            found += [one["id"] for one in answer["statements"]]
        return found

    async def stored(self) -> int:
        stats = await self.http.get("/stats", headers=self.bearer("operator"))
        count: int = stats.json()["statements"]
        return count


@asynccontextmanager
async def running(tokens: Tokens) -> AsyncIterator[Lrs]:
    """Ingest by the environment's settings; collections and indexes are made, topics are not."""
    settings = ServiceSettings()
    async with connections("ingest", settings) as c:
        await ensure(c.db, [POSITIONS, LEASES, *SERVICE.collections])
        app = create(settings)
        transport = httpx2.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://ingest.test") as http,
        ):
            lrs = Lrs(app, http, c, tokens)
            await lrs.policy()
            _, lrs.auth = await lrs.credential()
            yield lrs
