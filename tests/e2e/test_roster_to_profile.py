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


def test_a_framework_rolls_up_what_its_activities_show(house: House) -> None:
    actor, run = account(f"ann-{uuid4().hex[:8]}"), uuid4().hex[:8]
    uri = f"https://case.example/{run}/"
    items = [{"identifier": n, "uri": uri + n, "fullStatement": n} for n in ("fractions", "halves", "thirds")]
    parents = {"halves": "fractions", "thirds": "fractions", "fractions": "doc"}
    package = {
        "CFDocument": {"identifier": "doc", "uri": uri + "doc", "title": "Mathematics"},
        "CFItems": items,
        "CFAssociations": [
            {"associationType": "isChildOf", "originNodeURI": uri + child, "destinationNodeURI": uri + parent}
            for child, parent in parents.items()
        ],
    }
    quiz = {"id": uri + "quiz", "title": "Quiz", "competencies": [uri + "halves"]}
    for path, body in (("/catalog/frameworks/import", package), ("/catalog/import", quiz)):
        house.http.post(house.url("recommendation", path), json=body, headers=house.token).raise_for_status()
    learner = house.learner_id(actor)
    house.post_statements([answered(actor, uri + "quiz", scaled=1.0, seconds=30)]).raise_for_status()

    def rolled() -> dict[str, Any]:
        model: dict[str, Any] = house.get("learner_profile", f"/learners/{learner}").raise_for_status().json()
        return {one["title"]: (one["known"], one["children"]) for one in model["rolled_up"]}

    # what was folded while the catalog changed is found by a second look, 65 s after the first
    eventually(lambda: rolled() == {"fractions": (1, 2), "Mathematics": (1, 1)}, seconds=90, what="the parents")
