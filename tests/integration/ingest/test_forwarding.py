"""/forwardings, and the worker that sends: a second ingest, behind real HTTP, takes what is sent."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
from events.payloads import ConsentStatus
from ingest.forwarding.forwarder import Forwarder
from ingest.worker import forwarder_of, participant
from service_kit.mongo import in_transaction

from tests.integration.ingest.lrs import Json, Lrs, running, statement, voiding
from tests.integration.ingest.test_moving_in_and_out import post_with, with_attachment
from tests.support.serving import serve
from tests.support.tokens import Tokens

NEW = {"name": "ministry", "endpoint": "https://lrs.example/xapi", "key": "k", "secret": "hush", "since": "beginning"}


@dataclass
class Other:
    """Another LRS at an address of its own; `refuses` and `away` change what it makes of requests."""

    lrs: Lrs
    url: str = ""
    away: int | None = None
    refuses: set[str] = field(default_factory=set)
    posts: int = 0
    arrived: list[str] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.lrs.app(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status = self._status(scope, body)
        if status is not None:
            await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        sent = iter([{"type": "http.request", "body": body}])

        async def again() -> Any:
            return next(sent, None) or await receive()

        await self.lrs.app(scope, again, send)

    def _status(self, scope: Any, body: bytes) -> int | None:
        if scope["method"] != "POST":
            return None
        self.posts += 1
        if self.away is not None:
            return self.away
        return 400 if any(one.encode() in body for one in self.refuses) else None


@pytest.fixture
async def other(environment: pytest.MonkeyPatch, tokens: Tokens, module_namespace: str) -> AsyncIterator[Other]:
    """Has a database of its own."""
    environment.setenv("TRELLIS_NAMESPACE", f"{module_namespace}other-")
    async with running(tokens) as lrs:
        one = Other(lrs)
        async with serve(_without_lifespan(one)) as url:
            one.url = f"{url}/xapi"
            yield one


def _without_lifespan(app: Other) -> Callable[..., Awaitable[None]]:
    async def inner(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        await app(scope, receive, send)

    return inner


@pytest.fixture
async def source(
    other: Other, environment: pytest.MonkeyPatch, module_namespace: str, tokens: Tokens
) -> AsyncIterator[Lrs]:
    """What is forwarded from; its database is this module's."""
    environment.setenv("TRELLIS_NAMESPACE", module_namespace)
    async with running(tokens) as lrs:
        yield lrs
        await lrs.connections.db["forwardings"].delete_many({})


@asynccontextmanager
async def forwarding(lrs: Lrs) -> AsyncIterator[Forwarder]:
    """The worker's job; leaving it is a kill in the middle of whatever it does."""
    forwarder = replace(forwarder_of(lrs.connections), first_wait_seconds=0.1, poll_seconds=0.05)
    task = asyncio.create_task(forwarder.run())
    try:
        yield forwarder
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0.05)


async def made(lrs: Lrs, other: Other, **parts: Any) -> str:
    new = {"name": "forwarding", "scopes": ["all"]}
    issued = await other.lrs.http.post("/credentials", json=new, headers=other.lrs.bearer("operator"))
    key, secret = issued.json()["key"], issued.json()["secret"]
    body = NEW | {"endpoint": other.url, "key": key, "secret": secret} | parts
    answer = await lrs.http.post("/forwardings", json=body, headers=lrs.bearer("operator"))
    assert answer.status_code == 201, answer.text
    assert secret not in answer.text
    made_id: str = answer.json()["id"]
    return made_id


async def shown(lrs: Lrs, forwarding_id: str) -> Json:
    found: Json = (await lrs.http.get(f"/forwardings/{forwarding_id}", headers=lrs.bearer("operator"))).json()
    return found


async def letters(lrs: Lrs, forwarding_id: str) -> list[Json]:
    answer = await lrs.http.get(f"/forwardings/{forwarding_id}/dead-letters", headers=lrs.bearer("operator"))
    found: list[Json] = answer.json()["items"]
    return found


