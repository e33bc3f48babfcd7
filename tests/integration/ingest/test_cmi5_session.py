"""A whole cmi5 session over HTTP: what the LMS does and what the AU does (cmi5, "Quartz", first edition)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx2
import pytest
from events.payloads import Unknown

from tests.integration.ingest.lrs import Json, Lrs, agent, places

ADA = {"objectType": "Agent", **agent("ada")}
AU = "https://lms.example.org/au/42"
AU_URL = "https://content.example.org/intro/index.html?theme=dark"
PUBLISHER = "https://publisher.example.org/courses/1/au/intro"
EXTENSIONS = "https://w3id.org/xapi/cmi5/context/extensions/"
CMI5 = {"id": "https://w3id.org/xapi/cmi5/context/categories/cmi5"}
MOVE_ON = {"id": "https://w3id.org/xapi/cmi5/context/categories/moveon"}
VERBS = {
    name: f"http://adlnet.gov/expapi/verbs/{name}"
    for name in ("launched", "initialized", "completed", "passed", "failed", "terminated")
} | {name: f"https://w3id.org/xapi/adl/verbs/{name}" for name in ("abandoned", "waived", "satisfied")}
COURSE: Json = {
    "publisherId": PUBLISHER,
    "launchMode": "Normal",
    "moveOn": "CompletedAndPassed",
    "masteryScore": 0.75,
    "launchParameters": '{"chapter":1}',
    "returnURL": "https://lms.example.org/back?id=1",
    "entitlementKey": {"courseStructure": "xyz-123-9999", "alternate": "abc-456-1111"},
    "contextTemplate": {
        "contextActivities": {"grouping": [{"id": "https://lms.example.org/course/1"}]},
        "extensions": {"https://lms.example.org/extensions/term": "2026"},
    },
}


class Au:
    """An assignable unit in a browser: all it has is the URL by which it was opened."""

    def __init__(self, http: httpx2.AsyncClient, launch_url: str) -> None:
        self.http = http
        query = parse_qs(urlsplit(launch_url).query, strict_parsing=True)
        given = {name: values[0] for name, values in query.items()}
        self.endpoint, self.fetch = given["endpoint"], given["fetch"]
        self.actor: Json = json.loads(given["actor"])
        self.registration, self.activity = given["registration"], given["activityId"]
        self.headers = {"X-Experience-API-Version": "1.0.3"}
        self.template: Json = {}

    @property
    def own(self) -> dict[str, str]:
        return {
            "activityId": self.activity,
            "agent": json.dumps(self.actor),
            "registration": self.registration,
        }

    async def begin(self) -> Json:
        """Fetch the token, then the launch data."""
        answer = (await self.http.post(self.fetch)).json()
        self.headers["Authorization"] = f"Basic {answer['auth-token']}"
        data: Json = (await self.state("GET", stateId="LMS.LaunchData")).json()
        self.template = data["contextTemplate"]
        return data

    async def state(self, method: str, content: Any = None, **params: str) -> httpx2.Response:
        url = f"{self.endpoint}activities/state"
        return await self.http.request(method, url, params=self.own | params, headers=self.headers, json=content)

    def statement(self, verb: str, *categories: Json, **parts: Any) -> Json:
        activities = {**self.template["contextActivities"], "category": [CMI5, *categories]}
        return {
            "id": str(uuid4()),
            "actor": self.actor,
            "verb": {"id": VERBS[verb], "display": {"en": verb}},
            "object": {"id": self.activity},
            "timestamp": "2026-09-01T08:00:00.000Z",
            "context": {**self.template, "contextActivities": activities, "registration": self.registration},
            **parts,
        }

    async def send(self, statement: Json | list[Json]) -> httpx2.Response:
        return await self.http.post(f"{self.endpoint}statements", json=statement, headers=self.headers)


async def open_au(lrs: Lrs, **parts: Any) -> tuple[Au, Json]:
    body = {"actor": ADA, "activityId": AU, "au_url": AU_URL, "cmi5": COURSE, **parts}
    answer = await lrs.http.post("/launches", json=body, auth=lrs.auth)
    assert answer.status_code == 201, answer.text
    launch: Json = answer.json()
    return Au(lrs.http, launch["launch_url"]), launch


async def test_the_whole_session(lrs: Lrs) -> None:
    preferences = {"languagePreference": "de-DE,en", "audioPreference": "on"}
    of_ada = {"agent": json.dumps(ADA), "profileId": "cmi5LearnerPreferences"}
    headers = {"X-Experience-API-Version": "1.0.3"}
    profile = "/xapi/agents/profile"
    put: dict[str, Any] = {
        "params": of_ada,
        "json": preferences,
        "headers": headers | {"If-None-Match": "*"},
        "auth": lrs.auth,
    }
    assert (await lrs.http.put(profile, **put)).status_code == 204

    au, launch = await open_au(lrs)
    data = await au.begin()
    assert data == {
        "contextTemplate": {
            "contextActivities": {"grouping": [{"id": "https://lms.example.org/course/1"}, {"id": PUBLISHER}]},
            "extensions": {
                "https://lms.example.org/extensions/term": "2026",
                f"{EXTENSIONS}sessionid": launch["session_id"],
            },
        },
        **{name: value for name, value in COURSE.items() if name not in ("publisherId", "contextTemplate")},
    }
    asked = await lrs.http.get(profile, params=of_ada, headers=au.headers)
    assert asked.json() == preferences
    assert (await lrs.http.put(profile, params=of_ada, json={}, headers=au.headers)).status_code == 403

    assert (await au.send(au.statement("initialized"))).status_code == 200
    assert (await au.state("PUT", {"page": 3}, stateId="bookmark")).status_code == 204
    assert (await au.state("POST", {"score": 4}, stateId="bookmark")).status_code == 204
    assert (await au.state("GET", stateId="bookmark")).json() == {"page": 3, "score": 4}
    assert sorted((await au.state("GET")).json()) == ["LMS.LaunchData", "bookmark"]
    allowed = au.statement("completed") | {"verb": {"id": "https://example.org/verbs/answered"}}
    allowed["object"] = {"id": f"{AU}/question/1"}
    allowed["context"] = au.template | {"registration": au.registration, "contextActivities": {"parent": [{"id": AU}]}}
    assert (await au.send(allowed)).status_code == 200
    mastery = {f"{EXTENSIONS}masteryscore": 0.75}
    passed = au.statement("passed", MOVE_ON, result={"score": {"scaled": 0.8}, "success": True, "duration": "PT5M"})
    passed["context"]["extensions"] = au.template["extensions"] | mastery
    completed = au.statement("completed", MOVE_ON, result={"completion": True, "duration": "PT10M"})
    assert (await au.send([passed, completed])).status_code == 200
    assert (await au.send(au.statement("terminated", result={"duration": "PT11M"}))).status_code == 200

    kept = (await lrs.get(registration=au.registration, ascending="true")).json()["statements"]
    names = {verb: name for name, verb in VERBS.items()}
    assert [names.get(one["verb"]["id"], "answered") for one in kept] == [
        "launched",
        "initialized",
        "answered",
        "passed",
        "completed",
        "terminated",
    ]
    context = kept[0]["context"]
    assert context["extensions"] == au.template["extensions"] | {
        f"{EXTENSIONS}launchmode": "Normal",
        f"{EXTENSIONS}launchurl": AU_URL,
        f"{EXTENSIONS}moveon": "CompletedAndPassed",
        f"{EXTENSIONS}masteryscore": 0.75,
        f"{EXTENSIONS}launchparameters": '{"chapter":1}',
    }
    assert context["contextActivities"]["category"] == [CMI5]
    assert kept[0]["object"]["id"] == AU


async def test_what_the_au_may_not(lrs: Lrs) -> None:
    au, _ = await open_au(lrs)
    await au.begin()
    assert (await lrs.http.post(au.fetch)).json()["error-code"] == "1"
    grace = agent("grace")
    for statement, place in (
        (au.statement("passed", actor=grace), "/actor"),
        (au.statement("passed", object={"id": f"{AU}1"}), "/object"),
        (au.statement("passed", context={}), "/context/registration"),
    ):
        answer = await au.send([au.statement("initialized"), statement])
        assert answer.status_code == 403
        assert f"/1{place}" in places(answer)
    for params in ({"activityId": f"{AU}1"}, {"agent": json.dumps(grace)}, {"registration": str(uuid4())}):
        for method in ("GET", "PUT", "POST", "DELETE"):
            content: Json | None = {} if method in ("PUT", "POST") else None
            answer = await au.state(method, content, stateId="bookmark", **params)
            assert answer.status_code == 403
            assert places(answer) == {f"query:{name}" for name in params}
    assert (await au.state("PUT", {}, stateId="LMS.LaunchData")).status_code == 403
    assert (await au.state("DELETE", stateId="LMS.LaunchData")).status_code == 403
    assert (await au.state("DELETE")).status_code == 403
    assert (await au.state("GET", stateId="LMS.LaunchData")).status_code == 200


async def test_after_the_session(lrs: Lrs) -> None:
    au, launch = await open_au(lrs)
    await au.begin()
    assert (await au.send(au.statement("initialized"))).status_code == 200
    assert (await lrs.http.delete(f"/launches/{launch['id']}", auth=lrs.auth)).status_code == 204
    assert (await au.send(au.statement("terminated"))).status_code == 401
    assert (await au.state("GET", stateId="LMS.LaunchData")).status_code == 401


async def test_the_lms_says_the_rest(lrs: Lrs) -> None:
    """launched, abandoned, waived and satisfied are the LMS's (9.3); all nine are taken from it."""
    au, _ = await open_au(lrs)
    await au.begin()
    batch = [au.statement(verb) for verb in VERBS]
    batch[-1]["object"] = {
        "id": "https://lms.example.org/course/1",
        "definition": {"type": "https://w3id.org/xapi/cmi5/activitytype/course"},
    }
    assert (await lrs.post(batch)).status_code == 200


