"""Whatever two tenants send and ask, neither sees anything of the other."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import httpx2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ingest.service import SERVICE

from tests.integration.ingest.lrs import STATEMENTS, Json, Lrs, agent, running, statement, voiding
from tests.support.multipart_mixed import CONTENT_TYPE, attachment, multipart
from tests.support.tokens import Tokens

NAMES = ("ada", "grace", "tenant/x", "*")
IDS = [str(uuid5(UUID(int=0), str(n))) for n in range(5)]
ACTIVITY = "https://example.org/activities/1"
STATE, OF_ACTIVITY, OF_AGENT = "/xapi/activities/state", "/xapi/activities/profile", "/xapi/agents/profile"
XAPI = {"X-Experience-API-Version": "1.0.3"}
Act = tuple[str, str, str]

KINDS = ("store", "void", "attach", "define", "learner", "state", "of_activity", "of_agent", "credential", "launch")
acts = st.tuples(st.sampled_from(KINDS), st.sampled_from(IDS), st.sampled_from(NAMES))
QUERIES: list[dict[str, Any]] = [
    {},
    {"ascending": "true", "limit": 2},
    *({"agent": json.dumps(agent(name)), "related_agents": "true"} for name in NAMES),
    {"verb": "https://example.org/verbs/answered"},
    {"activity": ACTIVITY, "related_activities": "true"},
]


@dataclass
class House:
    """One ingest for all examples, in a loop of its own."""

    runner: asyncio.Runner
    lrs: Lrs

    def run(self, play: Callable[[Lrs], Awaitable[None]]) -> None:
        async def within() -> None:
            await play(self.lrs)

        self.runner.run(within())


@pytest.fixture
def house(environment: pytest.MonkeyPatch, tokens: Tokens) -> Iterator[House]:
    with asyncio.Runner() as runner:
        context = running(tokens)
        lrs = runner.run(context.__aenter__())
        yield House(runner, lrs)
        runner.run(context.__aexit__(None, None, None))


STEPS = st.lists(st.tuples(st.booleans(), acts), max_size=16)
EVERYTHING: list[tuple[bool, Act]] = [(kind in KINDS[::2], (kind, IDS[0], "ada")) for kind in KINDS]
_OF_THE_PROCESS = frozenset({"stamps", "leases", "positions"})
_ANY_HEALTH = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=3, deadline=None, suppress_health_check=_ANY_HEALTH)
@example(steps=EVERYTHING)
@given(steps=STEPS)
def test_neither_sees_the_other(house: House, steps: list[tuple[bool, Act]]) -> None:
    """What a tenant gets is what it would get alone: the same acts without the other give the same answers."""
    house.run(lambda root: _play(root, steps))


@pytest.mark.long
@settings(max_examples=60, deadline=None, suppress_health_check=_ANY_HEALTH)
@given(steps=STEPS)
def test_neither_sees_the_other_in_many_plays(house: House, steps: list[tuple[bool, Act]]) -> None:
    house.run(lambda root: _play(root, steps))


async def _play(root: Lrs, steps: list[tuple[bool, Act]]) -> None:
    alone = {who: await _alone(root, [act for one, act in steps if one is who]) for who in (False, True)}
    await _empty(root)
    pair = {who: await root.other_tenant() for who in (False, True)}
    done: dict[bool, list[Any]] = {False: [], True: []}
    for who, act in steps:
        done[who].append(await _act(pair[who], act))
    for who in (False, True):
        assert (done[who], await _seen(pair[who])) == alone[who]
    mine, theirs = [{await lrs.learner(name) for name in NAMES} for lrs in pair.values()]
    assert mine.isdisjoint(theirs)
    for who in (False, True):
        await _walk_on(pair[who], pair[not who])


async def _alone(root: Lrs, acts: list[Act]) -> tuple[list[Any], list[Any]]:
    """What it was answered and what it sees, with nobody else there."""
    await _empty(root)
    lrs = await root.other_tenant()
    return [await _act(lrs, act) for act in acts], await _seen(lrs)


async def _empty(root: Lrs) -> None:
    for spec in SERVICE.collections:
        if spec.name not in _OF_THE_PROCESS:
            await root.connections.db[spec.name].delete_many({})


async def _act(lrs: Lrs, act: Act) -> Any:
    kind, one, name = act
    answer: httpx2.Response = await _ACTS[kind](lrs, one, name)
    assert answer.is_success or answer.status_code == 409, answer.text
    return answer.status_code, answer.text if answer.is_error else ""


async def _store(lrs: Lrs, one: str, name: str) -> httpx2.Response:
    return await lrs.post(statement(name) | {"id": one})


async def _void(lrs: Lrs, one: str, name: str) -> httpx2.Response:
    return await lrs.post(voiding(one, name) | {"id": str(uuid5(UUID(one), name))})


async def _attach(lrs: Lrs, one: str, name: str) -> httpx2.Response:
    sent = statement(name, attachments=[attachment(one.encode())]) | {"id": str(uuid5(UUID(one), f"file {name}"))}
    return await lrs.post(multipart(sent, one.encode()), headers={"Content-Type": CONTENT_TYPE})


async def _define(lrs: Lrs, one: str, name: str) -> httpx2.Response:
    target = {"id": ACTIVITY, "definition": {"name": {"en": name}}}
    actor = agent(name) | {"name": f"Called {one}"}
    return await lrs.post(statement(object=target) | {"id": str(uuid5(UUID(one), f"define {name}")), "actor": actor})


async def _learner(lrs: Lrs, one: str, name: str) -> httpx2.Response:
    return await lrs.http.post("/identities", json=agent(name), headers=lrs.bearer("app"))


async def _document(lrs: Lrs, path: str, content: Json, **params: str) -> httpx2.Response:
    return await lrs.http.post(path, params=params, json=content, headers=XAPI, auth=lrs.auth)


async def _state(lrs: Lrs, one: str, name: str) -> httpx2.Response:
    who = json.dumps(agent(name))
    return await _document(lrs, STATE, {name: one}, activityId=ACTIVITY, agent=who, stateId=one)


async def _of_activity(lrs: Lrs, one: str, name: str) -> httpx2.Response:
    return await _document(lrs, OF_ACTIVITY, {name: one}, activityId=ACTIVITY, profileId=one)


async def _of_agent(lrs: Lrs, one: str, name: str) -> httpx2.Response:
    return await _document(lrs, OF_AGENT, {name: one}, agent=json.dumps(agent(name)), profileId=one)


async def _credential(lrs: Lrs, one: str, name: str) -> httpx2.Response:
    body = {"name": f"{one} {name}", "scopes": ["state"]}
    return await lrs.http.post("/credentials", json=body, headers=lrs.bearer("operator"))


async def _launch(lrs: Lrs, one: str, name: str) -> httpx2.Response:
    body = {"actor": agent(name), "activityId": ACTIVITY, "registration": one}
    return await lrs.http.post("/launches", json=body, auth=lrs.auth)


_ACTS: dict[str, Callable[[Lrs, str, str], Awaitable[httpx2.Response]]] = {
    "store": _store,
    "void": _void,
    "attach": _attach,
    "define": _define,
    "learner": _learner,
    "state": _state,
    "of_activity": _of_activity,
    "of_agent": _of_agent,
    "credential": _credential,
    "launch": _launch,
}


async def _seen(lrs: Lrs) -> list[Any]:
    """All that the tenant can read, but for what differs between any two."""
    await _settled(lrs)
    seen: list[Any] = []
    for query in QUERIES:
        answer = (await lrs.get(**query)).json()
        seen.append([(s["id"], s["actor"], s["verb"]["id"], s["object"]) for s in answer["statements"]])
    for one in IDS:
        seen.append((await lrs.get(statementId=one)).status_code)
        seen.append((await lrs.get(voidedStatementId=one)).status_code)
        seen.append((await lrs.get(OF_ACTIVITY, activityId=ACTIVITY, profileId=one)).text)
    for name in NAMES:
        who = json.dumps(agent(name))
        answer = await lrs.http.get("/identities", params={"agent": who}, headers=lrs.bearer("app"))
        seen.append(answer.status_code)
        seen.append((await lrs.get(STATE, activityId=ACTIVITY, agent=who)).json())
        seen.append((await lrs.get(OF_AGENT, agent=who)).json())
        seen.append((await lrs.get("/xapi/agents", agent=who)).json())
    seen.append((await lrs.get(OF_ACTIVITY, activityId=ACTIVITY)).json())
    seen.append((await lrs.get("/xapi/activities", activityId=ACTIVITY)).json())
    files = await lrs.get(attachments="true")
    seen.append(sorted(re.findall(rb"X-Experience-API-Hash: *\S+", files.content)))
    for path in ("/stats", "/credentials", "/imports", "/forwardings", "/quarantine"):
        answer = (await lrs.http.get(path, headers=lrs.bearer("operator"))).json()
        seen.append(sorted(item["name"] for item in answer["items"]) if "items" in answer else answer)
    return seen


async def _settled(lrs: Lrs) -> None:
    """Until an ascending walk gives the last statement too."""
    newest = (await lrs.get(limit=1)).json()["statements"]
    while newest:
        through = (await lrs.get(limit=1)).headers["X-Experience-API-Consistent-Through"]
        if datetime.fromisoformat(through) >= datetime.fromisoformat(newest[0]["stored"]):
            return
        await asyncio.sleep(0.02)


async def _walk_on(mine: Lrs, theirs: Lrs) -> None:
    """With a cursor that the other was given, and with a cut of it, one walks on in the own statements alone."""
    own = set(await mine.walk())
    given = (await theirs.get(limit=1)).json()["more"]
    if not given:
        return
    found = {one["id"] for one in (await mine.get(given)).json()["statements"]}
    assert found <= own
    for one in (await mine.get(given)).json()["statements"]:
        assert one["authority"] == (await mine.get(statementId=one["id"])).json()["authority"]


async def _belongings(lrs: Lrs) -> Json:
    """One of everything, and by what each is named."""
    sent = statement("ada", attachments=[attachment(b"a file")])
    content = {"Content-Type": CONTENT_TYPE}
    assert (await lrs.post(multipart([sent, statement("ada")], b"a file"), headers=content)).status_code == 200
    operator = lrs.bearer("operator")
    body = {"name": "moodle", "scopes": ["all"], "profile": "moodle"}
    credential = (await lrs.http.post("/credentials", json=body, headers=operator)).json()
    auth = httpx2.BasicAuth(credential["key"], credential["secret"])
    refused = {**statement(), "actor": {}}
    assert (await lrs.post([statement(), refused], auth=auth)).status_code == 200
    (quarantined,) = (await lrs.http.get("/quarantine", headers=operator)).json()["items"]
    launch = (await lrs.http.post("/launches", json={"actor": agent("ada"), "activityId": ACTIVITY}, auth=auth)).json()
    pages = (await lrs.http.get("/credentials", params={"limit": 1}, headers=operator)).json()
    return {
        "statement": sent["id"],
        "more": (await lrs.get(limit=1)).json()["more"],
        "credential": credential["key"],
        "quarantine": quarantined["id"],
        "launch": launch["id"],
        "registration": launch["registration"],
        "next": pages["next"],
    }


async def test_what_is_named_by_the_other_is_not_there(lrs: Lrs) -> None:
    """With every id, key and cursor of the other in hand."""
    await lrs.get()
    theirs, other = await _belongings(lrs), await lrs.other_tenant()
    operator = other.bearer("operator")
    requests: list[tuple[str, str, Json]] = [
        ("GET", f"/quarantine/{theirs['quarantine']}", {}),
        ("POST", f"/quarantine/{theirs['quarantine']}/replay", {}),
        ("DELETE", f"/quarantine/{theirs['quarantine']}", {}),
        ("POST", f"/credentials/{theirs['credential']}/rotate", {}),
        ("DELETE", f"/credentials/{theirs['credential']}", {}),
        ("DELETE", f"/launches/{theirs['launch']}", {}),
        ("POST", f"/emitters/{theirs['credential']}/watches", {"json": {"statements": 1}}),
    ]
    for method, path, options in requests:
        answer = await other.http.request(method, path, headers=operator, **options)
        assert answer.status_code in (400, 404), (method, path, answer.text)
        assert answer.status_code == 404 or "watches" in path
        assert "ada" not in answer.text
    assert (await other.get(statementId=theirs["statement"])).status_code == 404
    assert (await other.get(theirs["more"])).json()["statements"] == []
    answer = await other.http.get("/credentials", params={"cursor": theirs["next"]}, headers=operator)
    assert theirs["credential"] not in answer.text
    params = {"credential": theirs["credential"]}
    answer = await other.http.get("/quarantine", params=params, headers=operator)
    assert answer.json()["items"] == []
    assert (await other.post(statement("ada") | {"id": theirs["statement"]})).status_code == 200
    assert (await lrs.get(statementId=theirs["statement"])).json()["attachments"]
    referring = statement(object={"objectType": "StatementRef", "id": theirs["statement"]})
    assert (await other.post(voiding(theirs["statement"]))).status_code == 200
    assert (await other.post(referring)).status_code == 200
    assert (await lrs.get(statementId=theirs["statement"])).status_code == 200
    assert theirs["credential"] in (await lrs.http.get("/credentials", headers=lrs.bearer("operator"))).text


async def test_the_data_of_an_attachment_is_its_tenants(lrs: Lrs) -> None:
    """Whoever knows the hash alone gets no data for it."""
    other = await lrs.other_tenant()
    content = {"Content-Type": CONTENT_TYPE}
    sent = statement("ada", attachments=[attachment(b"only mine")])
    assert (await lrs.post(multipart(sent, b"only mine"), headers=content)).status_code == 200
    named = statement("ada", attachments=[attachment(b"only mine", fileUrl="https://files.example.org/1")])
    assert (await other.post(multipart(named), headers=content)).status_code == 200
    assert b"only mine" not in (await other.get(attachments="true")).content
    unsent = statement("ada", attachments=[attachment(b"only mine")])
    assert (await other.post(multipart(unsent), headers=content)).status_code == 400
    assert b"only mine" in (await lrs.get(attachments="true")).content


async def test_a_launch_is_its_tenants(lrs: Lrs) -> None:
    other = await lrs.other_tenant()
    body = {"actor": agent("ada"), "activityId": ACTIVITY}
    launch = (await other.http.post("/launches", json=body, auth=other.auth)).json()
    headers = XAPI | {"Authorization": f"Basic {launch['token']}"}
    sent = statement("ada", context={"registration": launch["registration"]})
    assert (await lrs.http.post(STATEMENTS, json=sent, headers=headers)).status_code == 200
    assert (await lrs.get(statementId=sent["id"])).status_code == 404
    assert (await other.get(statementId=sent["id"])).status_code == 200
    params = {
        "activityId": ACTIVITY,
        "agent": json.dumps(agent("ada")),
        "registration": launch["registration"],
        "stateId": "x",
    }
    await lrs.http.put(STATE, params=params, json={"of": "one"}, headers=XAPI, auth=lrs.auth)
    assert (await lrs.http.get(STATE, params=params, headers=headers)).status_code == 404
