"""A data subject through the whole stack: access, rectification, restriction, erasure with its certificate."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any
from uuid import uuid4

from devstack.latency import account, answered

from tests.support.driving import House, eventually

XAPI = {"X-Experience-API-Version": "1.0.3"}


def ask(house: House, kind: str, learner: str, **details: Any) -> str:
    body = {"type": kind, "learner_id": learner, **details}
    made = house.http.post(house.url("privacy", "/requests"), json=body, headers=house.token)
    assert made.status_code == 202, made.text
    return str(made.json()["id"])


def completed(house: House, request: str) -> dict[str, Any]:
    def check() -> dict[str, Any] | None:
        body: dict[str, Any] = house.get("privacy", f"/requests/{request}").json()
        return body if body["status"] == "completed" else None

    done: dict[str, Any] = eventually(check, seconds=45, what="the request")
    return done


def archive(house: House, learner: str) -> zipfile.ZipFile:
    request = ask(house, "access", learner)
    completed(house, request)
    link = house.http.post(house.url("privacy", f"/requests/{request}/link"), headers=house.token).json()
    got = house.http.get(house.url("privacy", link["url"]), headers=house.token)
    assert got.status_code == 200
    return zipfile.ZipFile(io.BytesIO(got.content))


def lines(found: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in found.read(name).splitlines()] if name in found.namelist() else []


def statement_status(house: House, statement: str) -> int:
    key = house.description["ingest"]
    found = house.http.get(
        f"{house.xapi}/statements",
        params={"statementId": statement},
        headers=XAPI,
        auth=(key["key"], key["secret"]),
    )
    return int(found.status_code)


def test_a_learners_requests(house: House) -> None:
    actor = account(f"subject-{uuid4().hex[:8]}")
    learner, activity = house.learner_id(actor), house.activities(1)[0]
    teacher = account(f"teacher-{uuid4().hex[:8]}")
    wrong, right = (answered(actor, activity, scaled=score, seconds=30) for score in (0.1, 1.0))
    right["context"] = {**right.get("context", {}), "instructor": teacher}
    house.post_statements([wrong, right]).raise_for_status()
    eventually(lambda: house.get("learner_profile", f"/learners/{learner}").is_success, what="the profile", seconds=45)

    found = archive(house, learner)
    statements = {one["id"]: one for one in lines(found, "ingest/statements.jsonl")}
    assert set(statements) == {wrong["id"], right["id"]}
    assert statements[wrong["id"]]["actor"] == actor
    assert "someone-else" in json.dumps(statements[right["id"]]["context"]), "a teacher's name is the teacher's"
    assert lines(found, "ingest/identifiers.jsonl")[0]["identifier"]
    assert lines(found, "learner_profile/profile.jsonl")[0]["learner_id"] == learner
    assert len(lines(found, "learner_profile/evidence.jsonl")) == 2
    assert lines(found, "recommendation/recommendations.jsonl")[0]["items"]

    correction = {name: value for name, value in wrong.items() if name != "id"}
    correction["result"] = {**wrong["result"], "score": {"scaled": 0.9}}
    request = ask(house, "rectification", learner, statement_id=wrong["id"], correction=correction)
    assert {r["service"]: r["counts"] for r in completed(house, request)["receipts"]}["ingest"] == {
        "voided": 1,
        "corrected": 1,
    }
    assert statement_status(house, wrong["id"]) == 404

    request = ask(house, "restriction", learner)
    assert {r["service"] for r in completed(house, request)["receipts"]} >= {"ingest", "learner_profile", "insights"}
    assert house.get("learner_profile", f"/learners/{learner}").status_code == 403
    later = answered(actor, activity, scaled=1.0, seconds=30)
    house.post_statements([later]).raise_for_status()
    stored = {one["id"] for one in lines(archive(house, learner), "ingest/statements.jsonl")}
    assert later["id"] in stored, "restricted data is stored, and nothing else (GDPR 18(2))"
    lifted = house.http.post(house.url("privacy", f"/requests/{request}/lift"), headers=house.token)
    assert lifted.status_code == 202
    eventually(lambda: house.get("learner_profile", f"/learners/{learner}").is_success, what="the profile", seconds=45)

    request = ask(house, "erasure", learner)
    done = completed(house, request)
    counts = {r["service"]: r["counts"] for r in done["receipts"]}
    assert counts["ingest"]["statements"] == 5
    certificate = eventually(
        lambda: (got := house.get("privacy", f"/requests/{request}/certificate")).is_success and got.json(),
        what="the certificate",
    )
    assert certificate["certificate"].count(".") == 2
    assert statement_status(house, right["id"]) == 404
    home_page, name = actor["account"]["homePage"], actor["account"]["name"]
    roster = f"account_home_page,account_name,role,class\n{home_page},{name},learner,1A"
    imported = house.http.post(
        house.url("insights", "/rosters/import"),
        params={"mode": "merge"},
        content=roster,
        headers=house.token | {"Content-Type": "text/csv"},
    )
    assert imported.status_code == 200, imported.text
    assert house.learner_id(actor) != learner, "whoever comes back is someone new"
    body = {"type": "access", "learner_id": learner}
    assert house.http.post(house.url("privacy", "/requests"), json=body, headers=house.token).status_code == 404
    found = archive(house, house.learner_id(actor))
    assert ["1A" in one["places"][0] for one in lines(found, "insights/roster.jsonl")] == [True]
    assert "ingest/statements.jsonl" not in found.namelist()
