"""A client that sends what a test says and nothing else, to a live LRS; and the parts that statements are made of."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx2

from tests.integration.ingest.lrs import running
from tests.support.serving import serve
from tests.support.tokens import Tokens

Json = dict[str, Any]
VERSIONS = ("1.0.3", "2.0.0")
VERSION = "X-Experience-API-Version"
THROUGH = "X-Experience-API-Consistent-Through"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Lrs:
    """An LRS in one dialect, with a credential that may do everything."""

    http: httpx2.Client
    auth: tuple[str, str]
    version: str

    def send(
        self,
        method: str,
        resource: str,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> httpx2.Response:
        """A `body` that is no bytes goes as JSON; a header of None is left out."""
        given: dict[str, str | None] = {VERSION: self.version}
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if body is not None:
            given["Content-Type"] = "application/json"
        given |= dict(headers or {})
        return self.http.request(
            method,
            f"/xapi/{resource}",
            params={name: _text(value) for name, value in (params or {}).items()} or None,
            content=content,
            headers={name: value for name, value in given.items() if value is not None},
            auth=self.auth if "Authorization" not in given else None,
        )

    def post(self, body: Any, **options: Any) -> httpx2.Response:
        return self.send("POST", "statements", body=body, **options)

    def put(self, body: Any, statement_id: str | None = None, **options: Any) -> httpx2.Response:
        return self.send("PUT", "statements", {"statementId": statement_id or body["id"]}, body, **options)

    def get(self, headers: Mapping[str, str | None] | None = None, **params: Any) -> httpx2.Response:
        return self.send("GET", "statements", params, headers=headers)

    def stored(self, statement: Json) -> Json:
        """The statement as it is given back."""
        answer = self.get(statementId=statement["id"])
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def keep(self, *statements: Json) -> None:
        """Store statements, one request after the other."""
        for one in statements:
            answer = self.post(one)
            assert answer.status_code == 200, answer.text

    def ids(self, **params: Any) -> list[str]:
        """Of a list's first page."""
        answer = self.get(**params)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["statements"]]

    def alternate(
        self, method: str, resource: str = "statements", form: Mapping[str, Any] | None = None, **options: Any
    ) -> httpx2.Response:
        """The alternate request syntax: everything in the form, nothing in headers."""
        fields = {VERSION: self.version} | {name: _text(value) for name, value in (form or {}).items()}
        headers = {"Content-Type": FORM, VERSION: None} | dict(options.pop("headers", {}))
        params = {"method": method} | dict(options.pop("params", {}))
        return self.send("POST", resource, params, urlencode(fields).encode(), headers)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def agent(name: str | None = None) -> Json:
    return {"objectType": "Agent", "mbox": f"mailto:{name or uuid4()}@example.org"}


def activity(name: str | None = None) -> Json:
    return {"objectType": "Activity", "id": f"https://example.org/activities/{name or uuid4()}"}


def statement(**parts: Any) -> Json:
    """A small valid statement with an id, an actor and an activity of its own."""
    return {
        "id": str(uuid4()),
        "actor": agent(),
        "verb": {"id": "https://example.org/verbs/answered", "display": {"en": "answered", "de": "beantwortete"}},
        "object": activity(),
        **parts,
    }


def reference(statement_id: str) -> Json:
    return {"objectType": "StatementRef", "id": statement_id}


def voiding(target: Json) -> Json:
    verb = {"id": "http://adlnet.gov/expapi/verbs/voided"}
    return statement(verb=verb, object=reference(target["id"]))


@dataclass(frozen=True)
class Live:
    """A running ingest, a credential of one tenant that may do everything, and a token of that tenant's operator."""

    url: str
    auth: tuple[str, str]
    operator: str


@contextmanager
def live(tokens: Tokens) -> Iterator[Live]:
    """An ingest by the environment's settings; it runs in a thread of its own."""
    started, ended = threading.Event(), threading.Event()
    found: list[Live] = []

    async def run() -> None:
        async with running(tokens) as lrs:
            made = await lrs.http.post(
                "/credentials", json={"name": "conformance", "scopes": ["all"]}, headers=lrs.bearer("operator")
            )
            async with serve(_without_lifespan(lrs.app)) as url:
                auth = (made.json()["key"], made.json()["secret"])
                found.append(Live(url, auth, lrs.bearer("operator")["Authorization"]))
                started.set()
                await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=lambda: _finally(started, run), daemon=True)
    thread.start()
    started.wait(60)
    try:
        yield found[0]
    finally:
        ended.set()
        thread.join(30)


def _finally(started: threading.Event, run: Any) -> None:
    try:
        asyncio.run(run())
    finally:
        started.set()


def _without_lifespan(app: Any) -> Any:
    """`running` has begun the app's lifespan already."""

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await app(scope, receive, send)

    return inner
