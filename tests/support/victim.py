"""A learner with a canary in every personal field, who is named by everyone else too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx2
from devstack.latency import HOME_PAGE, XAPI_HEADERS, account, answered
from devstack.stack import Stack

from tests.support import multipart_mixed as multipart
from tests.support.canaries import Canaries, Json
from tests.support.driving import House, eventually
from tests.support.signing import signer

ACTIVITY = "https://example.org/a"
EXTENSION = "https://example.org/extension/note"
VERB = {"id": "http://adlnet.gov/expapi/verbs/commented"}
VERSION_2 = {"X-Experience-API-Version": "2.0.0"}


@dataclass
class Victim:
    canary: Canaries = field(default_factory=Canaries)
    learner_id: str = ""
    last: str = ""

    @property
    def agent(self) -> Json:
        return {"objectType": "Agent", "account": {"homePage": HOME_PAGE, "name": self.canary("account")}}

    @property
    def person(self) -> Json:
        return {**self.agent, "name": self.canary("name")}

    @property
    def canaries(self) -> list[str]:
        return list(self.canary.sent.values())

    def statements(self, activities: Sequence[str]) -> list[Json]:
        return [self._statement(activity, number) for number, activity in enumerate(activities)]

    def _statement(self, activity: str, number: int) -> Json:
        said = answered(self.person, activity, scaled=number % 2, seconds=20)
        said["result"] |= {"response": self.canary("response"), "extensions": {EXTENSION: self.canary("extension")}}
        return {**said, "context": {"registration": self.canary.uuid("registration")}}

    def live(self, house: House) -> None:
        """Learn, keep documents, open content, hand in a file."""
        house.post_statements(self.statements(house.activities())).raise_for_status()
        self._keep_documents(house)
        launch = {"actor": self.person, "activityId": ACTIVITY, "registration": self.canary.uuid("launch")}
        house.http.post(house.url("ingest", "/launches"), json=launch, headers=house.token).raise_for_status()
        data = self.canary("attachment").encode()
        described = multipart.attachment(data, display={"en": self.canary("attachment.display")})
        said = self._statement(house.activities(1)[0], 1) | {"attachments": [described]}
        self.last = said["id"]
        hand_in(house, said, data)
        self.learner_id = house.learner_id(self.agent)

    def _keep_documents(self, house: House) -> None:
        agent = json.dumps(self.agent)
        kept = {
            "activities/state": {"activityId": ACTIVITY, "stateId": self.canary("state.name")},
            "agents/profile": {"profileId": self.canary("profile.name")},
        }
        kept["activities/state"]["registration"] = self.canary.uuid("state.registration")
        for path, where in kept.items():
            content = json.dumps({"at": self.canary(f"{path}.document")}).encode()
            headers = XAPI_HEADERS | {"Content-Type": "application/json"} | {"If-None-Match": "*"}
            xapi(house, "PUT", path, params={"agent": agent, **where}, content=content, headers=headers)

    def be_known(self, house: House) -> None:
        """Of the school: a row of the roster, a guardian, a request, each with its texts."""
        named = f"{self.canary('roster.name')},note={self.canary('roster.value')}"
        _enrol(house, self.agent, "learner", named)
        link = {"learner_id": self.learner_id, "guardian": self.canary("guardian")}
        link["verified_by"] = self.canary("guardian.verified")
        house.http.post(house.url("privacy", "/guardians"), json=link, headers=house.token).raise_for_status()
        access = {"type": "access", "learner_id": self.learner_id, "reason": self.canary("request.reason")}
        house.http.post(house.url("privacy", "/requests"), json=access, headers=house.token).raise_for_status()

    def be_refused(self, house: House) -> None:
        """A statement of a batch that is not valid, and waits in quarantine: about the learner, and about nobody."""
        body = {"name": "emitter", "scopes": ["statements/write"], "profile": "moodle"}
        made = house.http.post(house.url("ingest", "/credentials"), json=body, headers=house.token).raise_for_status()
        wrong = {"verb": {"id": "started"}, "result": {"response": self.canary("quarantine.response")}}
        sent = [
            _said(self.person, {"id": ACTIVITY}, **wrong),
            _said(self.person, {"id": ACTIVITY}, context={"registration": self.canary("quarantine.registration")}),
            _said(account(f"classmate-{uuid4().hex[:8]}"), {"id": ACTIVITY}),
        ]
        auth = (made.json()["key"], made.json()["secret"])
        answer = house.http.post(f"{house.xapi}/statements", json=sent, headers=XAPI_HEADERS, auth=auth)
        assert answer.is_success, answer.text
        where = {"credential": made.json()["key"]}
        assert len(house.get("ingest", "/quarantine", **where).raise_for_status().json()["items"]) == 2

    def be_judged(self, house: House, stack: Stack) -> None:
        """The learner contests, a teacher decides and overrules; each says why."""
        teacher = account(f"teacher-{uuid4().hex[:8]}")
        _enrol(house, teacher, "teacher", ",")
        learns = _bearer(stack, "learner", self.canary("token.subject"), self.learner_id)
        teaches = _bearer(stack, "teacher", "teacher", house.learner_id(teacher))
        evidence = f"/learners/{self.learner_id}/evidence/{self.last}"
        profile = f"/learners/{self.learner_id}"
        eventually(lambda: house.get("learner_profile", profile).json()["reflects"] == self.last, what="the profile")
        page = house.get("learner_profile", profile).json()
        competency = quote(page["competencies"][0]["id"], safe="")
        estimate = f"/learners/{self.learner_id}/competencies/{competency}/estimate"
        for method, path, said, token in (
            ("POST", f"{evidence}/contest", {"reason": self.canary("contest.reason")}, learns),
            ("POST", f"{evidence}/override", {"reason": self.canary("override.reason"), "correctness": 1.0}, teaches),
            ("PUT", estimate, {"reason": self.canary("estimate.reason"), "probability": 0.5}, teaches),
        ):
            eventually(partial(_taken, house, method, path, said, token), what=path)

    def be_named(self, house: House, other: Json) -> list[Json]:
        """In every place of somebody else's statements that takes an agent; these, as they were sent."""
        mine, somewhere = self.person, {"id": ACTIVITY}
        inner = {"objectType": "SubStatement", "verb": VERB}
        about_me = {"objectType": "Agent", **mine}
        pupils = {"objectType": "Group", "name": "a team", "member": [other, mine]}
        contexts: list[Json] = [
            {"instructor": mine},
            {"team": pupils},
            {"instructor": mine, "extensions": {EXTENSION: f"with {self.canary('name')}, {self.canary('account')}"}},
        ]
        sent = [_said(other, somewhere, context=context) for context in contexts]
        sent += [
            _said(other, about_me),
            _said(other, {**inner, "actor": mine, "object": somewhere}),
            _said(other, {**inner, "actor": other, "object": about_me}),
            _said(other, {**inner, "actor": other, "object": somewhere, "context": {"instructor": mine}}),
            _said(pupils, somewhere),
            _said(other, about_me, result={"response": f"{self.canary('name')} did it"}),
        ]
        house.post_statements(sent).raise_for_status()
        types = {"relevantTypes": ["https://example.org/types/helper"]}
        newer: Json = {
            "contextAgents": [{"objectType": "contextAgent", "agent": mine, **types}],
            "contextGroups": [{"objectType": "contextGroup", "group": pupils, **types}],
        }
        sent.append(_said(other, somewhere, context=newer))
        xapi(house, "POST", "statements", json=[sent[-1]], headers=VERSION_2)
        vouched = _said(other, somewhere) | {"authority": mine, "stored": "2026-01-01T00:00:00.000Z"}
        headers = house.token | {"Content-Type": "application/x-ndjson"}
        address, lines = house.url("ingest", "/imports/statements"), json.dumps(vouched) + "\n"
        taken = house.http.post(address, content=lines, headers=headers).raise_for_status().json()
        assert not taken["rejected"], taken
        signed = _said(other, somewhere, context={"instructor": mine})
        data = signer().sign(signed)
        described = multipart.attachment(data, "application/octet-stream", usageType=multipart.SIGNATURE)
        hand_in(house, signed | {"attachments": [described]}, data)
        return [*sent, vouched, signed]