class TestEndpoints:
    async def test_anonymous_and_missing_role(self, lrs: Lrs) -> None:
        paths = ("/forwardings", "/forwardings/x", "/forwardings/x/dead-letters")
        for headers, status in (({}, 401), (lrs.bearer("dpo"), 403)):
            for path in paths:
                assert (await lrs.http.get(path, headers=headers)).status_code == status
            assert (await lrs.http.post("/forwardings", json=NEW, headers=headers)).status_code == status
            assert (await lrs.http.post("/forwardings/x/replay", json={}, headers=headers)).status_code == status
            assert (await lrs.http.delete("/forwardings/x", headers=headers)).status_code == status

    @pytest.mark.parametrize(
        "parts",
        [
            {"endpoint": "http://169.254.169.254/xapi"},
            {"endpoint": "gopher://x"},
            {"secret": ""},
            {"key": "a:b"},
            {"version": "0.9"},
            {"since": "2026-01-01T00:00:00"},
            {"filters": {"agents": ["x"]}},
            {"filters": {"verbs": ["no iri"]}},
            {"purpose": "Record!"},
        ],
    )
    async def test_invalid(self, lrs: Lrs, parts: Json) -> None:
        answer = await lrs.http.post("/forwardings", json=NEW | parts, headers=lrs.bearer("operator"))
        assert answer.status_code == 400
        assert "hush" not in answer.text

    async def test_other_tenant(self, lrs: Lrs) -> None:
        one = (await lrs.http.post("/forwardings", json=NEW, headers=lrs.bearer("operator"))).json()["id"]
        headers = (await lrs.other_tenant()).bearer("operator")
        assert (await lrs.http.get("/forwardings", headers=headers)).json()["items"] == []
        for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/dead-letters"), ("POST", "/replay")):
            answer = await lrs.http.request(method, f"/forwardings/{one}{path}", headers=headers)
            assert answer.status_code == 404 if method != "POST" else answer.status_code in (400, 404)

    async def test_happy(self, lrs: Lrs) -> None:
        headers = lrs.bearer("operator")
        one = (await lrs.http.post("/forwardings", json=NEW, headers=headers)).json()["id"]
        listed = await lrs.http.get("/forwardings", headers=headers)
        assert [each["id"] for each in listed.json()["items"]] == [one]
        assert "hush" not in listed.text
        assert (await lrs.http.delete(f"/forwardings/{one}", headers=headers)).status_code == 204
        assert (await lrs.http.get(f"/forwardings/{one}", headers=headers)).status_code == 404


