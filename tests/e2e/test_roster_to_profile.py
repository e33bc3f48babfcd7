"""A roster decides who is a learner: through ingest, insights, Kafka and learner_profile, and back again."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from devstack.latency import account, answered

from tests.support.driving import House, eventually


def _import(house: House, actor: dict[str, Any], role: str) -> None:
    who = actor["account"]
    body = f"account_home_page,account_name,role,class,school\n{who['homePage']},{who['name']},{role},7b,North\n"
    address = house.url("insights", "/rosters/import?mode=merge")
    house.http.post(address, content=body, headers={**house.token, "Content-Type": "text/csv"}).raise_for_status()


def test_a_teacher_whom_the_lms_logs_as_an_actor_drops_out_and_a_correction_brings_all_back(house: House) -> None:
    actor = account(f"tom-{uuid4().hex[:8]}")
    learner = house.learner_id(actor)
    house.post_statements([answered(actor, house.activities(1)[0], scaled=1.0, seconds=30)]).raise_for_status()

    def profile() -> dict[str, Any]:
        found: dict[str, Any] = house.get("learner_profile", f"/learners/{learner}").raise_for_status().json()
        return found

    before = eventually(profile, what="the profile")
    competency = before["competencies"][0]
    why = house.get("learner_profile", f"/learners/{learner}/competencies/{competency['id'].replace('/', '%2F')}/why")
    assert (why.status_code, why.json()["evidence_total"]) == (200, 1)

    _import(house, actor, "teacher")
    eventually(
        lambda: house.get("learner_profile", f"/learners/{learner}").status_code == 404, what="the teacher's leaving"
    )

    _import(house, actor, "learner")
    eventually(lambda: profile()["activity"] == before["activity"], what="the learner's return")