def _taken(house: House, method: str, path: str, said: Json, token: Json) -> httpx2.Response:
    return house.http.request(method, house.url("learner_profile", path), json=said, headers=token).raise_for_status()


def _bearer(stack: Stack, role: str, subject: str, learner: str) -> Json:
    token = stack.issuer.token(roles=[role], tenant="demo", subject=subject, learner=learner)
    return {"Authorization": f"Bearer {token}"}


def _enrol(house: House, agent: Json, role: str, rest: str) -> None:
    """Into a class; `rest`: the name to show, and attributes."""
    head = "account_home_page,account_name,role,class,school,display_name,attributes"
    row = f"{HOME_PAGE},{agent['account']['name']},{role},7b,North,{rest}"
    csv = house.token | {"Content-Type": "text/csv"}
    address, merge = house.url("insights", "/rosters/import"), {"mode": "merge"}
    house.http.post(address, content=f"{head}\n{row}\n", params=merge, headers=csv).raise_for_status()


def hand_in(house: House, statement: Json, data: bytes) -> None:
    """A statement with its attachment."""
    kind = {"Content-Type": statement["attachments"][0]["contentType"]}
    body = multipart.body(multipart.statements_part(statement), multipart.part(data, kind))
    headers = XAPI_HEADERS | {"Content-Type": multipart.CONTENT_TYPE}
    xapi(house, "POST", "statements", content=body, headers=headers)


def xapi(house: House, method: str, path: str, **more: Any) -> httpx2.Response:
    """What must be taken."""
    answer = house.http.request(method, f"{house.xapi}/{path}", auth=house._auth, **more)
    assert answer.is_success, answer.text
    return answer


def _said(actor: Json, about: Json, **more: Json) -> Json:
    return {"id": str(uuid4()), "actor": actor, "verb": VERB, "object": about, **more}
