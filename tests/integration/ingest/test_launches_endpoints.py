"""/launches: what a browser is given in the place of a secret, and what it may do with that."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx2
import pytest
from ingest.credentials.verification import Verifier
from ingest.launches.repository import PREFIX
from ingest.worker import participant
from service_kit.mongo import in_transaction

from tests.integration.ingest.lrs import STATEMENTS, Json, Lrs, agent, places, statement

STATE = "/xapi/activities/state"
AU = "https://lms.example.org/au/7"
XAPI = {"X-Experience-API-Version": "1.0.3"}


def wanted(name: str = "ada", **parts: Any) -> Json:
    return {"actor": agent(name), "activityId": AU, **parts}


async def launched(lrs: Lrs, auth: httpx2.BasicAuth | None = None, **parts: Any) -> Json:
    answer = await lrs.http.post("/launches", json=wanted(**parts), auth=auth or lrs.auth)
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


def shown(launch: Json) -> dict[str, str]:
    return XAPI | {"Authorization": f"Basic {launch['token']}"}


def within(launch: Json, name: str = "ada", **parts: Any) -> Json:
    return statement(name, object={"id": AU}, context={"registration": launch["registration"]}) | parts


async def write(lrs: Lrs, launch: Json, body: Json | list[Json]) -> httpx2.Response:
    return await lrs.http.post(STATEMENTS, json=body, headers=shown(launch))


class TestLaunch:
    async def test_anonymous(self, lrs: Lrs) -> None:
        answer = await lrs.http.post("/launches", json=wanted())
        assert answer.status_code == 401
        assert "WWW-Authenticate" in answer.headers

    async def test_missing_scope(self, lrs: Lrs) -> None:
        for scopes in (["statements/write"], ["state", "statements/read"], ["all/read", "define"]):
            _, auth = await lrs.credential(*scopes)
            assert (await lrs.http.post("/launches", json=wanted(), auth=auth)).status_code == 403
        for role in ("learner", "teacher", "service", "dpo"):
            assert (await lrs.http.post("/launches", json=wanted(), headers=lrs.bearer(role))).status_code == 403

    async def test_a_launch_cannot_launch(self, lrs: Lrs) -> None:
        launch = await launched(lrs)
        assert (await lrs.http.post("/launches", json=wanted(), headers=shown(launch))).status_code == 403
        assert (await lrs.http.delete(f"/launches/{launch['id']}", headers=shown(launch))).status_code == 403

    @pytest.mark.parametrize(
        ("parts", "pointer"),
        [
            ({"actor": {}}, "/actor"),
            ({"actor": {"mbox": "ada"}}, "/actor/mbox"),
            ({"actor": {"objectType": "Group", **agent("x")}}, "/actor"),
            ({"activityId": "no iri"}, "/activityId"),
            ({"registration": "7"}, "/registration"),
            ({"lifetime_seconds": 86401}, "/lifetime_seconds"),
            ({"lifetime_seconds": 0}, "/lifetime_seconds"),
            ({"au_url": "javascript:alert(1)"}, "/au_url"),
            ({"au_url": "https://[au.example.org/"}, "/au_url"),
            ({"au_url": "https://au.example.org:99999/"}, "/au_url"),
            ({"au_url": "https://au.example.org/?fetch=1"}, "/au_url"),
            ({"tenant": "other"}, "/tenant"),
        ],
    )
    async def test_invalid(self, lrs: Lrs, parts: Json, pointer: str) -> None:
        answer = await lrs.http.post("/launches", json=wanted() | parts, auth=lrs.auth)
        assert answer.status_code == 400
        assert places(answer) == {pointer}

    async def test_happy(self, lrs: Lrs) -> None:
        launch = await launched(lrs, au_url="https://au.example.org/start?lang=de")
        assert launch["endpoint"] == "http://ingest.test/xapi/"
        query = parse_qs(urlsplit(launch["launch_url"]).query)
        assert json.loads(query.pop("actor")[0]) == agent("ada")
        assert query == {
            "lang": ["de"],
            **{name: [launch[name]] for name in ("endpoint", "fetch", "registration", "activityId")},
        }
        assert (await write(lrs, launch, within(launch))).status_code == 200
        kept = await lrs.connections.db["launches"].find_one({"_id": launch["id"]})
        assert kept is not None
        assert launch["token"] not in str(kept)
        assert urlsplit(launch["fetch"]).query.removeprefix("k=") not in str(kept)

    async def test_by_token_of_an_app(self, lrs: Lrs) -> None:
        for headers in (
            lrs.bearer("app"),
            lrs.bearer("operator"),
            {"Authorization": f"Bearer {lrs.tokens.make(tenant=lrs.tenant, scope='statements/write state')}"},
        ):
            answer = await lrs.http.post("/launches", json=wanted(), headers=headers)
            assert answer.status_code == 201, answer.text
            assert (await write(lrs, answer.json(), within(answer.json()))).status_code == 200

    async def test_the_issuer_vouches(self, lrs: Lrs) -> None:
        key, auth = await lrs.credential("statements/write", "state", "statements/read/mine")
        launch = await launched(lrs, auth)
        sent = within(launch)
        await write(lrs, launch, sent)
        assert await lrs.ids(auth=auth) == [sent["id"]]
        assert (await lrs.get(statementId=sent["id"])).json()["authority"]["account"]["name"] == key


class TestLimits:
    async def test_statements(self, lrs: Lrs) -> None:
        launch = await launched(lrs)
        good = within(launch)
        for broken, place in (
            (within(launch, "grace"), "/actor"),
            (within(launch, context={"registration": str(uuid4())}), "/context/registration"),
            (within(launch, object={"id": f"{AU}0"}), "/object"),
        ):
            answer = await write(lrs, launch, broken)
            assert answer.status_code == 403
            assert places(answer) == {place}
            answer = await write(lrs, launch, [good, broken])
            assert answer.status_code == 403
            assert places(answer) == {f"/1{place}"}
            params = {"statementId": broken["id"]}
            answer = await lrs.http.put(STATEMENTS, json=broken, params=params, headers=shown(launch))
            assert answer.status_code == 403
        assert await lrs.stored() == 0

    async def test_nothing_is_read(self, lrs: Lrs) -> None:
        launch = await launched(lrs)
        sent = within(launch)
        await write(lrs, launch, sent)
        who = json.dumps(agent("ada"))
        for path, params in (
            (STATEMENTS, {}),
            (STATEMENTS, {"statementId": sent["id"]}),
            ("/xapi/activities", {"activityId": AU}),
            ("/xapi/agents", {"agent": who}),
            ("/xapi/activities/profile", {"activityId": AU}),
            ("/xapi/agents/profile", {"agent": who}),
            ("/xapi/agents/profile", {"agent": who, "profileId": "secret"}),
        ):
            answer = await lrs.http.get(path, params=params, headers=shown(launch))
            assert answer.status_code == 403, path

    async def test_by_the_alternate_syntax(self, lrs: Lrs) -> None:
        """The method of the form counts, not that of the request (1.0.3 Communication 1.3)."""
        launch = await launched(lrs)
        form = shown(launch)
        answer = await lrs.http.post(STATEMENTS, params={"method": "GET"}, data=form)
        assert answer.status_code == 403, answer.text
        grace = {"activityId": AU, "agent": json.dumps(agent("grace")), "registration": launch["registration"]}
        answer = await lrs.http.post(STATE, params={"method": "GET"}, data=form | grace)
        assert answer.status_code == 403, answer.text
        ada = grace | {"agent": json.dumps(agent("ada"))}
        answer = await lrs.http.post(STATE, params={"method": "GET"}, data=form | ada)
        assert answer.status_code == 200, answer.text


class TestFetch:
    async def test_get_is_not_allowed(self, lrs: Lrs) -> None:
        launch = await launched(lrs)
        assert (await lrs.http.get(launch["fetch"])).status_code == 405

    async def test_once(self, lrs: Lrs) -> None:
        launch = await launched(lrs)
        answers = await asyncio.gather(*(lrs.http.post(launch["fetch"]) for _ in range(5)))
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.headers["Content-Type"] for answer in answers} == {"application/json"}
        assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
        given = [answer.json() for answer in answers if "auth-token" in answer.json()]
        refused = [answer.json() for answer in answers if "auth-token" not in answer.json()]
        assert len(given) == 1
        assert [one["error-code"] for one in refused] == ["1"] * 4
        assert all(one["error-text"] for one in refused)
        token = {"token": given[0]["auth-token"]}
        assert token["token"] != launch["token"]
        assert (await write(lrs, launch | token, within(launch))).status_code == 200

    async def test_of_no_launch(self, lrs: Lrs) -> None:
        launch = await launched(lrs)
        fetch, _, _ = launch["fetch"].partition("?")
        for url in (fetch, f"{fetch}?k=wrong", "/launches/launch.x/fetch?k=x"):
            assert (await lrs.http.post(url)).json()["error-code"] == "2"
        assert "auth-token" in (await lrs.http.post(launch["fetch"])).json()

    async def test_after_its_end(self, lrs: Lrs) -> None:
        launch = await launched(lrs, lifetime_seconds=60)
        past = {"$set": {"expires_at": lrs.connections.clock() - timedelta(seconds=1)}}
        await lrs.connections.db["launches"].update_one({"_id": launch["id"]}, past)
        assert (await lrs.http.post(launch["fetch"])).json()["error-code"] == "1"
        assert (await write(lrs, launch, within(launch))).status_code == 401

    async def test_a_page_of_another_origin(self, lrs: Lrs) -> None:
        launch = await launched(lrs)
        answer = await lrs.http.post(launch["fetch"], headers={"Origin": "https://au.example.org"})
        assert answer.headers["Access-Control-Allow-Origin"] in ("*", "https://au.example.org")


class TestEnd:
    async def test_its_time(self, lrs: Lrs) -> None:
        launch = await launched(lrs, lifetime_seconds=3600)
        for hours, status in ((0.99, 200), (1.01, 401)):
            after = lrs.connections.clock() + timedelta(hours=hours)
            verifier = Verifier(
                lrs.app.state.ingest.credentials.known,
                others={PREFIX: lrs.app.state.ingest.launches.known},
                clock=lambda after=after: after,  # type: ignore[misc]  # the default binds this turn's value
            )
            try:
                await verifier.verify(shown(launch)["Authorization"])
                found = 200
            except Exception as error:
                found = getattr(error, "status", 0)
            assert found == status

    async def test_revoked(self, lrs: Lrs) -> None:
        launch, other = await launched(lrs), await lrs.other_tenant()
        assert (await write(lrs, launch, within(launch))).status_code == 200
        assert (await lrs.http.delete(f"/launches/{launch['id']}", auth=other.auth)).status_code == 404
        assert (await write(lrs, launch, within(launch))).status_code == 200
        assert (await lrs.http.delete(f"/launches/{launch['id']}", auth=lrs.auth)).status_code == 204
        assert (await write(lrs, launch, within(launch))).status_code == 401
        assert (await lrs.http.post(launch["fetch"])).json()["error-code"] == "2"
        assert (await lrs.http.delete(f"/launches/{launch['id']}", auth=lrs.auth)).status_code == 404

    async def test_it_ends_with_its_credential(self, lrs: Lrs) -> None:
        key, auth = await lrs.credential()
        launch, mine = await launched(lrs, auth), await launched(lrs)
        for one in (launch, mine):
            assert (await write(lrs, one, within(one))).status_code == 200
        await lrs.http.delete(f"/credentials/{key}", headers=lrs.bearer("operator"))
        assert (await write(lrs, launch, within(launch))).status_code == 401
        assert (await write(lrs, mine, within(mine))).status_code == 200

    async def test_it_is_erased_with_the_learner(self, lrs: Lrs) -> None:
        await launched(lrs)
        await launched(lrs, name="grace")
        ada = await lrs.learner("ada")
        counts = await in_transaction(
            lrs.connections.client, lambda session: participant(lrs.connections).erase(lrs.tenant, ada, session)
        )
        assert counts["launches"] == 1
        left = await lrs.connections.db["launches"].find({"tenant": lrs.tenant}).to_list(None)
        assert [one["learner"] for one in left] == [await lrs.learner("grace")]


async def test_no_secret_is_logged(lrs: Lrs, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = (
        await lrs.http.post("/credentials", json={"name": "x", "scopes": ["all"]}, headers=lrs.bearer("operator"))
    ).json()
    key = made["key"]
    again = (await lrs.http.post(f"/credentials/{key}/rotate", headers=lrs.bearer("operator"))).json()
    auth = httpx2.BasicAuth(key, again["secret"])
    launch = await launched(lrs, auth)
    fetched = (await lrs.http.post(launch["fetch"])).json()
    await lrs.get(auth=httpx2.BasicAuth(key, "guessed-secret"))
    await write(lrs, launch, within(launch))
    ours = [record for record in caplog.records if not record.name.startswith(("httpx2", "httpcore2", "asyncio"))]
    assert ours
    logged = " ".join(f"{record.getMessage()} {record.__dict__}" for record in ours)
    secrets = [made["secret"], again["secret"], launch["token"], fetched["auth-token"], "guessed-secret"]
    for secret in [*secrets, urlsplit(launch["fetch"]).query.removeprefix("k=")]:
        assert secret not in logged


async def test_queries_have_their_index(lrs: Lrs) -> None:
    await launched(lrs)
    launches = lrs.connections.db["launches"]
    for where in ({"tenant": lrs.tenant, "learner": "x"}, {"tenant": lrs.tenant, "issued_by": "x"}):
        plan = await launches.find(where).explain()
        assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"])
