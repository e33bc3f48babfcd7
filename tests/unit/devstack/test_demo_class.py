"""The demo's simulated class: what it sends is valid, and its pupils learn and forget."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from devstack.demo.attempts import statements
from devstack.demo.played import mastered
from devstack.demo.pupils import QUESTIONS, Attempt, Mind, is_assessed
from devstack.demo.school import pupils, roster
from devstack.tenant import CATALOG
from xapi import Version, parse_statements

CATALOG_LINES = [json.loads(line) for line in CATALOG.read_text().splitlines()]
QUIZ = next(a for a in CATALOG_LINES if is_assessed(a) and not a["prerequisites"])
LESSON = next(a for a in CATALOG_LINES if not is_assessed(a) and not a["prerequisites"])
FIELDS = sorted({a["tags"][0] for a in CATALOG_LINES})
AT = datetime(2026, 9, 1, 10, tzinfo=UTC)


def practise(mind: Mind, activity: dict[str, Any], times: int) -> None:
    for _ in range(times):
        mind.attempt(activity)


class TestStatements:
    @pytest.mark.parametrize("version", list(Version))
    @pytest.mark.parametrize("activity", [QUIZ, LESSON])
    def test_are_valid(self, version: Version, activity: dict[str, Any]) -> None:
        attempt = Mind.born(1, FIELDS).attempt(activity)
        made = statements(pupils()[0].actor, attempt, AT)
        assert len(list(parse_statements(orjson.dumps(made), version))) == len(made)
        assert len({statement["id"] for statement in made}) == len(made)

    def test_a_quiz_is_its_questions_and_their_total(self) -> None:
        attempt = Attempt(QUIZ, (True, False, True, True, True), 300)
        *questions, total = statements(pupils()[0].actor, attempt, AT)
        assert [q["result"]["score"]["scaled"] for q in questions] == [1, 0, 1, 1, 1]
        assert {q["context"]["contextActivities"]["parent"][0]["id"] for q in questions} == {QUIZ["id"]}
        assert (total["object"]["id"], total["result"]["score"]["scaled"]) == (QUIZ["id"], 0.8)
        times = [statement["timestamp"] for statement in (*questions, total)]
        assert times == sorted(times)
        assert total["timestamp"] == AT.isoformat()

    def test_what_is_read_has_no_score(self) -> None:
        (read,) = statements(pupils()[0].actor, Attempt(LESSON, (), 600), AT)
        assert read["result"] == {"completion": True, "duration": "PT600S"}


class TestMind:
    def test_the_same_seed_is_the_same_pupil(self) -> None:
        one, other = (Mind.born(7, FIELDS) for _ in range(2))
        assert [one.attempt(QUIZ) for _ in range(5)] == [other.attempt(QUIZ) for _ in range(5)]

    def test_practice_makes_better_and_rest_worse_but_not_worse_than_before(self) -> None:
        mind = Mind.born(3, FIELDS)
        first = mind.chance(QUIZ)
        practise(mind, QUIZ, 4)
        practised = mind.chance(QUIZ)
        mind.rest(30)
        assert first < mind.chance(QUIZ) < practised

    def test_what_builds_on_something_unknown_is_harder(self) -> None:
        harder = next(a for a in CATALOG_LINES if is_assessed(a) and a["prerequisites"])
        mind = Mind.born(3, FIELDS)
        unprepared = mind.chance(harder)
        mind.learnt |= dict.fromkeys(harder["prerequisites"], 2.0)
        assert mind.chance(harder) > unprepared

    def test_followers_take_what_is_recommended_and_wanderers_do_not(self) -> None:
        taken = {
            seed: sum(mind.choose([QUIZ], [LESSON]) is QUIZ for _ in range(100))
            for seed in (1, 3)
            for mind in [Mind.born(seed, FIELDS)]
        }
        assert taken[1] > 80 > 50 > taken[3] > 10

    def test_an_assessment_asks_questions(self) -> None:
        assert len(Mind.born(1, FIELDS).attempt(QUIZ).answers) == QUESTIONS


class TestSchool:
    def test_everyone_has_an_account_a_name_and_a_home(self) -> None:
        members = pupils()
        assert len({pupil.account_name for pupil in members}) == len({pupil.name for pupil in members}) == 60
        assert min(Counter(pupil.home for pupil in members).values()) >= 10

    def test_one_class_is_too_small_for_reports(self) -> None:
        sizes = Counter(pupil.classroom for pupil in pupils())
        assert sorted(size >= 10 for size in sizes.values()) == [False, True, True, True, True]

    def test_the_roster_has_every_pupil_and_a_teacher_for_each_class(self) -> None:
        rows = list(csv.DictReader(io.StringIO(roster(pupils()).decode())))
        assert Counter(row["role"] for row in rows) == {"learner": 60, "teacher": 5}
        assert all(row["class"] and row["school"] and row["district"] and row["region"] for row in rows)
        assert {row["attributes"] for row in rows if row["role"] == "learner"} == {"home=town", "home=country"}


def test_mastered_is_what_was_answered_and_is_above_the_threshold() -> None:
    def competency(title: str, probability: float, evidence: int, threshold: float = 0.8) -> dict[str, Any]:
        return {"title": title, "probability": probability, "evidence_count": evidence, "threshold": threshold}

    found = [competency("a", 0.9, 3), competency("b", 0.7, 3), competency("c", 0.9, 0), competency("d", 0.7, 3, 0.6)]
    assert mastered({"competencies": found}) == ["a", "d"]
    assert mastered(None) == []
