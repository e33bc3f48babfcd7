"""What single learners are offered, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from events.payloads import CatalogActivity, CatalogCompetency
from learner_model import Evidence, EvidenceKind, LearnerState
from learner_model.overruling import HOLDS, Overruling
from learner_model.reading import fold_all
from msgspec import structs
from recommendation.recommendations.knowledge import Knowledge
from recommendation.recommendations.offers import Catalog, Means, label, prepare
from recommendation.recommendations.ranking import Candidate, recommend, zone
from recommendation.recommendations.reasons import Code, Names, because, reasons

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)


def activity(name: str, competency: str | None, **more: Any) -> CatalogActivity:
    tags = [competency.split("/")[0]] if competency else []
    competencies = [competency] if competency else []
    return CatalogActivity(
        **({"id": f"https://x.example/{name}", "title": name, "competencies": competencies, "tags": tags} | more)
    )


def answered(name: str, competency: str, correctness: float, *, at: datetime = NOW, number: int = 0) -> Evidence:
    return Evidence(
        statement_id=f"{name}/{number}",
        at=at,
        stored=at,
        activity_id=f"https://x.example/{name}",
        verb_id="http://adlnet.gov/expapi/verbs/answered",
        kind=EvidenceKind.RESPONSE,
        competencies=((competency, 1.0),),
        correctness=correctness,
        tags=(competency.split("/")[0],),
    )


def practised(competency: str, times: int, correctness: float = 1.0, at: datetime = NOW) -> list[Evidence]:
    return [answered(f"practice-{n}", competency, correctness, at=at + timedelta(minutes=n)) for n in range(times)]


CATALOG = prepare(
    [
        activity("adding", "maths/adding", difficulty=0.4),
        activity("adding again", "maths/adding", difficulty=0.5),
        activity("fractions", "maths/fractions", prerequisites=["maths/adding"], difficulty=0.5),
        activity("ratios", "maths/ratios", prerequisites=["https://x.example/fractions"]),
        activity("rhythm", "music/rhythm", core=False),
        activity("loops", "coding/loops", core=False),
    ]
)


def titles(state: LearnerState | None, *, catalog: Catalog = CATALOG, at: datetime = NOW, limit: int = 10) -> list[str]:
    return [c.offer.activity.title for c in recommend(catalog, state, at, Means(), limit)[0]]


def codes_of(title: str, state: LearnerState | None, at: datetime = NOW) -> list[Code]:
    chosen, knowledge = recommend(CATALOG, state, at, Means(), 10)
    found = next(c for c in chosen if c.offer.activity.title == title)
    return [r.code for r in reasons(found, knowledge, Names(CATALOG, {}))]


class TestSomeoneNew:
    def test_starts_where_nothing_needs_to_be_known(self) -> None:
        assert set(titles(None)) == {"adding", "adding again", "rhythm", "loops"}

    def test_meets_several_disciplines_at_once(self) -> None:
        assert {t.split()[0] for t in titles(None, limit=3)} == {"adding", "rhythm", "loops"}

    def test_is_told_that_it_is_a_first_step(self) -> None:
        assert codes_of("adding", None)[0] is Code.start
        assert Code.explore not in codes_of("rhythm", None)


class TestSomeoneOnTheWay:
    def test_what_is_mastered_makes_room_for_what_builds_on_it(self) -> None:
        state = fold_all(practised("maths/adding", 6))
        assert "fractions" in titles(state, at=NOW + timedelta(hours=1))
        assert "adding" not in titles(state, at=NOW + timedelta(hours=1))

    def test_what_is_begun_comes_before_what_is_new(self) -> None:
        catalog = prepare([activity(f"{c} {n}", f"maths/{c}") for c in ("adding", "shapes") for n in range(2)])
        state = fold_all([answered("adding 0", "maths/adding", 1.0)])
        assert titles(state, catalog=catalog, limit=1) == ["adding 1"]

    def test_what_was_failed_opens_nothing_and_is_tried_again(self) -> None:
        state = fold_all([answered("adding", "maths/adding", 0.0)])
        assert "fractions" not in titles(state)
        assert codes_of("adding", state)[0] is Code.try_again

    def test_what_is_done_does_not_come_back(self) -> None:
        state = fold_all([answered("adding", "maths/adding", 1.0)])
        assert "adding" not in titles(state)
        assert "adding again" in titles(state)

    def test_an_activity_that_needs_another_waits_for_it(self) -> None:
        practised_only = fold_all(practised("maths/fractions", 6))
        assert "ratios" not in titles(practised_only)
        done = fold_all([*practised("maths/fractions", 6), answered("fractions", "maths/fractions", 1.0)])
        assert "ratios" in titles(done)

    def test_other_disciplines_are_there_to_be_tried(self) -> None:
        state = fold_all(practised("maths/adding", 2))
        assert Code.explore in codes_of("rhythm", state)

    def test_an_interest_shown_lifts_what_meets_it(self) -> None:
        state = fold_all(practised("music/rhythm", 3, 0.6))
        assert Code.interest in codes_of("rhythm", state)
        assert Code.interest not in codes_of("loops", state)

    def test_a_format_is_no_interest(self) -> None:
        catalog = prepare([activity("one", "music/rhythm", tags=["music", "quiz"])])
        rows = [structs.replace(row, tags=("quiz",)) for row in practised("maths/adding", 5)]
        chosen, knowledge = recommend(catalog, fold_all(rows), NOW, Means(), 1)
        assert Code.interest not in [r.code for r in reasons(chosen[0], knowledge, Names(catalog, {}))]


class TestSomeoneWhoHasForgotten:
    def test_what_was_mastered_comes_back_although_it_is_done(self) -> None:
        state = fold_all(
            [*practised("maths/adding", 5), answered("adding", "maths/adding", 1.0, at=NOW + timedelta(1))]
        )
        assert "adding" not in titles(state, at=NOW + timedelta(days=1))
        later = NOW + timedelta(days=90)
        assert "adding" in titles(state, at=later)
        assert codes_of("adding", state, at=later)[0] is Code.due_review

    def test_what_builds_on_it_waits(self) -> None:
        failed = [answered(f"song-{n}", "music/rhythm", 0.0, at=NOW - timedelta(days=n + 1)) for n in range(6)]
        state = fold_all([*failed, *practised("maths/adding", 9)])
        assert "fractions" in titles(state, at=NOW + timedelta(hours=1))
        assert "fractions" not in titles(state, at=NOW + timedelta(days=90))


class TestTheList:
    def test_is_varied_although_one_discipline_scores_best(self) -> None:
        catalog = prepare(
            [activity(f"sum {n}", "maths/adding") for n in range(9)]
            + [activity(f"song {n}", "music/rhythm", difficulty=0.7) for n in range(9)]
        )
        assert {t.split()[0] for t in titles(None, catalog=catalog, limit=3)} == {"sum", "song"}

    def test_keeps_electives_and_core_in_balance(self) -> None:
        catalog = prepare(
            [activity(f"core {n}", f"maths/{n}") for n in range(20)]
            + [activity(f"free {n}", f"music/{n}", core=False) for n in range(20)]
        )
        core = sum(t.startswith("core") for t in titles(None, catalog=catalog, limit=10))
        assert 4 <= core <= 8

    def test_difficulty_follows_ability(self) -> None:
        catalog = prepare([activity(f"level {n}", "maths/adding", difficulty=n / 10) for n in range(11)])
        weak = titles(fold_all(practised("maths/adding", 6, 0.2)), catalog=catalog, limit=1)
        strong = titles(fold_all(practised("maths/adding", 2, 1.0)), catalog=catalog, limit=1)
        assert int(weak[0].split()[1]) < int(strong[0].split()[1])

    def test_someone_who_tries_little_else_finds_something_new_among_the_first_five(self) -> None:
        catalog = prepare(
            [activity(f"sum {n}", f"maths/{n}") for n in range(30)] + [activity("song", "music/rhythm", difficulty=1.0)]
        )
        state = fold_all(practised("maths/0", 3, 0.6))
        assert "song" in titles(state, catalog=catalog, limit=5)


class TestMeans:
    @pytest.mark.parametrize(
        ("offered", "means", "suits"),
        [
            ({"language": "en-GB"}, Means(language="en"), True),
            ({"language": "de"}, Means(language="en"), False),
            ({}, Means(language="en"), True),
            ({"bandwidth": "high"}, Means(bandwidth="low"), False),
            ({"bandwidth": "low"}, Means(bandwidth="high"), True),
            ({"bandwidth": "lan"}, Means(bandwidth="low"), False),
            ({"modality": "video"}, Means(modalities=frozenset({"text"})), False),
            ({"modality": "Text"}, Means(modalities=frozenset({"text", "audio"})), True),
            ({"duration": "PT20M"}, Means(max_seconds=600), False),
            ({"duration": "PT10M"}, Means(max_seconds=600), True),
        ],
    )
    def test_only_what_the_learner_can_use(self, offered: dict[str, str], means: Means, suits: bool) -> None:
        catalog = prepare([activity("one", "maths/adding", **offered)])
        assert bool(recommend(catalog, None, NOW, means, 5)[0]) is suits


class TestWords:
    @pytest.mark.parametrize(
        ("competency", "words"),
        [
            ("maths/linear-equations", "linear equations"),
            ("https://school.example/competencies#adding_to_20", "adding to 20"),
            ("https://school.example/fractions/", "fractions"),
            ("maths.fractions", "fractions"),
            ("CCSS.MATH.3.NF.A.1", "CCSS MATH 3 NF A 1"),
            ("urn:case:f%C3%BCnf", "fünf"),
            ("x", "x"),
        ],
    )
    def test_a_competency_is_said_in_words(self, competency: str, words: str) -> None:
        assert label(competency) == words

    def test_because_completes_a_sentence(self) -> None:
        state = fold_all(practised("maths/adding", 6))
        chosen, knowledge = recommend(CATALOG, state, NOW + timedelta(hours=1), Means(), 10)
        found: Candidate = next(c for c in chosen if c.offer.activity.title == "fractions")
        why = because(reasons(found, knowledge, Names(CATALOG, {})))
        assert why == "you know adding and fractions comes next, and you have chosen maths more than once"

    def test_titles_of_provisional_competencies_come_from_the_profile(self) -> None:
        names = Names(CATALOG, {"provisional:7": "Year 5 maths"})
        assert names.all(["provisional:7", "https://x.example/ratios", "maths/adding"]) == (
            "Year 5 maths, ratios and adding"
        )


def test_the_zone_is_flat_inside_and_falls_on_both_sides() -> None:
    assert zone(0.6) == zone(0.7) == zone(0.8) == 1
    assert zone(0.3) < zone(0.5) < 1 > zone(0.9) > zone(1.0)


SAID = {"maths/adding": Overruling(probability=0.3, at=NOW, evidence_count=6)}


class TestATeachersWord:
    def test_what_the_teacher_doubts_comes_back_with_that_reason(self) -> None:
        state = fold_all(practised("maths/adding", 6))
        assert "adding" not in [c.offer.activity.title for c in recommend(CATALOG, state, NOW, Means(), 10)[0]]
        chosen, knowledge = recommend(CATALOG, state, NOW, Means(), 10, SAID)
        adding = next(c for c in chosen if c.offer.activity.title == "adding")
        found = reasons(adding, knowledge, Names(CATALOG, {}))
        assert Code.teacher in [reason.code for reason in found]
        assert "your teacher thinks that adding is worth more practice" in because(found)
        assert not any(c.offer.activity.title == "fractions" for c in chosen)

    def test_once_lapsed_the_evidence_speaks(self) -> None:
        state = fold_all(practised("maths/adding", 6))
        later = {"maths/adding": replace(SAID["maths/adding"], at=NOW - HOLDS)}
        assert recommend(CATALOG, state, NOW, Means(), 10, later)[0] == recommend(CATALOG, state, NOW, Means(), 10)[0]


class TestThreshold:
    def test_what_the_curriculum_asks_more_of_is_practised_longer(self) -> None:
        state = fold_all(practised("maths/adding", 8))
        assert not {"adding", "adding again"} & set(titles(state, at=NOW + timedelta(hours=1)))
        hard = CatalogCompetency(id="maths/adding", title="Adding", framework="maths", mastery_threshold=0.99)
        catalog = prepare([offer.activity for offer in CATALOG.offers], [hard])
        assert "adding again" in titles(state, catalog=catalog, at=NOW + timedelta(hours=1))

    def test_what_is_mastered_is_built_on_however_little_the_curriculum_asks(self) -> None:
        catalog = prepare([], [CatalogCompetency(id="c", title="C", framework="f", mastery_threshold=0.5)])
        teachers_word = {"c": Overruling(probability=0.55, at=NOW, evidence_count=0)}
        level = Knowledge(None, NOW, catalog.frameworks, teachers_word).level("c")
        assert (level.mastered, level.ready, level.due) == (True, True, False)
