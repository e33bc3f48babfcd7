"""Who looks at a learner, looks one up, exports or changes something is written down, by every service."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from events.payloads import Audited
from events.sealing import Sealer
from privacy.audit.subjects import learners_of
from service_kit.auth import Role
from service_kit.runtime import Connections, connections
from service_kit.settings import ServiceSettings

from tests.integration.access.probing import Town, town
from tests.support.tokens import Tokens

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOME = "https://school.example"
XAPI = {"X-Experience-API-Version": "1.0.3"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(settings: ServiceSettings, tokens: Tokens) -> AsyncIterator[Town]:
    async with town(tokens, f"t{secrets.token_hex(4)}", indexed=("ingest",)) as one:
        yield one


@pytest.fixture
def learner() -> str:
    return str(uuid4())


async def written(service: str) -> list[tuple[Audited, list[str | None]]]:
    """The entries in a service's outbox and whom they are about; then it is empty."""
    async with connections(service, ServiceSettings()) as c:
        found = await c.db["audit_entries"].find().sort("_id", 1).to_list(None)
        await c.db["audit_entries"].delete_many({})
        entries = [Audited.model_validate(document["entry"]) for document in found]
        return list(zip(entries, await opened(entries, c), strict=True))


async def opened(entries: list[Audited], c: Connections) -> list[list[str | None]]:
    sealer: Sealer = c.sealer
    return await learners_of(entries, sealer)


def agent(name: str) -> dict[str, object]:
    return {"account": {"homePage": HOME, "name": name}}


async def test_look_ups_of_identities(here: Town) -> None:
    http, app = here.http["ingest"], here.headers("app")
    await written("ingest")
    made = (await http.post("/identities", json=[agent("a"), agent("b")], headers=app)).json()["items"]
    for _ in range(3):
        await http.get("/identities", params={"agent": json.dumps(agent("a"))}, headers=app)
    unknown = await http.get("/identities", params={"agent": json.dumps(agent("nobody"))}, headers=app)
    assert unknown.status_code == 404
    (both, about_both), (one, about_one) = await written("ingest")
    a, b = (item["learner_id"] for item in made)
    assert (both.action, one.action) == ("looked_up", "looked_up")
    assert (about_both, about_one) == ([a, b], [a])
    assert (both.roles, both.count) == (["app"], 2)


async def test_what_an_lms_reads_is_an_entry_a_minute_and_one_for_each_learner_named(here: Town) -> None:
    http, operator = here.http["ingest"], here.headers("operator")
    new = {"name": "LMS", "scopes": ["all"]}
    issued = (await http.post("/credentials", json=new, headers=operator)).json()
    auth = httpx2.BasicAuth(issued["key"], issued["secret"])
    statement = {"actor": agent("pupil"), "verb": {"id": "http://adlnet.gov/expapi/verbs/answered"}}
    statement["object"] = {"id": "https://content.example/a"}
    (await http.post("/xapi/statements", json=statement, headers=XAPI, auth=auth)).raise_for_status()
    await written("ingest")
    for _ in range(3):
        (await http.get("/xapi/statements", headers=XAPI, auth=auth)).raise_for_status()
        query = {"agent": json.dumps(agent("pupil"))}
        (await http.get("/xapi/statements", params=query, headers=XAPI, auth=auth)).raise_for_status()
    found = await written("ingest")
    assert [(entry.what, entry.roles, len(about)) for entry, about in found] == [
        ("statements", ["credential"], 0),
        ("statements", ["credential"], 1),
    ]


async def test_changes_of_who_may_read(here: Town) -> None:
    http, operator = here.http["ingest"], here.headers("operator")
    await written("ingest")
    key = (await http.post("/credentials", json={"name": "x", "scopes": ["all"]}, headers=operator)).json()["key"]
    await http.delete(f"/credentials/{key}", headers=operator)
    await http.get("/exports/statements", headers=operator)
    found = [(entry.action, entry.what) for entry, _ in await written("ingest")]
    assert found == [("changed", f"credentials/{key}"), ("erased", f"credentials/{key}"), ("exported", "statements")]


@pytest.mark.parametrize(
    ("service", "path", "what"),
    [
        ("recommendation", "/learners/{}/recommendations", "recommendations"),
        ("privacy", "/consents/{}", "consents"),
        ("privacy", "/learners/{}/privacy", "privacy"),
    ],
)
async def test_a_reading_by_an_app(here: Town, learner: str, service: str, path: str, what: str) -> None:
    await written(service)
    (await here.http[service].get(path.format(learner), headers=here.headers("app"))).raise_for_status()
    [(entry, about)] = await written(service)
    assert (entry.action, entry.what, about, entry.service) == ("saw", what, [learner], service)


async def test_what_learners_read_about_themselves_is_no_entry(here: Town, learner: str) -> None:
    await written("recommendation")
    own = here.headers("learner", learner=learner)
    (await here.http["recommendation"].get(f"/learners/{learner}/recommendations", headers=own)).raise_for_status()
    (await here.http["recommendation"].get("/learners/me/recommendations", headers=own)).raise_for_status()
    assert await written("recommendation") == []


async def test_a_decision_of_the_learner_is_one(here: Town, learner: str) -> None:
    await written("privacy")
    own = here.headers("learner", learner=learner)
    body = {"status": "objected"}
    (await here.http["privacy"].put("/consents/me/teach", json=body, headers=own)).raise_for_status()
    [(entry, about)] = [one for one in await written("privacy") if one[0].action == "changed"]
    assert (entry.by, about, entry.what.startswith("consents")) == ("self", [learner], True)


async def test_a_report_without_names_is_about_nobody(here: Town) -> None:
    await written("insights")
    (await here.http["insights"].get("/reports/nation", headers=here.headers("authority"))).raise_for_status()
    [(entry, about)] = await written("insights")
    assert (entry.what, about, entry.roles) == ("report", [], [Role.authority.value])


async def test_who_is_refused_writes_nothing(here: Town, learner: str) -> None:
    await written("recommendation")
    refused = await here.http["recommendation"].get(
        f"/learners/{learner}/recommendations", headers=here.headers("teacher")
    )
    assert refused.status_code == 403
    assert await written("recommendation") == []
