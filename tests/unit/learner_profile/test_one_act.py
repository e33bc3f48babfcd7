"""One act is one piece of evidence, in whichever order its statements arrive."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learner_model.folded import pack
from learner_model.folder import Folder
from learner_profile.evidence.acts import Held, sort_out_totals, ties_of, totals_among
from learner_profile.evidence.counting import counted
from learner_profile.evidence.reading import Reading, read
from learner_profile.evidence.repository import Row
from learner_profile.learners.profiles import Profile, built_anew, folded_on
from msgspec.structs import replace

ADL = "http://adlnet.gov/expapi/verbs/"
SELF = {"objectType": "Agent", "account": {"homePage": "https://trellis.invalid/learners", "name": "self"}}
EMITTERS = Path(__file__).parents[2] / "fixtures" / "emitters"
BLANK = Profile(tenant="t", learner="l")
SESSION = "https://w3id.org/xapi/cmi5/context/extensions/sessionid"


def reading(number: int, activity: str, verb: str = "answered", share: float | None = 1.0, **context: Any) -> Reading:
    found = read(
        {
            "id": str(UUID(int=number)),
            "actor": SELF,
            "verb": {"id": f"{ADL}{verb}"},
            "object": {"id": activity},
            "result": {} if share is None else {"score": {"scaled": share}},
            "context": context,
            "timestamp": f"2026-03-01T10:{number % 60:02}:00Z",
            "stored": "2026-03-02T10:00:00Z",
        }
    )
    assert isinstance(found, Reading)
    return found


def inside(*parents: str) -> dict[str, Any]:
    return {"contextActivities": {"parent": [{"id": one} for one in parents]}}


def around(*groupings: str) -> dict[str, Any]:
    return {"contextActivities": {"grouping": [{"id": one} for one in groupings]}}


def referring(number: int) -> dict[str, Any]:
    return {"statement": {"objectType": "StatementRef", "id": str(UUID(int=number))}}


def summed(*readings: Reading) -> list[int]:
    """The numbers of those that are totals."""
    return sorted(UUID(one).int for one in totals_among(readings))


class TestLinks:
    def test_by_parent_at_every_level(self) -> None:
        question = reading(1, "q", **inside("attempt", "quiz"))
        assert summed(question, reading(2, "attempt", "completed"), reading(3, "quiz", "scored")) == [2, 3]

    def test_by_the_statement_that_a_question_refers_to(self) -> None:
        assert summed(reading(1, "q", **referring(2)), reading(2, "problem")) == [2]

    @pytest.mark.parametrize("verb", ["completed", "passed", "failed", "mastered"])
    def test_by_the_statement_that_a_total_refers_to(self, verb: str) -> None:
        assert summed(reading(1, "q"), reading(2, "unit", verb, **referring(1))) == [2]

    def test_by_registration_where_nothing_else_says_where_a_question_belongs(self) -> None:
        one, other = str(UUID(int=98)), str(UUID(int=99))
        total = reading(2, "unit", "passed", registration=one)
        assert summed(reading(1, "q", registration=one), total) == [2]
        assert summed(reading(1, "q", registration=other), total) == []
        assert summed(reading(1, "q", registration=one, **around("another unit")), total) == []
        assert summed(reading(1, "q", registration=one, **around("unit")), total) == [2]

    def test_by_the_session_of_cmi5(self) -> None:
        def of(session: str, number: int, activity: str, verb: str) -> Reading:
            return reading(number, activity, verb, extensions={SESSION: session}, **around("publisher's id"))

        total = of("s1", 2, "unit", "passed")
        assert summed(of("s1", 1, "q", "answered"), total) == [2]
        assert summed(of("s2", 1, "q", "answered"), total) == []

    def test_by_h5ps_sub_content_where_no_parent_is_named(self) -> None:
        part = "https://a.example/embed/5?x=1&subContentId=2f5d7c1a-54b1-4a35-8e8a-0a6d2b1c9e01"
        assert summed(reading(1, part), reading(2, "https://a.example/embed/5?x=1", "completed")) == [2]
        part = "https://a.example/embed/5?subContentId=2f5d7c1a-54b1-4a35-8e8a-0a6d2b1c9e01"
        assert summed(reading(1, part), reading(2, "https://a.example/embed/5", "completed")) == [2]

    def test_another_registration_is_another_attempt(self) -> None:
        first, second = (str(UUID(int=number)) for number in (98, 99))
        question = reading(1, "q", registration=first, **inside("quiz"))
        assert summed(question, reading(2, "quiz", "completed", registration=second)) == []
        assert summed(question, reading(2, "quiz", "completed", registration=first)) == [2]

    def test_what_is_no_answer_makes_no_total(self) -> None:
        seen = reading(1, "q", "experienced", None, **inside("quiz"))
        assert summed(seen, reading(2, "quiz", "completed")) == []

    def test_completed_tells_the_marks_again_that_another_verb_has_told(self) -> None:
        completed, again = reading(1, "set", "completed"), reading(4, "set", "completed")
        for verb in ("answered", "passed", "failed", "scored"):
            assert summed(completed, reading(2, "set", verb), again) == [1, 4]
            assert summed(completed, reading(2, "another", verb)) == []
            assert summed(completed, reading(2, "set", verb, registration=str(UUID(int=9)))) == []
        assert summed(reading(2, "set", "passed"), reading(3, "set", "failed"), reading(4, "set")) == []

    def test_a_total_alone_counts(self) -> None:
        assert summed(reading(2, "quiz", "completed"), reading(3, "quiz", "completed")) == []

    def test_a_parent_that_is_the_activity_itself_is_no_whole(self) -> None:
        assert summed(reading(1, "q", **inside("q")), reading(2, "q", **inside("q"))) == []


@pytest.mark.parametrize(("name", "totals"), [("moodle", 1), ("h5p", 2), ("open_edx", 1)])
def test_what_emitters_send_is_counted_once(name: str, totals: int) -> None:
    sent = json.loads((EMITTERS / f"{name}.json").read_text())["statements"]
    readings = []
    for number, one in enumerate(sent):
        found = read({"id": str(UUID(int=number)), **one, "actor": SELF, "stored": "2026-03-09T10:00:00Z"})
        assert isinstance(found, Reading)
        readings.append(found)
    assert len(totals_among(readings)) == totals


def _history() -> list[Reading]:
    """Two attempts of a quiz, one of which only the total came, an H5P set with two totals, a problem by reference."""
    quiz = [reading(10 * a + q, f"q{q}", share=q / 3, **inside(f"attempt{a}", "quiz")) for a in (1, 2) for q in (1, 2)]
    attempts = [reading(10 * a, f"attempt{a}", "completed", 0.5, **inside("quiz")) for a in (1, 2, 3)]
    parts = [reading(40 + n, f"set?subContentId={n}", share=0.25 * n) for n in (1, 2, 3)]
    sets = [reading(45, "set", share=0.5), reading(46, "set", "completed", 0.5)]
    problem = [reading(50, "problem", share=0.5), reading(51, "p1", **referring(50)), reading(52, "unrelated")]
    return [*quiz, *attempts, *parts, *sets, *problem]


HISTORY = _history()


FOLDER = Folder()


class _Memory:
    """What the rows do, without a database: which names are held, how each row was folded."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.profile = BLANK

    def batch(self, new: list[Reading]) -> None:
        ties = {one.statement_id: ties_of(one) for one in new}
        found = sort_out_totals(ties, self._held())
        rows = [Row(one, one.statement_id in found.totals) for one in new]
        self.rows |= {row.reading.statement_id: row for row in rows}
        before = replace(self.profile, dirty=True) if found.takes_back else self.profile
        self.profile = folded_on(before, [counted(row) for row in rows], {}, FOLDER)

    def rebuild(self) -> None:
        totals = totals_among(row.reading for row in self.rows.values())
        self.rows = {key: replace(row, total=key in totals) for key, row in self.rows.items()}
        self.profile = built_anew(self.profile, [counted(row) for row in self.rows.values()], {}, FOLDER)

    def _held(self) -> Held:
        rows = self.rows.values()
        parts = {name for row in rows for name in ties_of(row.reading).part}
        wholes = {name for row in rows if not row.total for name in ties_of(row.reading).whole}
        return Held(frozenset(parts), frozenset(wholes))


