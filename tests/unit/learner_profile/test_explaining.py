"""An explanation is the computation itself: its shares add up to the number that readers see."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learner_model import EvidenceKind, empty, view
from learner_model.folder import Folder
from learner_model.placement import Placement
from learner_model.reading import fold_all
from learner_profile.evidence.counting import counted
from learner_profile.evidence.mapping import Mapped, evidence_of
from learner_profile.evidence.reading import Reading
from learner_profile.evidence.repository import Row
from learner_profile.judgements.judgement import Act, Judgement
from learner_profile.learners.explaining import Explanation, Share, explain
from learner_profile.learners.languages import ENGLISH
from learner_profile.learners.placing import Placed
from learner_profile.learners.why import WhyOut
from learner_profile.learners.wording import of_row_aside, points, shared_points
from msgspec.structs import replace

START = datetime(2026, 1, 1, tzinfo=UTC)
FOLDER = Folder()
C1, C2 = ("c/1", 1.0), ("c/2", 1.0)
CATALOG = {"a": Mapped((C1,)), "b": Mapped((C2,)), "both": Mapped((C1, C2))}
SAID = Judgement(act=Act.CONTESTED, at=START, by="x", reason="no")


def row(number: int, activity: str, correctness: float | None, **more: object) -> Row:
    reading = Reading(
        statement_id=f"{number:08d}-0000-4000-8000-000000000000",
        at=START + timedelta(days=number),
        stored=START + timedelta(days=90),
        activity_id=activity,
        activity_title=None,
        parents=(),
        verb_id="http://adlnet.gov/expapi/verbs/answered",
        kind=EvidenceKind.EXPOSURE if correctness is None else EvidenceKind.RESPONSE,
        correctness=correctness,
        completion=None,
        duration_seconds=None,
        weight=1.0,
        course=None,
    )
    return Row(replace(reading, **more))


def shown(rows: list[Row], as_of: datetime) -> float:
    """What `GET /learners/{id}` says."""
    state = fold_all(evidence_of(counted(one), CATALOG) for one in rows)
    return next(one.probability for one in view(state, as_of).competencies if one.id == "c/1")


JARGON = {
    "model",
    "evidence",
    "logit",
    "probability",
    "mastery",
    "competency",
    "statement",
    "estimate",
    "parameter",
} | {
    *("prior", "variance", "decay", "threshold", "item", "items", "response", "responses", "general", "learner"),
}
EVENTS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "both"]), st.sampled_from([0.0, 0.3, 0.6, 1.0, None])), min_size=1, max_size=25
)


@given(EVENTS, st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_the_shares_add_up_to_the_number_that_is_shown(events: list[tuple[str, float | None]], days: int) -> None:
    rows = [row(number, activity, share) for number, (activity, share) in enumerate(events)]
    as_of = START + timedelta(days=days)
    found = explain(rows, CATALOG, "c/1", as_of, FOLDER)
    if all(activity == "b" for activity, _ in events):
        assert found.now is None
        return
    assert found.now is not None
    assert found.now.probability == shown(rows, as_of)
    assert sum(found.shares.values()) == pytest.approx(found.now.probability, abs=6e-5)
    out = WhyOut.of(found, "c/1", Placed(Placement(empty(), as_of)), {}, 20, ENGLISH)
    assert out is not None
    assert round(sum(one.points for one in out.shares), 1) == points(out.probability), "as it is shown, too"
    assert f"That makes {points(out.probability):g}" in out.words
    assert not JARGON & set(re.findall("[a-z]+", out.words.lower()))
    assert all(0.0 <= step.before <= 1.0 and 0.0 <= step.after <= 1.0 for step in found.steps)


def told(rows: list[Row], days: int = 40) -> WhyOut:
    found: Explanation = explain(rows, CATALOG, "c/1", START + timedelta(days=days), FOLDER)
    out = WhyOut.of(found, "c/1", Placed(Placement(empty(), found.as_of)), {}, 20, ENGLISH)
    assert out is not None
    return out


class TestWords:
    def test_each_share_says_which_way_it_moved_the_number(self) -> None:
        words = told([row(1, "a", 1.0), row(2, "a", 1.0), row(3, "a", 1.0)], 200).words
        assert words.startswith("Everyone begins at ")
        assert "The 3 answers on this topic raised it by " in words
        assert "Time without practice lowered it by " in words

    def test_the_evidence_that_moved_it_most_comes_first(self) -> None:
        out = told([row(1, "a", 1.0), row(2, "a", None), row(3, "a", 0.0)])
        sizes = [abs(one.points) for one in out.evidence]
        assert sizes == sorted(sizes, reverse=True)
        assert any(one.words.startswith("Looking at it left it where it was, at ") for one in out.evidence)
        assert out.evidence_total == 3

    def test_a_groups_result_is_told_as_one(self) -> None:
        (step,) = told([row(1, "a", 1.0, group_members=3, weight=0.3)]).evidence
        assert "reached in a group" in step.words

    def test_what_does_not_count_is_named_with_the_reason(self) -> None:
        total = replace(row(2, "a", 0.5), total=True)
        contested = replace(row(3, "a", 0.0), judgements=(SAID,))
        refused = replace(row(4, "a", 0.0), judgements=(SAID, dataclasses.replace(SAID, act=Act.OVERRIDDEN)))
        out = told([row(1, "a", 1.0), total, contested, refused])
        assert [one.words for one in out.not_counted] == [
            "A teacher decided that it does not count.",
            "Said to be wrong: it waits for a teacher.",
            "The result of the whole: its single answers count in its place.",
        ]
        assert out.shares[0].name == Share.START
        assert "grade for several things" in of_row_aside(row(1, "a", 0.5, kind=EvidenceKind.SUMMARY), ENGLISH)

    def test_a_teachers_word_is_told_beside_what_it_judges(self) -> None:
        said = dataclasses.replace(SAID, act=Act.OVERRIDDEN, correctness=1.0)
        (step,) = told([replace(row(1, "a", 0.0), judgements=(said,))]).evidence
        assert step.words.startswith("A right answer raised it by ")
        assert step.words.endswith("A teacher has corrected the result.")


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=8))
def test_shares_as_they_are_shown_add_up_and_none_is_a_tenth_off(changes: list[float]) -> None:
    shown = shared_points(changes, sum(changes))
    assert round(sum(shown), 1) == points(sum(changes))
    assert all(abs(one - change * 100) <= 0.1 + 1e-9 for one, change in zip(shown, changes, strict=True))
