"""The laws of the learner model, for any history."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from learner_model import (
    Evidence,
    EvidenceKind,
    LearnerState,
    OutOfOrderError,
    decode,
    due_at,
    empty,
    encode,
    fold,
    fold_all,
    last_key,
    mastery,
    probability,
    uncertainty,
    view,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
COMPETENCIES = ("c/adding", "c/taking-away", "c/times", "c/shapes")

shares = st.floats(0, 1, allow_nan=False)


@st.composite
def histories(draw: st.DrawFn, max_size: int = 25) -> list[Evidence]:
    """Up to `max_size` rows with distinct statement ids; times may coincide."""
    size = draw(st.integers(1, max_size))
    return [draw(rows(statement_id=f"{number:08d}")) for number in draw(st.permutations(range(size)))]


@st.composite
def rows(draw: st.DrawFn, statement_id: str) -> Evidence:
    at = START + timedelta(microseconds=draw(st.integers(0, 400 * 86_400)) * 1_000_000 + draw(st.integers(0, 3)))
    kind = draw(st.sampled_from(list(EvidenceKind)))
    competencies = draw(st.lists(st.sampled_from(COMPETENCIES), unique=True, max_size=3))
    return Evidence(
        statement_id=statement_id,
        at=at,
        stored=at,
        activity_id=f"https://example.org/a/{draw(st.integers(0, 40))}",
        verb_id="http://adlnet.gov/expapi/verbs/answered",
        kind=kind,
        competencies=tuple((competency, draw(shares)) for competency in competencies),
        provisional=draw(st.booleans()),
        correctness=draw(shares) if kind == EvidenceKind.RESPONSE else None,
        completion=draw(st.sampled_from([None, True, False])),
        duration_seconds=draw(st.none() | st.floats(0, 1e6)),
        expected_seconds=draw(st.none() | st.floats(1, 1e4)),
        difficulty=draw(st.none() | shares),
        tags=tuple(draw(st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), unique=True, max_size=4))),
        weight=draw(shares),
    )


@given(histories(), st.data())
def test_the_same_set_in_any_order_gives_the_same_bytes(
    history: list[Evidence],
    data: st.DataObject,
) -> None:
    shuffled = data.draw(st.permutations(history))
    repeated = shuffled + data.draw(st.lists(st.sampled_from(history), max_size=5))
    assert encode(fold_all(repeated)) == encode(fold_all(history))


@given(histories(), st.integers(0, 25))
def test_folding_on_equals_folding_all(history: list[Evidence], cut: int) -> None:
    ordered = sorted(history, key=lambda row: row.key)
    state = fold_all(ordered[:cut])
    for row in ordered[cut:]:
        state = fold(decode(encode(state)), row)
    assert encode(state) == encode(fold_all(history))
    assert last_key(state) == ordered[-1].key


@given(histories())
def test_what_does_not_come_last_is_refused(history: list[Evidence]) -> None:
    state = fold_all(history)
    for row in history:
        with pytest.raises(OutOfOrderError):
            fold(state, row)


@given(histories(), st.integers(-10, 4000))
def test_everything_stays_within_bounds(history: list[Evidence], days: int) -> None:
    state = fold_all(history)
    as_of = START + timedelta(days=days)
    for competency in state.competencies.values():
        for figure in (probability(competency, as_of), mastery(competency, as_of)):
            assert 0.0 <= figure <= 1.0
        assert 0.0 < uncertainty(competency, as_of) <= 0.5
        assert 0.25 <= competency.half_life_days <= 730
        assert 0.0 <= competency.successes <= competency.evidence_count <= len(history)
    seen = view(state, as_of)
    assert all(0.0 <= interest.strength < 1.0 for interest in seen.interests)
    assert all(strength.low > 0.0 for strength in seen.strengths)
    assert seen.activity.statements == len(history)
    assert seen.activity.active_days == len({row.at.date() for row in history})


@given(histories(), st.data(), st.integers(0, 1000))
def test_a_better_response_never_lowers_a_probability(history: list[Evidence], data: st.DataObject, days: int) -> None:
    history = [replace(row, difficulty=None, weight=1.0) for row in history]
    number = data.draw(st.integers(0, len(history) - 1))
    row = history[number]
    if row.correctness is None:
        return
    better = [*history]
    better[number] = replace(row, correctness=data.draw(st.floats(row.correctness, 1.0)))
    as_of = START + timedelta(days=days)
    before, after = fold_all(history).competencies, fold_all(better).competencies
    for competency_id, state in before.items():
        assert probability(after[competency_id], as_of) >= probability(state, as_of) - 1e-9
        assert mastery(after[competency_id], as_of) >= mastery(state, as_of) - 1e-9


@given(histories(), st.integers(0, 1000), st.integers(0, 1000))
def test_time_alone_never_raises_probability_or_mastery(history: list[Evidence], days: int, more: int) -> None:
    earlier = START + timedelta(days=days)
    later = earlier + timedelta(days=more)
    for competency in fold_all(history).competencies.values():
        assert probability(competency, later) <= probability(competency, earlier) + 1e-12
        assert mastery(competency, later) <= mastery(competency, earlier) + 1e-12


@given(histories())
def test_due_is_when_the_probability_crosses_the_threshold(history: list[Evidence]) -> None:
    for competency in fold_all(history).competencies.values():
        due = due_at(competency, 0.7)
        if due is None:
            continue
        assert probability(competency, due - timedelta(minutes=5)) >= 0.7 - 1e-6
        assert probability(competency, due + timedelta(minutes=5)) <= 0.7 + 1e-6


@given(histories())
def test_a_state_survives_its_bytes(history: list[Evidence]) -> None:
    state = fold_all(history)
    assert decode(encode(state)) == state


@pytest.mark.parametrize(("competencies", "events", "bound"), [(20, 150, 4096), (20, 1000, 4608), (150, 1000, 16384)])
def test_bytes_stay_bounded(competencies: int, events: int, bound: int) -> None:
    assert len(encode(_worked(competencies, events, seed=7))) <= bound


def _worked(competencies: int, events: int, seed: int) -> LearnerState:
    state = empty()
    for number in range(events):
        at = START + timedelta(hours=7 * number, microseconds=seed)
        state = fold(
            state,
            Evidence(
                statement_id=f"{number:08d}-0000-4000-8000-{seed:012d}",
                at=at,
                stored=at,
                activity_id=f"https://example.org/activities/{(number * 7 + seed) % 300}",
                verb_id="http://adlnet.gov/expapi/verbs/answered",
                kind=EvidenceKind.RESPONSE,
                competencies=((f"https://example.org/competency/{(number * 13 + seed) % competencies:06d}", 1.0),),
                correctness=((number * 7919 + seed) % 100) / 100,
                completion=True,
                duration_seconds=60.0 + number % 37,
                tags=(f"subject-{number % 12}",),
            ),
        )
    return state
