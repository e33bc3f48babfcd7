"""What known emitters send, from the body of their request to evidence. The fixtures follow their published shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
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
