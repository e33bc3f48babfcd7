"""Whatever a valid statement says, it is read within what a state can hold: no single one stops a worker."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learner_model import view
from learner_model.folded import unpack as unpack_state
from learner_model.folder import Folder
from learner_model.reading import state_of
from learner_profile.evidence.mapping import evidence_of
from learner_profile.evidence.reading import Reading, pack, read, unpack

SELF = {"objectType": "Agent", "account": {"homePage": "https://trellis.invalid/learners", "name": "self"}}
ADL = "http://adlnet.gov/expapi/verbs/"
STORED = "2026-03-01T10:00:01.000001Z"
GREATEST = 1.7976931348623157e308
FOLDER = Folder()

times = st.integers(0, 9998 * 365).map(lambda days: (datetime(1, 1, 1, 5, tzinfo=UTC) + timedelta(days)).isoformat())
numbers = st.floats(-GREATEST, GREATEST, allow_nan=False) | st.sampled_from([-GREATEST, -0.0, 0.0, 5e-324, GREATEST])
raw_scores = (
    st.tuples(numbers, numbers, numbers)
    .map(sorted)
    .filter(lambda found: found[0] < found[2])
    .map(lambda found: {"min": found[0], "raw": found[1], "max": found[2]})
)
scores = raw_scores | st.floats(-1, 1).map(lambda share: {"scaled": share}) | numbers.map(lambda raw: {"raw": raw})
digits = st.integers(0, 10**400).map(str)
durations = digits.map(lambda d: f"PT{d}S") | digits.map(lambda d: f"P{d}Y") | st.sampled_from(["PT0S", "P1W"])
names = st.integers(0, 40_000).map(lambda length: f"https://lms.example/{'x' * length}")
kinds = st.sampled_from(["course", "section", "competency", "question"]).map(lambda kind: f"http://id.example/{kind}")


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    around = [
        {"id": draw(names), "definition": {"type": draw(kinds), "name": {"en": draw(st.text(max_size=300))}}}
        for _ in range(draw(st.integers(0, 3)))
    ]
    role = draw(st.sampled_from(["parent", "grouping", "category", "other"]))
    return {
        "id": str(draw(st.uuids())),
        "actor": SELF,
        "verb": {"id": ADL + draw(st.sampled_from(["answered", "completed", "failed", "experienced", "scored"]))},
        "object": {"id": draw(names), "definition": {"type": draw(kinds)}},
        "result": {"score": draw(scores), "duration": draw(durations)},
        "context": {"contextActivities": {role: around}},
        "timestamp": draw(times),
        "stored": STORED,
    }


def reading(**more: Any) -> Reading:
    plain = {"actor": SELF, "verb": {"id": f"{ADL}answered"}, "object": {"id": "https://lms.example/q"}}
    found = read({"id": "0190163d-8694-739b-aea5-966c26f8ad90", **plain, "stored": STORED, **more})
    assert isinstance(found, Reading)
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(statements(), min_size=1, max_size=4, unique_by=lambda one: one["id"]))
def test_every_statement_folds_live_and_from_its_row_to_the_same_bytes(sent: list[dict[str, Any]]) -> None:
    found = [read(json.loads(json.dumps(one))) for one in sent]
    live = [one for one in found if isinstance(one, Reading)]
    assert len(live) == len(sent)
    kept = [unpack(pack(one)) for one in live]
    assert kept == live
    state = FOLDER.fold_all(evidence_of(one, {}) for one in live)
    assert FOLDER.fold_all(evidence_of(one, {}) for one in kept).data == state.data
    seen = view(state_of(unpack_state(state.data)), datetime(2026, 6, 1, tzinfo=UTC))
    for one in seen.competencies:
        assert 0.0 <= one.probability <= 1.0
        assert 0.0 <= one.mastery <= 1.0
        assert one.uncertainty > 0.0


@pytest.mark.parametrize("clock", ["0001-01-01T00:00:00Z", "1904-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z"])
def test_a_clock_that_was_never_set_counts_as_the_beginning_of_1970(clock: str) -> None:
    assert reading(timestamp=clock).at == datetime(1970, 1, 1, tzinfo=UTC)
    assert not reading(timestamp=clock).ahead


def test_marks_as_far_apart_as_numbers_go_are_still_a_share() -> None:
    marks = [-GREATEST, -GREATEST / 2, 0.0, GREATEST]
    shares = [reading(result={"score": {"raw": raw, "min": -GREATEST, "max": GREATEST}}).correctness for raw in marks]
    assert shares == [0.0, 0.25, 0.5, 1.0]


def test_a_duration_of_more_digits_than_a_number_has_is_not_told() -> None:
    assert reading(result={"duration": f"PT{'9' * 400}S"}).duration_seconds is None
    assert reading(result={"duration": f"PT{'9' * 20}S"}).duration_seconds == pytest.approx(1e20)


def test_a_name_too_long_to_be_kept_stands_for_no_competency() -> None:
    long = {"id": f"https://lms.example/{'x' * 2100}", "definition": {"type": "http://id.example/course"}}
    course = {"id": "https://lms.example/course", "definition": {"type": "http://id.example/course"}}
    skill = {**long, "definition": {"type": "http://id.example/skill"}}
    around = {"parent": [long], "grouping": [course], "category": [skill]}
    found = reading(context={"contextActivities": around}, object=long)
    assert found.course is not None
    assert found.course.id == course["id"]
    assert found.claims == ()