async def test_the_same_attempt_again(lrs: Lrs) -> None:
    """A second session of the registration has data of its own, and the first one's state."""
    first, launch = await open_au(lrs)
    await first.begin()
    await first.state("PUT", {"page": 3}, stateId="bookmark")
    again = {"registration": launch["registration"], "cmi5": COURSE | {"launchMode": "Review", "sessionId": "s 2"}}
    second, _ = await open_au(lrs, **again)
    data = await second.begin()
    assert data["launchMode"] == "Review"
    assert data["contextTemplate"]["extensions"][f"{EXTENSIONS}sessionid"] == "s 2"
    assert (await second.state("GET", stateId="bookmark")).json() == {"page": 3}


async def test_of_a_learner_who_does_not_allow_it(lrs: Lrs) -> None:
    await lrs.policy(Unknown.denied)
    body = {"actor": ADA, "activityId": AU, "au_url": AU_URL, "cmi5": COURSE}
    answer = await lrs.http.post("/launches", json=body, auth=lrs.auth)
    assert answer.status_code == 201
    assert answer.headers["Trellis-Not-Recorded"] == "2"
    assert await lrs.stored() == 0
    au = Au(lrs.http, answer.json()["launch_url"])
    kept = await lrs.get("/xapi/activities/state", **au.own, stateId="LMS.LaunchData")
    assert kept.status_code == 404


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        ({"au_url": None}, "/au_url"),
        ({"actor": {"mbox": "mailto:ada@example.org"}}, "/actor"),
        ({"activityId": PUBLISHER}, "/activityId"),
        ({"cmi5": COURSE | {"publisherId": "x"}}, "/cmi5/publisherId"),
        ({"cmi5": COURSE | {"launchMode": "normal"}}, "/cmi5/launchMode"),
        ({"cmi5": COURSE | {"moveOn": "Never"}}, "/cmi5/moveOn"),
        ({"cmi5": COURSE | {"masteryScore": 1.1}}, "/cmi5/masteryScore"),
        ({"cmi5": COURSE | {"masteryScore": 0.12345}}, "/cmi5/masteryScore"),
        ({"cmi5": COURSE | {"returnURL": "javascript:alert(1)"}}, "/cmi5/returnURL"),
        ({"cmi5": COURSE | {"contextTemplate": {"language": 7}}}, "/cmi5/contextTemplate/language"),
        ({"cmi5": COURSE | {"contextTemplate": {"extensions": None}}}, "/cmi5/contextTemplate/extensions"),
        ({"cmi5": COURSE | {"contextTemplate": {"contextActivities": []}}}, "/cmi5/contextTemplate/contextActivities"),
        (
            {"cmi5": COURSE | {"contextTemplate": {"contextActivities": {"parent": [{"id": "x"}]}}}},
            "/cmi5/contextTemplate/contextActivities/parent/0/id",
        ),
    ],
)
async def test_launches_that_are_not_valid(lrs: Lrs, parts: Json, pointer: str) -> None:
    body = {"actor": ADA, "activityId": AU, "au_url": AU_URL, "cmi5": COURSE, **parts}
    answer = await lrs.http.post("/launches", json=body, auth=lrs.auth)
    assert answer.status_code == 400, answer.text
    assert places(answer) == {pointer}
    assert await lrs.stored() == 0
