"""What known emitters send, from the body of their request to evidence. The fixtures follow their published shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from learner_model import EvidenceKind
from learner_model.helped import help_after, with_help
from learner_model.state import Help
from learner_profile.evidence.effort import helped_with, hints_in, seconds_in
from learner_profile.evidence.mapping import evidence_of
from learner_profile.evidence.reading import Reading, read
from xapi import Allowance, Version, complete, for_learner, judge_statements, learners_of

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "emitters").glob("*.json"))
AUTHORITY = {"account": {"homePage": "https://trellis.invalid/credentials", "name": "key"}}
STORED = "2026-11-22T08:00:00.000001Z"


def _readings(body: bytes) -> Iterator[Reading]:
    judged = judge_statements(body, Version.V1_0_3, list(Allowance))
    assert judged.rejected == []
    for one in judged.accepted:
        raw = one.parsed.raw
        statement_id = raw.get("id", f"00000000-0000-4000-8000-{one.index:012}")
        stored = complete(raw, statement_id=statement_id, stored=STORED, authority=AUTHORITY, version=Version.V1_0_3)
        (learner,) = learners_of(raw)
        reading = read(for_learner(stored, {learner}))
        assert isinstance(reading, Reading)
        yield reading


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_every_statement_is_the_evidence_it_stands_for(path: Path) -> None:
    fixture: dict[str, Any] = json.loads(path.read_text())
    found = list(_readings(json.dumps(fixture["statements"]).encode()))
    assert [[one.kind.value, one.correctness] for one in found] == fixture["evidence"]
    assert all(one.activity_id for one in found)
    assert {tag for one in found for tag in one.tags} == set(), "what names the tool is no interest"


@pytest.mark.parametrize(
    ("emitter", "durations", "hints"),
    [
        ("cmi5", [250.0, 362.0, 612.0, 660.0, 180.0], []),
        ("h5p", [8.41, 12.7, 31.02, 31.02], []),
        ("moodle", [655.0, 42.0], []),
        ("open_edx", [], [1, 1]),
        ("video", [612.4], []),
    ],
)
def test_how_much_it_took_is_read_as_each_emitter_tells_it(
    emitter: str, durations: list[float], hints: list[int]
) -> None:
    fixture = json.loads((FIXTURES[0].parent / f"{emitter}.json").read_text())
    found = list(_readings(json.dumps(fixture["statements"]).encode()))
    assert [one.duration_seconds for one in found if one.duration_seconds is not None] == durations
    assert [one.hints for one in found if one.hints is not None] == hints


@pytest.mark.parametrize(
    ("emitter", "watched"),
    [("video", [0.0, 0.0, 0.197, 0.0, 0.0, 1.0, 1.0]), ("open_edx", [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]), ("h5p", [])],
)
def test_how_far_a_video_was_watched_is_read_as_each_emitter_tells_it(emitter: str, watched: list[float]) -> None:
    fixture = json.loads((FIXTURES[0].parent / f"{emitter}.json").read_text())
    found = list(_readings(json.dumps(fixture["statements"]).encode()))
    assert [one.watched for one in found if one.watched is not None] == watched


@pytest.mark.parametrize(
    ("emitter", "guessing"), [("h5p", [pytest.approx(1 / 7), None, None, None]), ("cmi5", [None, None])]
)
def test_how_often_an_answer_is_guessed_is_read_from_its_definition(emitter: str, guessing: list[Any]) -> None:
    fixture = json.loads((FIXTURES[0].parent / f"{emitter}.json").read_text())
    found = list(_readings(json.dumps(fixture["statements"]).encode()))
    assert [one.guessing for one in found if one.kind == EvidenceKind.RESPONSE] == guessing


def test_open_edx_hints_are_acts_on_their_problem() -> None:
    fixture = json.loads((FIXTURES[0].parent / "open_edx.json").read_text())
    hint, solution, attempted, answered, *_ = _readings(json.dumps(fixture["statements"]).encode())
    assert hint.activity_id == solution.activity_id == attempted.activity_id == answered.activity_id
    found = [evidence_of(one, {}) for one in (hint, solution, attempted, answered)]
    waiting, hints = Help(), []
    for one in found:
        hints.append(with_help(one, waiting).hints)
        waiting = help_after(waiting, one)
    assert hints == [1, 1, None, 2]
    assert waiting == Help()


@pytest.mark.parametrize(
    ("result", "hints"),
    [
        ({"https://x.example/ext/hints-used": 3}, 3),
        ({"https://x.example/ext/hintCount": 0}, 0),
        ({"https://trellis.invalid/extensions/hints": 2}, 2),
        ({"https://x.example/ext/hints-used": "3"}, None),
        ({"https://x.example/ext/hints-used": True}, None),
        ({"https://x.example/ext/hints": -1}, None),
        ({"https://x.example/ext/hints": 101}, None),
        ({"https://x.example/ext/hints-shown-by": 4}, None),
    ],
)
def test_numbers_of_hints_in_the_result(result: Any, hints: int | None) -> None:
    assert hints_in({"extensions": result}) == hints


def test_no_time_at_all_is_a_player_that_does_not_measure_it() -> None:
    assert seconds_in({"duration": "PT0S"}) is None
    assert seconds_in({"duration": "PT1M0.5S"}) == 60.5
    assert seconds_in({}) is None


def test_there_is_help_for_nothing_that_merely_ends_alike() -> None:
    assert helped_with({"id": "https://x.example/answer", "definition": {"type": "https://x.example/page"}}) is None
    assert helped_with({"id": "https://x.example/hint/1"}) is None
    supplement = {"type": "https://w3id.org/xapi/acrossx/extensions/supplemental-info"}
    assert helped_with({"id": "https://x.example/notes", "definition": supplement}) is None
    assert helped_with({"id": "https://x.example/p/hint/2", "definition": supplement}) == "https://x.example/p"


def test_moodle_scaled_between_minus_one_and_one_is_not_the_share() -> None:
    fixture = json.loads((FIXTURES[0].parent / "moodle.json").read_text())
    (total,) = [one for one in fixture["statements"] if one.get("result", {}).get("score", {}).get("scaled") == -0.5]
    (reading,) = _readings(json.dumps(total).encode())
    assert reading.correctness == 0.25


def test_there_is_a_fixture_for_each_emitter() -> None:
    assert [path.stem for path in FIXTURES] == ["cmi5", "h5p", "moodle", "open_edx", "video"]


def test_all_nine_verbs_of_cmi5_and_seven_of_the_video_profile_are_there() -> None:
    verbs = {
        path.stem: {one["verb"]["id"].rsplit("/", 1)[-1] for one in json.loads(path.read_text())["statements"]}
        for path in FIXTURES
    }
    assert verbs["cmi5"] == {
        *("launched", "initialized", "completed", "passed", "failed"),
        *("abandoned", "waived", "terminated", "satisfied"),
    }
    assert verbs["video"] == {"initialized", "played", "paused", "seeked", "interacted", "completed", "terminated"}
