"""Every endpoint of every service, asked by every role, in this process: who gets through, and to whose data."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import httpx2
from events.payloads import Policy
from fastapi import FastAPI
from service_kit.auth import Role
from service_kit.consent import ConsentView
from service_kit.mongo import Session, ensure, in_transaction
from service_kit.runtime import connections
from service_kit.settings import ServiceSettings

from tests.support.tokens import Tokens

SERVICES: Final = ("ingest", "learner_profile", "recommendation", "privacy", "insights")
METHODS: Final = ("get", "post", "put", "patch", "delete")
SCOPES: Final = (
    "statements/write",
    "statements/read/mine",
    "statements/read",
    "state",
    "profile",
    "define",
    "all/read",
    "all",
)
REFUSED: Final = (401, 403)
Cell = str  # "–", "own", "all", or which of the services
PURPOSES: Final = ("record", "profile", "recommend", "teach", "insights", "research")
RULES: Final = {"purposes": {name: {"basis": "public_task", "unknown": "allowed"} for name in PURPOSES}}


@dataclass(frozen=True, order=True)
class Operation:
    service: str
    path: str
    method: str
    document: Mapping[str, Any] = field(compare=False, hash=False, repr=False)

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def spec(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.document["paths"][self.path][self.method]
        return found

    @property
    def is_xapi(self) -> bool:
        return self.path.startswith("/xapi")

    def body(self, learner: str) -> Any:
        """The least that the schema takes; None where there is no JSON body."""
        content = self.spec.get("requestBody", {}).get("content", {}).get("application/json")
        return None if content is None else _sample(content["schema"], self.document, learner)


def _sample(schema: Mapping[str, Any], document: Mapping[str, Any], learner: str, name: str = "") -> Any:
    if "$ref" in schema:
        found: Mapping[str, Any] = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return _sample(found, document, learner, name)
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _sample(schema[several][0], document, learner, name)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if schema.get("type") == "object":
        inner = schema.get("properties", {})
        return {key: _sample(inner[key], document, learner, key) for key in schema.get("required", ())}
    if schema.get("type") == "array":
        return [_sample(schema["items"], document, learner, name)] * schema.get("minItems", 0)
    return _scalar(schema, learner, name)


def _scalar(schema: Mapping[str, Any], learner: str, name: str) -> Any:
    if schema.get("type") in ("integer", "number"):
        return schema.get("minimum", 1)
    if schema.get("type") == "boolean":
        return True
    if schema.get("format") == "uuid":
        return learner if name == "learner_id" else str(uuid4())
    otherwise = "x:x" if "pattern" in schema and ":" in schema["pattern"] else "x" * max(1, schema.get("minLength", 1))
    return {"date": "2010-01-01", "date-time": "2026-01-01T00:00:00Z"}.get(schema.get("format", ""), otherwise)


@dataclass
class Town:
    """All services of a test's own, and tokens for them."""

    apps: dict[str, FastAPI]
    http: dict[str, httpx2.AsyncClient]
    tokens: Tokens
    tenant: str

    def operations(self) -> Iterator[Operation]:
        for service, app in self.apps.items():
            document = app.openapi()
            for path, methods in sorted(document["paths"].items()):
                for method in METHODS:
                    if method in methods:
                        yield Operation(service, path, method, document)

    async def ask(
        self,
        operation: Operation,
        headers: Mapping[str, str],
        values: Mapping[str, str],
        auth: httpx2.BasicAuth | None = None,
    ) -> httpx2.Response:
        path = operation.path
        for name, value in values.items():
            path = path.replace("{" + name + "}", value)
        assert "{" not in path, f"{operation.name}: what stands in the path?"
        given = {p["name"] for p in operation.spec.get("parameters", ()) if p["in"] == "query"}
        query = {name: value for name, value in values.items() if name in given}
        body = operation.body(values["learner_id"])
        return await self.http[operation.service].request(
            operation.method, path, params=query, json=body, headers=headers, auth=auth
        )

    def headers(
        self, role: str, *, learner: str | None = None, subject: str = "someone", tenant: str | None = None
    ) -> dict[str, str]:
        token = self.tokens.make(role, tenant=tenant or self.tenant, learner=learner, subject=subject)
        return {"Authorization": f"Bearer {token}"}

    def everything(self, *, tenant: str) -> dict[str, str]:
        """A token with every role of a tenant."""
        return {"Authorization": f"Bearer {self.tokens.make(*Role, tenant=tenant, subject='someone-else')}"}

    def names(self, learner: str) -> dict[str, str]:
        """What may stand in any path or query."""
        made = {
            "learner_id": learner,
            "tenant": self.tenant,
            "purpose": "teach",
            "scope": "nation",
            "version": "1",
            "agent": '{"mbox":"mailto:a@b.example"}',
            "link": "x",
            "signal": "pace",
        }
        for name in ("receipt_id", "statement_id", "competency_id", "key", "launch_id", "import_id", "forwarding"):
            made[name] = str(uuid4())
        for name in ("quarantine_id", "watch_id", "request_id", "link_id", "merge_id", "rule_id", "run_id", "hold_id"):
            made[name] = str(uuid4())
        return made

    async def values(self, operation: Operation, learner: str, subject: str) -> dict[str, str]:
        """What stands in the path and the query, where it is this learner's, or this guardian's."""
        made = self.names(learner)
        if "{request_id}" in operation.path:
            kind = "access" if operation.path.endswith(("/archive", "/link")) else "restriction"
            made["request_id"] = await self.made("/requests", {"type": kind, "learner_id": learner})
        if "{link_id}" in operation.path:
            made["link_id"] = await self._linked(learner, subject)
        return made

    async def made(self, path: str, body: Mapping[str, Any]) -> str:
        answer = await self.http["privacy"].post(path, json=body, headers=self.headers("dpo"))
        return str(answer.raise_for_status().json()["id"])

    async def _linked(self, learner: str, guardian: str) -> str:
        body = {"learner_id": learner, "guardian": guardian, "verified_by": "at the office"}
        return await self.made("/guardians", body)

    async def cell(self, operation: Operation, role: Role) -> Cell:
        """How far the role gets."""
        if role is Role.service:
            return await self._of_services(operation)
        own, subject = await self._person(role)
        headers = self.headers(role, learner=own, subject=subject)
        if (await self.ask(operation, headers, self.names(own))).status_code in REFUSED:
            return "–"
        mine = await self.ask(operation, headers, await self.values(operation, own, subject))
        if "/me" in operation.path:
            headers = self.headers(role, subject=f"{subject}-nobody")
            others = await self.ask(operation, headers, await self.values(operation, own, subject))
        else:
            others = await self.ask(operation, headers, await self.values(operation, str(uuid4()), "someone-else"))
        return "own" if _denied(mine, others) else "all"

    async def _of_services(self, operation: Operation) -> Cell:
        """Which services get through, each with a token for every tenant and this one named."""
        learner = str(uuid4())
        values = await self.values(operation, learner, "someone")
        passed = []
        for name in SERVICES:
            token = self.tokens.make(Role.service, tenant="*", service=name)
            headers = {"Authorization": f"Bearer {token}", "Trellis-Tenant": self.tenant}
            if (await self.ask(operation, headers, values)).status_code not in REFUSED:
                passed.append(name)
        return ", ".join(passed) or "–"

    async def _person(self, role: Role) -> tuple[str, str]:
        """A learner, and the `sub` of who acts; a guardian is linked to the learner."""
        learner, subject = str(uuid4()), f"{role}-{uuid4()}"
        if role is Role.guardian:
            await self._linked(learner, subject)
        return learner, subject

    async def is_open(self, operation: Operation) -> bool:
        answer = await self.ask(operation, {}, self.names(str(uuid4())))
        return answer.status_code not in REFUSED