def _whole() -> Profile:
    memory = _Memory()
    memory.batch(HISTORY)
    return memory.profile


@given(st.permutations(range(len(HISTORY))), st.lists(st.integers(0, len(HISTORY)), max_size=6), st.integers(0, 63))
@settings(max_examples=60)
def test_any_order_and_any_split_gives_the_same_state_byte_for_byte(
    order: list[int], cuts: list[int], rebuilds: int
) -> None:
    memory, expected = _Memory(), _whole()
    for number, (start, end) in enumerate(pairwise(sorted({0, *cuts, len(HISTORY)}))):
        memory.batch([HISTORY[index] for index in order[start:end]])
        if memory.profile.dirty and rebuilds >> number & 1:
            memory.rebuild()
    if memory.profile.dirty:
        memory.rebuild()
    assert memory.profile.folded is not None
    assert expected.folded is not None
    assert pack(memory.profile.folded) == pack(expected.folded)
    assert memory.profile.reflects == expected.reflects
    assert {row.reading.statement_id for row in memory.rows.values() if row.total} == totals_among(HISTORY)


def test_in_the_order_of_time_nothing_is_built_anew_but_for_totals_that_came_first() -> None:
    memory = _Memory()
    memory.batch([one for one in HISTORY if one.activity_id in ("q1", "q2")])
    memory.batch([one for one in HISTORY if one.activity_id == "unrelated"])
    assert not memory.profile.dirty
    ahead = _Memory()
    ahead.batch([reading(1, "quiz", "completed")])
    ahead.batch([reading(2, "q1", **inside("quiz"))])
    assert ahead.profile.dirty
    ahead.rebuild()
    ahead.batch([reading(3, "q2", **inside("quiz"))])
    assert not ahead.profile.dirty


def test_a_total_moves_nothing_that_its_questions_moved() -> None:
    questions = [reading(1, "q1", share=0.0, **inside("quiz", "course")), reading(2, "q2", **inside("quiz", "course"))]
    total = reading(3, "quiz", "completed", 0.5, **inside("course"))
    without, beside = _Memory(), _Memory()
    without.batch(questions)
    beside.batch([total])
    beside.batch(questions)
    beside.rebuild()
    alone, both = without.profile.state, beside.profile.state
    assert alone is not None
    assert both is not None
    assert both.competencies == alone.competencies
    assert both.ability == alone.ability
    assert both.activity.statements == 3
