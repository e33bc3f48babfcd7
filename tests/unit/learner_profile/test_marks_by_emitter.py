"""The same marks are the same evidence, whoever sends them."""

from __future__ import annotations

from typing import Any

import pytest
from learner_profile.evidence.emitters import Emitter, emitter_of, share_of
from learner_profile.evidence.mapping import Mapped, evidence_of
from learner_profile.evidence.reading import Reading, read

SELF = {"objectType": "Agent", "account": {"homePage": "https://trellis.invalid/learners", "name": "self"}}
INFO = {"http://moodle.org": "5.0.1", "https://github.com/xAPI-vle/moodle-logstore_xapi": "6.0.0"}
MOODLE: dict[str, Any] = {
    "platform": "Moodle",
    "extensions": {"http://lrs.learninglocker.net/define/extensions/info": INFO},
}
OPEN_EDX: dict[str, Any] = {
    "extensions": {"https://w3id.org/xapi/openedx/extension/transformer-version": "event-routing-backends@9.3.0"}
}


def evidence(score: Any, context: dict[str, Any], result: dict[str, Any] | None = None) -> Any:
    """As it is folded, of one activity that the catalog knows, wherever it was answered."""
    found = read(
        {
            "id": "0190163d-8694-739b-aea5-966c26f8ad90",
            "actor": SELF,
            "verb": {"id": "http://adlnet.gov/expapi/verbs/scored"},
            "object": {"id": "https://school.example/question/1"},
            "result": result or {"score": score},
            "context": context,
            "timestamp": "2026-03-01T10:00:00Z",
            "stored": "2026-03-01T10:00:01Z",
        }
    )
    assert isinstance(found, Reading)
    return evidence_of(found, {"https://school.example/question/1": Mapped((("c/1", 1.0),))})


@pytest.mark.parametrize("marks", [0.0, 2.5, 5.0, 7.5, 10.0])
@pytest.mark.parametrize("kept", [("raw", "min", "max", "scaled"), ("raw", "min", "max"), ("scaled",)])
def test_the_same_marks_from_moodle_and_open_edx_are_the_same_evidence(marks: float, kept: tuple[str, ...]) -> None:
    whole = {"raw": marks, "min": 0, "max": 10}
    moodle = {**whole, "scaled": marks / 10 * 2 - 1}
    open_edx = {**whole, "scaled": marks / 10}
    of_moodle = evidence({name: moodle[name] for name in kept}, MOODLE)
    of_open_edx = evidence({name: open_edx[name] for name in kept}, OPEN_EDX)
    assert of_moodle == of_open_edx
    assert of_moodle.correctness == marks / 10


@pytest.mark.parametrize(
    ("score", "emitter", "share"),
    [
        ({"scaled": 0.0}, Emitter.MOODLE, 0.5),
        ({"scaled": 0.0}, Emitter.OPEN_EDX, 0.0),
        ({"scaled": -1.0}, Emitter.MOODLE, 0.0),
        ({"scaled": -0.5}, Emitter.OTHER, 0.0),
        ({"raw": 3, "min": 1, "max": 5, "scaled": 0.9}, Emitter.OTHER, 0.5),
        ({"raw": 3, "max": 5, "scaled": 0.6}, Emitter.OTHER, 0.6),  # where it begins is not said
        ({"raw": 3, "max": 5}, Emitter.OTHER, None),
        ({"raw": 11, "min": 0, "max": 10, "scaled": 1.0}, Emitter.OPEN_EDX, 1.0),
        ({"raw": 7, "min": 10, "max": 5, "scaled": 0.4}, Emitter.OTHER, 0.4),
        ({"raw": 11, "min": 0, "max": 10}, Emitter.OTHER, None),
        ({"raw": 0, "min": 0, "max": 0, "scaled": 0}, Emitter.MOODLE, None),
        ({"raw": 0, "min": 0, "max": 0, "scaled": 0}, Emitter.OPEN_EDX, None),
        ({}, Emitter.MOODLE, None),
    ],
)
def test_raw_min_and_max_where_they_agree_else_scaled_by_emitter(
    score: dict[str, Any], emitter: Emitter, share: float | None
) -> None:
    assert share_of(score, emitter) == share


@pytest.mark.parametrize(
    ("context", "emitter"),
    [
        (MOODLE, Emitter.MOODLE),
        ({"platform": "Moodle"}, Emitter.MOODLE),
        ({"platform": "Our school", "extensions": MOODLE["extensions"]}, Emitter.MOODLE),
        (OPEN_EDX, Emitter.OPEN_EDX),
        ({"platform": "Storyline"}, Emitter.OTHER),
        ({"extensions": {"http://lrs.learninglocker.net/define/extensions/info": "text"}}, Emitter.OTHER),
        ({}, Emitter.OTHER),
    ],
)
def test_an_emitter_is_known_by_its_own_marks(context: dict[str, Any], emitter: Emitter) -> None:
    assert emitter_of({"context": context}) is emitter


@pytest.mark.parametrize(("context", "correctness"), [(MOODLE, None), (OPEN_EDX, 1.0), ({}, 1.0)])
def test_of_marks_out_of_nothing_moodles_success_says_nothing(
    context: dict[str, Any], correctness: float | None
) -> None:
    result = {"score": {"raw": 0, "min": 0, "max": 0, "scaled": 0}, "success": True, "completion": True}
    assert evidence(result["score"], context, result).correctness == correctness
