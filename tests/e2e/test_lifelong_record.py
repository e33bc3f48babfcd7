"""A learner takes the record along, is forgotten, and comes back with it under another identifier."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

import httpx2
import jwt
from devstack.latency import account, answered
from learner_profile.records.state import COMPETENCIES

from tests.e2e.test_subject_requests import ask, completed
from tests.support.driving import House, eventually

ANSWERS = 24


def _export(house: House, learner: str) -> zipfile.ZipFile:
    got = house.get("learner_profile", f"/learners/{learner}/export")
    assert got.status_code == 200, got.text
    return zipfile.ZipFile(io.BytesIO(got.content))


def _checked(house: House, token: bytes) -> dict[str, Any]:
    """What a signed credential says, checked as anyone outside would."""
    kid = jwt.get_unverified_header(token)["kid"]
    url, _, name = kid.partition("#")
    (key,) = [one for one in httpx2.get(url).json()["keys"] if one["kid"] == name]
    said: dict[str, Any] = jwt.decode(token, jwt.PyJWK(key), algorithms=["EdDSA"])
    assert (said["iss"], said["sub"], said["jti"]) == (
        said["issuer"]["id"],
        said["credentialSubject"]["id"],
        said["id"],
    )
    return said


def _import(house: House, learner: str, body: bytes) -> httpx2.Response:
    return house.http.post(
        house.url("learner_profile", "/learners/import"),
        params={"learner_id": learner},
        content=body,
        headers=house.token | {"Content-Type": "application/zip"},
    )


def test_a_record_goes_along_and_comes_back(house: House) -> None:
    before, after = (account(f"{name}-{uuid4().hex[:8]}") for name in ("before", "after"))
    activity, learner = house.activities(1)[0], house.learner_id(before)
    sent = [answered(before, activity, scaled=1.0, seconds=30) for _ in range(ANSWERS)]
    house.post_statements(sent).raise_for_status()

    def model(of: str) -> dict[str, Any]:
        found: dict[str, Any] = house.get("learner_profile", f"/learners/{of}").raise_for_status().json()
        return found

    eventually(lambda: model(learner)["activity"]["statements"] == ANSWERS, what="the profile")
    record = _export(house, learner)
    lines = [json.loads(line) for line in record.read("statements.jsonl").splitlines()]
    assert {one["id"] for one in lines} == {one["id"] for one in sent}
    manifest = _checked(house, record.read("record.jwt"))
    assert manifest["credentialSubject"]["agents"] == [{"account": before["account"]}]
    badges = [_checked(house, record.read(n)) for n in record.namelist() if n.startswith("credentials/")]
    kinds = {one["type"][1]: one for one in badges}
    assert set(kinds) == {"AchievementCredential", "ClrCredential"}
    assert kinds["AchievementCredential"]["credentialSubject"]["achievement"]["achievementType"] == "Competency"
    whole = house.get("learner_profile", f"/learners/{learner}/export").content

    completed(house, ask(house, "erasure", learner))
    anew = house.learner_id(after)
    taken = _import(house, anew, whole)
    assert taken.status_code == 200, taken.text
    said = taken.json()
    assert said["statements"] == {"accepted": ANSWERS, "not_recorded": 0, "refused": []}
    assert (said["state"], said["credentials"], [one["taken"] for one in said["identifiers"]]) == (
        True,
        len(badges) - 1,
        [True],
    )
    eventually(lambda: model(anew)["activity"]["statements"] == ANSWERS, what="the evidence from elsewhere")
    timeline = house.get("learner_profile", f"/learners/{anew}/timeline").json()["items"]
    assert {one["imported_from"] for one in timeline} == {said["issuer"]}
    (claim,) = house.get("learner_profile", f"/learners/{anew}/claims").json()["items"]
    badge = kinds["AchievementCredential"]["credentialSubject"]["achievement"]["id"]
    (claimed,) = [one for one in claim["competencies"] if urljoin(COMPETENCIES, one["id"]) == badge]
    (own,) = [one for one in model(anew)["competencies"] if one["id"] == claimed["id"]]
    assert own["mastery"] < claimed["mastery"], "what comes from elsewhere counts half, and a state not at all"
    assert _import(house, anew, whole).json()["statements"]["accepted"] == ANSWERS, "the same again changes nothing"
    stranger = house.learner_id(account(f"stranger-{uuid4().hex[:8]}"))
    refused = _import(house, stranger, whole).json()
    assert (refused["statements"]["accepted"], refused["identifiers"][0]["taken"]) == (0, False)
    broken = bytearray(whole)
    broken[whole.index(b"statements.jsonl") + 60] ^= 1
    assert _import(house, anew, bytes(broken)).status_code == 400
