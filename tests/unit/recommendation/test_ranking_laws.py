"""What holds for every list of recommendations, whatever the learner and the catalog."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from events.payloads import CatalogActivity
from hypothesis import given, settings
from hypothesis import strategies as st
from learner_model import (
    MASTERY_THRESHOLD,
    Evidence,
    EvidenceKind,
    LearnerState,
    Outcome,
    is_done,
    outcome_of,
    probability,
    view,
)
from learner_model.reading import fold_all
from recommendation.recommendations.knowledge import READY, Knowledge
from recommendation.recommendations.offers import Catalog, Means, prepare
from recommendation.recommendations.ranking import INTERESTED, ZONE, Candidate, recommend
from recommendation.recommendations.reasons import Code, Names, Reason, because, reasons

START = datetime(2026, 9, 1, tzinfo=UTC)
COMPETENCIES = [f"{field}/{n}" for field in ("maths", "music", "coding") for n in range(3)]
IRIS = [f"https://school.example/{n}" for n in range(14)]


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    activities = []
    for iri in draw(st.lists(st.sampled_from(IRIS), unique=True)):
        competencies = draw(st.lists(st.sampled_from(COMPETENCIES), max_size=2, unique=True))
        activities.append(
            CatalogActivity(
                id=iri,
                title=f"Title of {iri[-2:]}",
                competencies=competencies,
                prerequisites=draw(st.lists(st.sampled_from([*COMPETENCIES, *IRIS]), max_size=2, unique=True)),
                difficulty=draw(st.none() | st.floats(0, 1)),
                core=draw(st.booleans()),
                tags=[competencies[0].split("/")[0]] if competencies else draw(st.sampled_from([[], ["art"]])),
            )
        )
    return prepare(activities)


@st.composite
def evidence(draw: st.DrawFn, number: int) -> Evidence:
    answered = draw(st.booleans())
    at = START + timedelta(hours=draw(st.integers(0, 24 * 60)))
    return Evidence(
        statement_id=f"{number:04}",
        at=at,
        stored=at,
        activity_id=draw(st.sampled_from(IRIS)),
        verb_id="http://adlnet.gov/expapi/verbs/answered",
        kind=EvidenceKind.RESPONSE if answered else draw(st.sampled_from(EvidenceKind)),
        competencies=tuple((c, 1.0) for c in draw(st.lists(st.sampled_from(COMPETENCIES), max_size=2, unique=True))),
        correctness=draw(st.sampled_from([0.0, 0.6, 1.0, 1.0])) if answered else None,
        completion=draw(st.sampled_from([None, True])),
        tags=tuple(draw(st.lists(st.sampled_from(["maths", "music", "coding", "art"]), max_size=1))),
    )


@st.composite
def states(draw: st.DrawFn) -> LearnerState:
    return fold_all([draw(evidence(number)) for number in range(draw(st.integers(0, 40)))])


moments = st.integers(0, 400).map(lambda days: START + timedelta(days=days))


@settings(max_examples=150, deadline=None)
@given(catalogs(), st.none() | states(), moments, st.integers(1, 20))
def test_every_item_is_possible_useful_and_truly_explained(
    catalog: Catalog, state: LearnerState | None, as_of: datetime, limit: int
) -> None:
    chosen, knowledge = recommend(catalog, state, as_of, Means(), limit)
    assert len(chosen) <= limit
    assert len({c.offer.id for c in chosen}) == len(chosen), "one stands twice"
    for candidate in chosen:
        check_candidate(candidate, catalog, knowledge.state, as_of)
        why = reasons(candidate, knowledge, Names(catalog, {}))
        assert why
        assert because(why)
        for reason in why:
            check_reason(reason, candidate, catalog, knowledge.state, as_of)


def check_candidate(candidate: Candidate, catalog: Catalog, state: LearnerState, as_of: datetime) -> None:
    activity = candidate.offer.activity
    for needed in activity.prerequisites:
        met = is_done(state, needed) if needed in catalog.titles else (level(state, needed, as_of) or 0) >= READY
        assert met, f"{needed} is not met"
    levels = [level(state, c, as_of) for c in activity.competencies]
    assert not levels or any(p is None or p < MASTERY_THRESHOLD for p in levels), "all of it is mastered"
    if is_done(state, activity.id):
        assert any(is_due(state, c, as_of) for c in activity.competencies), "done, and nothing of it is due"
    assert 0 <= candidate.score <= 1


def check_reason(reason: Reason, candidate: Candidate, catalog: Catalog, state: LearnerState, as_of: datetime) -> None:
    activity, data = candidate.offer.activity, dict(reason.data)
    if "competency" in data and data["competency"] in state.competencies:
        p = level(state, data["competency"], as_of)
        assert p is None or data["probability"] == round(p, 4)
        assert data["competency"] in activity.competencies
    for needed in data.get("prerequisites", []):
        check_prerequisite(needed, activity, state, as_of)
    if reason.code in (Code.interest, Code.explore):
        check_tag(reason.code, data, activity, catalog, view_interests(state, as_of), state)
    match reason.code:
        case Code.due_review:
            assert is_due(state, data["competency"], as_of)
            assert data["probability"] <= data["threshold"] <= data["before"] + 5e-5
            assert datetime.fromisoformat(data["due_at"]) <= as_of + timedelta(seconds=1)
        case Code.next_step | Code.start:
            assert (level(state, data["competency"], as_of) or 0) < MASTERY_THRESHOLD
            assert reason.code is Code.next_step or not activity.prerequisites
        case Code.try_again:
            assert outcome_of(state, activity.id) is Outcome.FAILED
        case Code.right_level:
            assert ZONE[0] - 1e-4 <= data["success"] <= ZONE[1] + 1e-4
        case Code.core:
            assert activity.core
        case Code.ready:
            assert data["prerequisites"] == activity.prerequisites


def check_tag(
    code: Code,
    data: dict[str, Any],
    activity: CatalogActivity,
    catalog: Catalog,
    interests: dict[str, float],
    state: LearnerState,
) -> None:
    assert data["tag"] in activity.tags
    if code is Code.interest:
        assert data["strength"] == pytest.approx(interests[data["tag"]], abs=1e-4)
        assert data["strength"] >= INTERESTED - 1e-4
    else:
        assert data["tag"] == activity.tags[0]
        assert data["tag"] not in interests
        mine = [offer.activity for offer in catalog.offers if offer.discipline == data["tag"]]
        assert not any(c in state.competencies for a in mine for c in a.competencies)


def view_interests(state: LearnerState, as_of: datetime) -> dict[str, float]:
    return {interest.tag: interest.strength for interest in view(state, as_of).interests}


def check_prerequisite(needed: Any, activity: CatalogActivity, state: LearnerState, as_of: datetime) -> None:
    if isinstance(needed, str):
        assert needed in activity.prerequisites
    elif "activity" in needed:
        assert is_done(state, needed["activity"])
    else:
        assert needed["probability"] == round(level(state, needed["competency"], as_of) or 0.0, 4)


def level(state: LearnerState, competency: str, as_of: datetime) -> float | None:
    """The probability, None where there was no response yet."""
    held = state.competencies.get(competency)
    return probability(held, as_of) if held and held.evidence_count else None


def is_due(state: LearnerState, competency: str, as_of: datetime) -> bool:
    held = state.competencies.get(competency)
    if held is None or not held.evidence_count:
        return False
    then = probability(held, datetime.fromtimestamp(held.last_response, UTC))
    now = probability(held, as_of)
    return any(then >= bound > now for bound in (READY, MASTERY_THRESHOLD))


@settings(max_examples=30, deadline=None)
@given(catalogs(), states(), moments)
def test_a_shorter_list_is_the_beginning_of_a_longer_one(
    catalog: Catalog, state: LearnerState, as_of: datetime
) -> None:
    long, _ = recommend(catalog, state, as_of, Means(), 10)
    short, _ = recommend(catalog, state, as_of, Means(), 3)
    assert short == long[:3]


@settings(max_examples=30, deadline=None)
@given(catalogs(), states(), moments, st.randoms())
def test_the_order_of_the_catalog_does_not_matter(
    catalog: Catalog, state: LearnerState, as_of: datetime, random: Any
) -> None:
    activities = [offer.activity for offer in catalog.offers]
    random.shuffle(activities)
    assert (
        recommend(prepare(activities), state, as_of, Means(), 5)[0] == recommend(catalog, state, as_of, Means(), 5)[0]
    )


@settings(max_examples=30, deadline=None)
@given(states(), moments)
def test_knowledge_of_an_unseen_competency_is_never_mastery(state: LearnerState, as_of: datetime) -> None:
    found = Knowledge(state, as_of).level("never/seen")
    assert (found.mastered, found.ready, found.due) == (False, False, False)