class TestForwarding:
    async def test_all_in_order_and_whole(self, source: Lrs, other: Other) -> None:
        sent = [statement(result={"score": {"raw": i}}) for i in range(250)]
        await source.post(sent)
        one = await made(source, other)
        async with forwarding(source) as forwarder:
            await until(lambda: _count(other, 250))
            live = statement()
            await source.post(live)
            await until(lambda: _count(other, 251))
            await until(lambda: _forwarded(source, one, 251))
            assert forwarder.standings[one].forwarded == 251
        assert await other.lrs.walk(ascending="true") == [each["id"] for each in [*sent, live]]
        found = (await other.lrs.get(statementId=sent[7]["id"])).json()
        assert found["result"] == sent[7]["result"]
        assert (await shown(source, one))["dead"] == 0

    async def test_filters_and_since(self, source: Lrs, other: Other) -> None:
        await source.post(statement())
        one = await made(source, other, since="now", filters={"verbs": ["https://example.org/verbs/saw"]})
        wanted = statement(verb={"id": "https://example.org/verbs/saw"})
        await source.post([statement(), wanted])
        async with forwarding(source):
            await until(lambda: _forwarded(source, one, 1))
        assert await other.lrs.ids() == [wanted["id"]]

    async def test_the_other_is_away_for_a_while(self, source: Lrs, other: Other) -> None:
        other.away = 503
        await source.post([statement() for _ in range(3)])
        one = await made(source, other)
        async with forwarding(source) as forwarder:
            await until(lambda: _waits(source, one, "503"))
            assert forwarder.standings[one].oldest is not None  # what the lag is read from
            other.away = None
            await until(lambda: _forwarded(source, one, 3))
        assert (await shown(source, one))["waits_for"] is None
        assert await letters(source, one) == []

    async def test_a_wrong_secret_loses_nothing(self, source: Lrs, other: Other) -> None:
        await source.post(statement())
        one = await made(source, other, secret="wrong")
        async with forwarding(source):
            await until(lambda: _waits(source, one, "401"))
        assert await letters(source, one) == []

    async def test_one_is_refused_and_the_rest_pass(self, source: Lrs, other: Other) -> None:
        sent = [statement() for _ in range(20)]
        other.refuses = {sent[11]["id"]}
        await source.post(sent)
        one = await made(source, other)
        async with forwarding(source):
            await until(lambda: _forwarded(source, one, 19))
            (letter,) = await letters(source, one)
            assert (letter["statement_id"], letter["reason"], letter["tries"]) == (sent[11]["id"], "400", 1)
            await _replay(source, one)
            await until(lambda: _tried(source, one, 2))
            other.refuses = set()
            await _replay(source, one)
            await until(lambda: _forwarded(source, one, 20))
        assert await letters(source, one) == []
        assert await other.lrs.stored() == 20

    async def test_what_the_other_holds_already(self, source: Lrs, other: Other) -> None:
        same, differs = statement(timestamp="2026-01-02T03:04:05Z"), statement()
        await source.post([same, differs])
        await other.lrs.post([same, {**differs, "verb": {"id": "https://example.org/verbs/other"}}])
        one = await made(source, other)
        async with forwarding(source):
            await until(lambda: _forwarded(source, one, 1))
        (letter,) = await letters(source, one)
        assert letter["statement_id"] == differs["id"]
        assert letter["reason"].startswith("409")

    async def test_kills_repeat_and_leave_none_out(self, source: Lrs, other: Other) -> None:
        sent = [statement() for _ in range(1200)]
        for at in range(0, 1200, 400):
            await source.post(sent[at : at + 400])
        one = await made(source, other)
        for kill in range(4):
            async with forwarding(source):
                await until(partial(_posted, other, 2 * kill + 1))
        async with forwarding(source):
            await until(lambda: _forwarded(source, one, 1))
            await until(lambda: _count(other, 1200))
        assert await other.lrs.walk(ascending="true") == [each["id"] for each in sent]

    async def test_one_replica_works_a_forwarding(self, source: Lrs, other: Other) -> None:
        await source.post([statement() for _ in range(300)])
        one = await made(source, other)
        async with forwarding(source), forwarding(source):
            await until(lambda: _forwarded(source, one, 300))
        assert other.posts <= 4  # of 100 each: one goes again at most, where the second replica takes over meanwhile

    async def test_whoever_does_not_allow_the_purpose_is_left_out(self, source: Lrs, other: Other) -> None:
        ada, eve = statement("ada"), statement("eve")
        await source.post([ada, eve])
        await source.decide(await source.learner("eve"), ConsentStatus.withdrawn)
        one = await made(source, other)
        research = await made(source, other, purpose="research")
        async with forwarding(source):
            await until(lambda: _forwarded(source, one, 1))
            await until(lambda: _withheld(source, research, 2))
        assert await other.lrs.ids() == [ada["id"]]
        assert (await shown(source, one))["withheld"] == 1

    async def test_a_voiding_goes_too(self, source: Lrs, other: Other) -> None:
        target = statement()
        await source.post(target)
        one = await made(source, other)
        async with forwarding(source):
            await until(lambda: _forwarded(source, one, 1))
            await source.post(voiding(target["id"]))
            await until(lambda: _forwarded(source, one, 2))
        assert (await other.lrs.get(voidedStatementId=target["id"])).status_code == 200

    async def test_attachments_go_too(self, source: Lrs, other: Other) -> None:
        data = [b"short\r\n--no boundary", secrets.token_bytes(300_000)]
        sent = [with_attachment(one) for one in data]
        await post_with(source, [sent[0], statement(), sent[1]], data)
        one = await made(source, other)
        async with forwarding(source):
            await until(lambda: _forwarded(source, one, 3))
        answer = await other.lrs.get(attachments="true")
        assert all(each in answer.content for each in data)
        assert (await shown(source, one))["dead"] == 0

    async def test_dead_letters_go_with_the_learner(self, source: Lrs, other: Other) -> None:
        ada, bob = statement("ada"), statement("bob")
        other.refuses = {ada["id"], bob["id"]}
        await source.post([ada, bob])
        one = await made(source, other)
        async with forwarding(source):
            await until(lambda: _dead(source, one, 2))
        learner = await source.learner("ada")
        erasing = participant(source.connections)
        await in_transaction(source.connections.client, lambda session: erasing.erase(source.tenant, learner, session))
        assert [letter["statement_id"] for letter in await letters(source, one)] == [bob["id"]]


async def _count(other: Other, number: int) -> bool:
    return await other.lrs.stored() >= number


async def _posted(other: Other, number: int) -> bool:
    return other.posts >= number


async def _forwarded(lrs: Lrs, one: str, number: int) -> bool:
    return int((await shown(lrs, one))["forwarded"]) >= number


async def _withheld(lrs: Lrs, one: str, number: int) -> bool:
    return int((await shown(lrs, one))["withheld"]) >= number


async def _dead(lrs: Lrs, one: str, number: int) -> bool:
    return int((await shown(lrs, one))["dead"]) >= number


async def _waits(lrs: Lrs, one: str, reason: str) -> bool:
    return bool((await shown(lrs, one))["waits_for"] == reason)


async def _tried(lrs: Lrs, one: str, tries: int) -> bool:
    return [letter["tries"] for letter in await letters(lrs, one)] == [tries]


async def _replay(lrs: Lrs, one: str) -> None:
    answer = await lrs.http.post(f"/forwardings/{one}/replay", json={}, headers=lrs.bearer("operator"))
    assert answer.status_code == 202, answer.text
    assert answer.json() == {"dead_letters": 1}
