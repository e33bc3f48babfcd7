"""/guardians: through a verified link a guardian acts for a minor, until the pack ends it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.integration.privacy.conftest import Caller, policy

pytestmark = pytest.mark.asyncio(loop_scope="module")

YEAR = datetime.now(UTC).year
GRANT = {"status": "granted"}


def school(pack: str) -> dict[str, Any]:
    body = policy(research=("consent", "denied"), chat=("consent", "denied"))
    for rule in body["purposes"].values():
        rule["retention"] = "P1Y"
    body["purposes"]["chat"] |= {"offered_to_child": True, "description": "A chat with other pupils"}
    return body | {"pack": pack, "controller": {"name": "School", "contact": "privacy@school.example"}}


@pytest_asyncio.fixture(loop_scope="module")
async def learner(call: Caller) -> str:
    assert (await call("PUT", "/policy", "dpo", body=school("eu-school"))).status_code == 200
    return str(uuid4())


def link(learner: str, age: int, **more: Any) -> dict[str, Any]:
    # `tester` is the `sub` of the tests' tokens
    born = f"{YEAR - age}-01-01"
    return {"learner_id": learner, "guardian": "tester", "verified_by": "office, identity card", "born": born, **more}


class TestLink:
    async def test_anonymous(self, call: Caller, learner: str) -> None:
        assert (await call("POST", "/guardians", body=link(learner, 12))).status_code == 401

    @pytest.mark.parametrize("role", ["learner", "guardian", "teacher", "operator"])
    async def test_missing_role(self, call: Caller, learner: str, role: str) -> None:
        assert (await call("POST", "/guardians", role, body=link(learner, 12), learner=learner)).status_code == 403

    @pytest.mark.parametrize("change", [{"verified_by": " "}, {"born": "once"}, {"name": "x"}])
    async def test_invalid(self, call: Caller, learner: str, change: dict[str, str]) -> None:
        assert (await call("POST", "/guardians", "dpo", body=link(learner, 12) | change)).status_code == 400

    async def test_both_see_it_and_nobody_else(self, call: Caller, learner: str) -> None:
        made = await call("POST", "/guardians", "dpo", body=link(learner, 12))
        assert made.status_code == 201
        assert (made.json()["until"], made.json()["active"]) == (f"{YEAR + 6}-01-01", True)
        mine = (await call("GET", "/guardians/me", "guardian")).json()
        assert made.json() in mine
        place = f"/guardians?learner_id={learner}"
        assert (await call("GET", place, "learner", learner=learner)).json() == [made.json()]
        assert (await call("GET", place, "learner", learner=str(uuid4()))).status_code == 403
        assert (await call("GET", place, "dpo", tenant="elsewhere")).json() == []
        assert (await call("POST", "/guardians", "app", body=link(learner, 12))).json() == made.json(), "the same again"

    async def test_a_guardian_acts_and_it_is_written_down(self, call: Caller, learner: str) -> None:
        place = f"/consents/{learner}/research"
        assert (await call("PUT", place, "guardian", body=GRANT)).status_code == 403
        made = (await call("POST", "/guardians", "dpo", body=link(learner, 12))).json()
        assert (await call("PUT", place, "guardian", body=GRANT)).status_code == 202
        [record] = (await call("GET", f"/consents/{learner}/records", "guardian")).json()
        assert record["dpv:hasConsentStatus"][0]["dpv:isImplementedByEntity"] == "guardian"
        ended = await call("DELETE", f"/guardians/{made['id']}", "guardian")
        assert (ended.status_code, ended.json()["active"]) == (200, False)
        assert (await call("PUT", place, "guardian", body=GRANT)).status_code == 403
        seen = (await call("GET", f"/guardians?learner_id={learner}", "learner", learner=learner)).json()
        assert [one["active"] for one in seen] == [False]

    async def test_at_eighteen_the_rights_are_the_learners(self, call: Caller, learner: str) -> None:
        assert (await call("POST", "/guardians", "dpo", body=link(learner, 18))).status_code == 409

    async def test_ferpa_ends_it_on_postsecondary_enrolment(self, call: Caller) -> None:
        await call("PUT", "/policy", "dpo", body=school("us-k12"))
        learner = str(uuid4())
        made = (await call("POST", "/guardians", "dpo", body=link(learner, 16))).json()
        change = {"postsecondary_from": f"{YEAR}-01-01"}
        changed = await call("PATCH", f"/guardians/{made['id']}", "dpo", body=change)
        assert (changed.json()["until"], changed.json()["active"]) == (f"{YEAR}-01-01", False)
        assert (await call("GET", f"/consents/{learner}", "guardian")).status_code == 403


class TestAge:
    async def test_only_what_is_offered_directly_to_a_child_needs_a_guardian(self, call: Caller, learner: str) -> None:
        await call("POST", "/guardians", "dpo", body=link(learner, 12))
        asked = {purpose: f"/consents/me/{purpose}" for purpose in ("chat", "research")}
        refused = await call("PUT", asked["chat"], "learner", body=GRANT, learner=learner)
        assert (refused.status_code, refused.json()["detail"][:9]) == (403, "GDPR 8(1)")
        assert (await call("PUT", asked["research"], "learner", body=GRANT, learner=learner)).status_code == 202
        assert (await call("PUT", f"/consents/{learner}/chat", "guardian", body=GRANT)).status_code == 202
        withdrawn = await call("PUT", asked["chat"], "learner", body={"status": "withdrawn"}, learner=learner)
        assert withdrawn.status_code == 202, "to withdraw one is never too young"

    async def test_the_end_of_the_link_makes_nobody_older(self, call: Caller, learner: str) -> None:
        made = (await call("POST", "/guardians", "dpo", body=link(learner, 12))).json()
        assert (await call("DELETE", f"/guardians/{made['id']}", "guardian")).status_code == 200
        refused = await call("PUT", "/consents/me/chat", "learner", body=GRANT, learner=learner)
        assert refused.status_code == 403
