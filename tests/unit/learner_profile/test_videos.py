"""Watching a video, from what players send to evidence. Shapes are those of the players named."""

from __future__ import annotations

from typing import Any

import pytest
from learner_model import EvidenceKind
from learner_profile.evidence.reading import Reading, read
from xapi.pseudonymise import SELF

VIDEO = "https://w3id.org/xapi/video"
EXTENSIONS = f"{VIDEO}/extensions"
SEGMENTS = f"{EXTENSIONS}/played-segments"
PROGRESS = f"{EXTENSIONS}/progress"
LENGTH = {f"{EXTENSIONS}/length": 240}


def _read(
    verb: str,
    told: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    activity_type: str | None = f"{VIDEO}/activity-type/video",
    category: str | None = None,
    **result: Any,
) -> Reading:
    statement = {
        "id": "71de0000-0000-4000-8000-000000000001",
        "actor": {"objectType": "Agent", "account": {"homePage": "https://trellis.invalid/learners", "name": SELF}},
        "verb": {"id": verb},
        "object": {"id": "https://x.example/v", "definition": {"type": activity_type} if activity_type else {}},
        "result": {**result, **({"extensions": told} if told is not None else {})},
        "context": {
            "extensions": context or {},
            "contextActivities": {"category": [{"id": category}]} if category else {},
        },
        "timestamp": "2026-03-06T19:01:00Z",
        "stored": "2026-03-06T19:01:01Z",
    }
    reading = read(statement)
    assert isinstance(reading, Reading)
    return reading


PAUSED, COMPLETED = f"{VIDEO}/verbs/paused", "http://adlnet.gov/expapi/verbs/completed"
TERMINATED = "http://adlnet.gov/expapi/verbs/terminated"


@pytest.mark.parametrize("value", [80, 1.01, -0.2, float("nan"), float("inf"), 10**400, "0.5", None, True, [0.5], {}])
def test_what_cannot_be_a_share_is_not_known_and_the_statement_stays(value: Any) -> None:
    reading = _read(PAUSED, {PROGRESS: value})
    assert (reading.watched, reading.kind, reading.completion) == (0.0, EvidenceKind.EXPOSURE, None)
    assert _read(COMPLETED, {PROGRESS: value}).watched == 1.0
    assert _read(PAUSED, {PROGRESS: value, SEGMENTS: "0[.]60"}, LENGTH).watched == 0.25


@pytest.mark.parametrize(
    ("segments", "share"),
    [
        ("0[.]120", 0.5),
        ("0.000[.]120.500[,]100.000[.]240", 1.0),
        ("60[.]120[,]0[.]60[,]30[.]90", 0.5),
        ("200[.]500", 1.0),
        ("", 0.0),
        ("0[.]", 0.0),
        ("0[.]60[.]120", 0.0),
        ("120[.]0", 0.0),
        ("0[.]nan", 0.0),
        ("-60[.]60", 0.0),
        ([[0, 120]], 0.0),
        ("[,]".join(["0[.]60"] * 1001), 0.0),
    ],
)
def test_without_a_share_the_played_segments_tell_it(segments: Any, share: float) -> None:
    assert _read(PAUSED, {SEGMENTS: segments}, LENGTH).watched == share
    assert _read(PAUSED, {SEGMENTS: segments}).watched == 0.0, "of what length?"


def test_whatever_is_said_of_success_or_marks_nobody_answers_a_video() -> None:
    # The plugin that adds the profile to H5P's videos sends success with what was played to the end.
    for category, activity_type in ((None, f"{VIDEO}/activity-type/video"), (VIDEO, None)):
        reading = _read(
            COMPLETED,
            {PROGRESS: 0.97},
            category=category,
            activity_type=activity_type,
            success=True,
            score={"scaled": 0.2},
        )
        assert (reading.kind, reading.correctness, reading.watched) == (EvidenceKind.COMPLETION, None, 0.97)


def test_questions_in_a_video_are_answers() -> None:
    answered = "http://adlnet.gov/expapi/verbs/answered"
    assert _read(answered, success=True, category=VIDEO).correctness == 1.0
    interactive = _read(COMPLETED, activity_type=None, category="http://h5p.org/libraries/H5P.InteractiveVideo-1.27",
                        score={"min": 0, "max": 4, "raw": 3})  # fmt: skip
    assert (interactive.correctness, interactive.watched) == (0.75, None)


def test_it_is_done_from_the_players_own_threshold_on() -> None:
    threshold = {f"{EXTENSIONS}/completion-threshold": 0.9}
    assert _read(TERMINATED, {PROGRESS: 0.92}, threshold).completion is True
    assert _read(TERMINATED, {PROGRESS: 0.92}).completion is None
    assert _read(TERMINATED, {PROGRESS: 0.92}, {f"{EXTENSIONS}/completion-threshold": "0.9"}).completion is None
    assert _read(TERMINATED, {PROGRESS: 1}).completion is True
    assert _read(TERMINATED, {PROGRESS: 1}, completion=False).completion is False


def test_how_long_it_took_is_known_where_it_is_over() -> None:
    # Xerte's toolkits give with each pause the time since the start.
    assert _read(PAUSED, {PROGRESS: 0.1}, duration="PT24S").duration_seconds is None
    assert _read(COMPLETED, {PROGRESS: 1}, duration="PT5M").duration_seconds == 300.0
    # event-routing-backends gives the video's own length in place of it.
    of_open_edx = {"https://w3id.org/xapi/openedx/extension/transformer-version": "event-routing-backends@9.0.0"}
    assert _read(COMPLETED, {}, of_open_edx, duration="PT4M").duration_seconds is None
