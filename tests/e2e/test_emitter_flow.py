"""What known emitters send, through the whole stack to the learner's profile; and what an operator sees of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from cli.main import app
from devstack.latency import XAPI_HEADERS
from typer.testing import CliRunner

from tests.support.driving import House, eventually

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "emitters").glob("*.json"))
Json = dict[str, Any]


def _credential(house: House, profile: str) -> tuple[str, str]:
    body = {"name": profile, "scopes": ["statements/write"], "profile": profile}
    made = house.http.post(house.url("ingest", "/credentials"), json=body, headers=house.token).raise_for_status()
    return made.json()["key"], made.json()["secret"]


def _post(house: House, credential: tuple[str, str], statements: list[Json]) -> httpx2.Response:
    return house.http.post(f"{house.xapi}/statements", json=statements, headers=XAPI_HEADERS, auth=credential)


def _of_someone_new(fixture: Json) -> list[Json]:
    """The fixture's statements with another actor and other ids (a reference follows its id)."""
    actor = {"account": {"homePage": "https://lms.example.org", "name": f"pupil-{uuid4().hex[:8]}"}}
    text = json.dumps([{**one, "actor": actor} for one in fixture["statements"]])
    for one in fixture["statements"]:
        if "id" in one:
            text = text.replace(one["id"], str(uuid4()))
    statements: list[Json] = json.loads(text)
    return statements


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_from_the_emitter_to_the_profile(house: House, path: Path) -> None:
    fixture: Json = json.loads(path.read_text())
    statements = _of_someone_new(fixture)
    answer = _post(house, _credential(house, fixture["profile"]), statements)
    assert (answer.status_code, len(answer.json())) == (200, len(statements))
    learner = house.learner_id(statements[0]["actor"])

    def whole() -> Json | None:
        profile: Json = house.get("learner_profile", f"/learners/{learner}").json()
        return profile if profile["activity"]["statements"] == len(statements) else None

    profile = eventually(whole, seconds=30, what="the profile")
    answered = [correctness for _, correctness in fixture["evidence"] if correctness is not None]
    counted = sum(one["evidence_count"] for one in profile["competencies"])
    assert (counted > 0) is bool(answered)


@contextmanager
def _sending(house: House, credential: tuple[str, str], batch: list[Json]) -> Iterator[None]:
    """Again and again, as an LMS does, while the block lasts."""
    stop = threading.Event()

    def run() -> None:
        with House(house.description) as own:
            while not stop.is_set():
                _post(own, credential, batch)
                time.sleep(0.3)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_an_operator_sees_what_is_wrong_and_mends_it(house: House, tmp_path: Path) -> None:
    moodle: Json = json.loads((FIXTURES[0].parent / "moodle.json").read_text())
    good, wrong = _of_someone_new(moodle)[:2]
    wrong["verb"] = {"id": "started"}
    credential = _credential(house, "moodle")
    there = ["--url", house.url("ingest", ""), "--token", str(house.description["operator_token"])]
    cli = CliRunner()
    with _sending(house, credential, [good, wrong]):
        said = cli.invoke(app, ["check", "emitter", "--credential", credential[0], "--count", "2", *there])
    assert said.exit_code == 1
    assert "/*/verb/id: expected an IRI" in said.output
    assert "All learners are named by account" in said.output
    listed = cli.invoke(app, ["quarantine", "list", "--credential", credential[0], *there])
    assert "/verb/id: expected an IRI" in listed.output
    quarantine_id = listed.output.split()[0]
    shown = cli.invoke(app, ["quarantine", "show", quarantine_id, *there])
    statement = json.loads(shown.stdout)
    assert statement == wrong
    mended = tmp_path / "mended.json"
    mended.write_text(json.dumps({**statement, "verb": {"id": "http://activitystrea.ms/start"}}))
    stored = cli.invoke(app, ["quarantine", "replay", quarantine_id, "--edit", str(mended), *there])
    assert stored.exit_code == 0, stored.output
    assert stored.output.startswith("Stored as ")
    assert (
        "Nothing is in quarantine"
        in cli.invoke(app, ["quarantine", "list", "--credential", credential[0], *there]).output
    )
