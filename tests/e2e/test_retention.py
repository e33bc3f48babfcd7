"""A retention rule through the whole stack: preview, run, a worker killed in the middle, a legal hold that wins."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from cli.main import app
from devstack.latency import account, answered
from devstack.stack import Stack
from pymongo import MongoClient
from typer.testing import CliRunner

from tests.support.driving import House, eventually

EACH = 20
LEARNERS = 4
COPIES = (("recommendation", "learners"), ("insights", "states"))


def officer(house: House, method: str, path: str, body: object = None) -> Any:
    answer = house.http.request(method, house.url("privacy", path), json=body, headers=house.token)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def trellis(house: House, *words: str) -> Any:
    """What `trellis retention …` prints as JSON."""
    token = house.token["Authorization"].removeprefix("Bearer ")
    where = ["--json", "--url", house.url("privacy", ""), "--token", token]
    result = CliRunner().invoke(app, ["retention", *words, *where])
    return json.loads(result.stdout) if result.exit_code == 0 else None


def ended(house: House, run: str) -> dict[str, Any]:
    def check() -> dict[str, Any] | None:
        body: dict[str, Any] = officer(house, "GET", f"/retention-runs/{run}")
        return body if body["status"] == "completed" else None

    done: dict[str, Any] = eventually(check, seconds=180, what="the run")
    return done


def recorded(house: House, actor: dict[str, Any], verb: str) -> list[str]:
    activities = house.activities()
    statements = [
        answered(actor, activities[number % len(activities)], scaled=0.5, seconds=20) | {"verb": {"id": verb}}
        for number in range(EACH)
    ]
    house.post_statements(statements).raise_for_status()
    return [statement["id"] for statement in statements]


def held_copies(stack: Stack, learner: str) -> list[str]:
    with MongoClient[dict[str, Any]](stack.description()["mongodb"]) as client:
        found = [(name, client[name][kind].find_one({"_id": f"demo/{learner}"})) for name, kind in COPIES]
        return [name for name, document in found if document is not None]


def test_preview_run_hold_and_a_worker_killed_in_the_middle(stack: Stack, house: House) -> None:
    verb = f"https://retention.example/verbs/{uuid4().hex[:8]}"
    actors = [account(f"retained-{uuid4().hex[:8]}") for _ in range(LEARNERS)]
    statements = {house.learner_id(actor): recorded(house, actor, verb) for actor in actors}
    *gone, kept = statements
    hold = officer(house, "POST", "/legal-holds", {"name": "case 7", "reason": "a lawsuit", "learners": [kept]})
    eventually(lambda: all(len(held_copies(stack, one)) == 2 for one in statements), what="the copies")
    eventually(lambda: officer(house, "GET", f"/legal-holds/{hold['id']}")["status"] == "effective", what="the hold")
    eventually(lambda: house.stats("ingest")["outbox"] == 0, what="the relay")
    rule = officer(
        house,
        "POST",
        "/retention-rules",
        {"name": "old", "reason": "a test", "action": "delete", "verbs": [verb], "stored_for": "PT0M"},
    )
    preview = trellis(house, "preview", rule["id"])
    assert (preview["status"], preview["preview"]) == ("completed", True)
    wanted = {"ingest": {"statements": EACH * len(gone)}, "learner_profile": {"evidence": EACH * len(gone)}}
    assert {service: preview["counts"][service] for service in wanted} == wanted
    assert preview["kept"]["ingest"]["held"] >= 1
    assert house.get("learner_profile", f"/learners/{gone[0]}").is_success, "a preview touches nothing"

    run = officer(house, "POST", f"/retention-rules/{rule['id']}/runs", {"as_of": preview["as_of"]})
    eventually(lambda: officer(house, "GET", f"/retention-runs/{run['id']}")["counts"], what="the first portion")
    for name in ("ingest-work", "learner_profile-work"):
        stack.kill(name)
    done = ended(house, run["id"])
    assert done["counts"] == preview["counts"], "a worker that is killed takes nothing twice and leaves nothing"
    assert done["kept"] == preview["kept"]
    said = eventually(lambda: trellis(house, "report", run["id"], "--signed"), what="the signature")
    assert (said["run"], said["counts"]) == (run["id"], done["counts"])

    key = stack.description()["ingest"]
    for learner, ids in statements.items():
        found = house.http.get(
            f"{house.xapi}/statements",
            params={"statementId": ids[0]},
            headers={"X-Experience-API-Version": "1.0.3"},
            auth=(key["key"], key["secret"]),
        )
        assert found.status_code == (200 if learner == kept else 404)
    eventually(lambda: not any(held_copies(stack, one) for one in gone), what="the copies, gone with the profile")
    assert len(held_copies(stack, kept)) == 2
    assert len(house.get("learner_profile", f"/learners/{kept}/timeline", limit=50).json()["items"]) == EACH
    again = trellis(house, "run", rule["id"])
    assert trellis(house, "report", again["id"]) == again
    assert not any(sum(one.values()) for one in again["counts"].values()), "there is nothing left to take"

    officer(house, "POST", f"/legal-holds/{hold['id']}/release")
    limits = {one["purpose"]: one for one in officer(house, "GET", "/processing")["activities"]}["record"][
        "time_limits"
    ]
    assert limits == [], "a rule that does not run by itself is no time limit"
    officer(house, "DELETE", f"/retention-rules/{rule['id']}")
