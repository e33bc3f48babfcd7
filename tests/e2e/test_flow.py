"""From an LMS's statement to an explained recommendation, an objection and an erasure, through the whole stack."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from devstack.latency import account, answered

from tests.support.driving import House, eventually


def _learner(house: House) -> tuple[dict[str, Any], str]:
    actor = account(f"learner-{uuid4().hex[:8]}")
    return actor, house.learner_id(actor)


def _reflected(house: House, learner_id: str, statement_id: str) -> dict[str, Any]:
    def check() -> dict[str, Any] | None:
        answer = house.get("recommendation", f"/learners/{learner_id}/recommendations", limit=3)
        body: dict[str, Any] = answer.json()
        return body if answer.is_success and body["reflects"] == statement_id else None

    found: dict[str, Any] = eventually(check, seconds=45, what="the recommendation")
    return found


def test_a_statement_becomes_a_reason(house: House) -> None:
    actor, learner_id = _learner(house)
    activity = house.get("recommendation", "/catalog/activities", limit=1).json()["items"][0]
    statements = [answered(actor, activity["id"], scaled=1.0, seconds=30) for _ in range(4)]
    assert house.post_statements(statements).status_code == 200
    recommended = _reflected(house, learner_id, statements[-1]["id"])
    assert recommended["items"]
    for item in recommended["items"]:
        assert item["activity"]["title"]
        assert item["reasons"]
        assert all(reason["text"] for reason in item["reasons"])
    profile = house.get("learner_profile", f"/learners/{learner_id}").json()
    known = {competency["id"]: competency for competency in profile["competencies"]}
    assert known[activity["competencies"][0]]["evidence_count"] == 4
    assert known[activity["competencies"][0]]["probability"] > 0.5


def test_an_objection_closes_the_profile_at_once(house: House) -> None:
    actor, learner_id = _learner(house)
    statement = answered(actor, house.activities(1)[0], scaled=1.0, seconds=30)
    house.post_statements([statement]).raise_for_status()
    _reflected(house, learner_id, statement["id"])
    address = house.url("privacy", f"/consents/{learner_id}/profile")
    refused = house.http.put(address, json={"status": "withdrawn"}, headers=house.token)
    assert refused.status_code == 409  # the demo tenant rests `profile` on public task: there one objects
    assert house.http.put(address, json={"status": "objected"}, headers=house.token).status_code == 202
    eventually(
        lambda: (
            house.get("privacy", f"/consents/{learner_id}").json()["purposes"]["profile"]["enforcement"] == "effective"
        ),
        what="the objection",
    )
    assert house.get("learner_profile", f"/learners/{learner_id}").status_code == 403
    assert house.get("recommendation", f"/learners/{learner_id}/recommendations").status_code == 403


def test_an_erasure_reaches_every_service_and_whoever_comes_back_is_new(house: House) -> None:
    actor, learner_id = _learner(house)
    statement = answered(actor, house.activities(1)[0], scaled=1.0, seconds=30)
    house.post_statements([statement]).raise_for_status()
    _reflected(house, learner_id, statement["id"])
    made = house.http.post(
        house.url("privacy", "/requests"), json={"type": "erasure", "learner_id": learner_id}, headers=house.token
    )
    assert made.status_code == 202
    done = eventually(
        lambda: (
            (body := house.get("privacy", f"/requests/{made.json()['id']}").json())["status"] == "completed" and body
        ),
        what="the erasure",
    )
    services = {receipt["service"] for receipt in done["receipts"]}
    assert services >= {"ingest", "learner_profile", "recommendation", "insights"}
    assert house.get("learner_profile", f"/learners/{learner_id}").status_code in {403, 404}
    found = house.http.get(
        f"{house.xapi}/statements",
        params={"statementId": statement["id"]},
        headers={"X-Experience-API-Version": "1.0.3"},
        auth=(house.description["ingest"]["key"], house.description["ingest"]["secret"]),
    )
    assert found.status_code == 404
    assert house.learner_id(actor) != learner_id