def _denied(mine: httpx2.Response, others: httpx2.Response) -> bool:
    """Whether what was given for the own learner is refused for another; 404 may be the refusal's face."""
    if others.status_code == 404:
        return mine.status_code != 404 or mine.json()["detail"] != others.json()["detail"]
    return others.status_code in REFUSED


@asynccontextmanager
async def town(tokens: Tokens, tenant: str, indexed: Collection[str] = ()) -> AsyncIterator[Town]:
    """All five on the namespace of the environment. The tenant's policy allows everything.

    Without indexes but for services named: to make them for all five takes longer than to walk through them.
    """
    settings = ServiceSettings()
    apps: dict[str, FastAPI] = {}
    clients: dict[str, httpx2.AsyncClient] = {}
    async with AsyncExitStack() as stack:
        for name in SERVICES:
            service = importlib.import_module(f"{name}.service").SERVICE
            c = await stack.enter_async_context(connections(name, settings))
            if name in indexed:
                await ensure(c.db, service.collections)
            apps[name] = service.app(settings)
            await stack.enter_async_context(apps[name].router.lifespan_context(apps[name]))
            transport = httpx2.ASGITransport(apps[name], raise_app_exceptions=False)
            clients[name] = httpx2.AsyncClient(transport=transport, base_url=f"http://{name}")
            await stack.enter_async_context(clients[name])
            if name != "privacy":
                await _put_policy(c, tenant)
        # Who is a guardian privacy says: here from app to app.
        apps["learner_profile"].state.learner_profile.peers._http = clients["privacy"]
        made = Town(apps, clients, tokens, tenant)
        (await clients["privacy"].put("/policy", json=RULES, headers=made.headers("dpo"))).raise_for_status()
        yield made


async def _put_policy(c: Any, tenant: str) -> None:
    view, policy = ConsentView(c.db), Policy.model_validate({"version": 1, **RULES})

    async def put(session: Session) -> None:
        await view.put_policy(tenant, policy, session)

    await in_transaction(c.client, put)
