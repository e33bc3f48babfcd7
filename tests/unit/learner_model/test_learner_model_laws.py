"""The laws of the learner model, for any history."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from learner_model import (
    Evidence,
    EvidenceKind,
    OutOfOrderError,
    decode,
    due_at,
    empty,
    encode,
    last_key,
    mastery,
    probability,
    uncertainty,
    view,
)
from learner_model.additive.kernel import machine
from learner_model.folded import Folded, pack, unpack
from learner_model.folder import Folder
from learner_model.folding import carried_on
from learner_model.reading import fold_all, state_of

FOLDER = Folder()
START = datetime(2026, 1, 1, tzinfo=UTC)
COMPETENCIES = ("c/adding", "c/taking-away", "c/times", "c/shapes")

TAGS = [(), ("a",), ("b", "c"), *((chr(97 + n), chr(98 + n), chr(99 + n)) for n in range(20))]

shares = st.floats(0, 1, allow_nan=False)
weights = st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0])


@st.composite
def histories(draw: st.DrawFn, max_size: int = 14) -> list[Evidence]:
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
        competencies=tuple((competency, draw(weights)) for competency in competencies),
        provisional=draw(st.booleans()),
        correctness=draw(shares) if kind == EvidenceKind.RESPONSE else None,
        completion=draw(st.sampled_from([None, True, False])),
        duration_seconds=draw(st.none() | st.floats(0, 1e6)),
        expected_seconds=draw(st.sampled_from([None, 1.0, 600.0])),
        difficulty=draw(st.sampled_from([None, 0.0, 0.7])),
        guessing=draw(st.sampled_from([None, 0.0, 0.25, 0.5, 1.0])),
        tags=draw(st.sampled_from(TAGS)),
        weight=draw(weights),
        watched=None if kind == EvidenceKind.RESPONSE else draw(st.none() | shares),
    )


@given(histories(), st.data())
def test_the_same_set_in_any_order_gives_the_same_bytes(
    history: list[Evidence],
    data: st.DataObject,
) -> None:
    shuffled = data.draw(st.permutations(history))
    repeated = shuffled + data.draw(st.lists(st.sampled_from(history), max_size=5))
    assert pack(FOLDER.fold_all(repeated)) == pack(FOLDER.fold_all(history))


@given(histories(), st.sets(st.integers(0, 14), max_size=5))
def test_folding_on_equals_folding_all(history: list[Evidence], cuts: set[int]) -> None:
    ordered = sorted(history, key=lambda row: row.key)
    folded: Folded | None = None
    for start, end in pairwise([0, *sorted(cuts & set(range(1, len(history)))), len(history)]):
        folded = FOLDER.fold(None if folded is None else unpack(pack(folded)), ordered[start:end])
    assert folded is not None
    assert pack(folded) == pack(FOLDER.fold_all(history))
    assert last_key(state_of(folded)) == ordered[-1].key


@given(histories(max_size=8))
def test_what_does_not_come_last_is_refused(history: list[Evidence]) -> None:
    folded = FOLDER.fold_all(history)
    for row in history:
        with pytest.raises(OutOfOrderError):
            FOLDER.fold(folded, [row])


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
    folded = FOLDER.fold_all(history)
    assert unpack(pack(folded)) == folded
    state = state_of(folded)
    assert decode(encode(state)) == state


@given(histories())
def test_of_an_older_models_state_the_habits_are_carried_on(history: list[Evidence]) -> None:
    state, new = fold_all(history), empty()
    carried = carried_on(Folded(encode(replace(state, model=1))))
    assert carried.current
    assert state_of(carried) == replace(state, ability=new.ability, level=new.level, competencies={})


@given(histories(), st.data())
def test_other_bytes_are_refused(history: list[Evidence], data: st.DataObject) -> None:
    whole = pack(FOLDER.fold_all(history))
    cut = data.draw(st.integers(1, len(whole) - 1))
    for broken in (whole[:cut], b"TLS9" + whole[4:]):
        with pytest.raises(ValueError, match="not "):
            state_of(unpack(broken))


class TestSize:
    """Bytes of all that is kept of a learner."""

    @pytest.mark.parametrize(("competencies", "bound"), [(20, 4096), (150, 16_384), (250, 16_384 + 100 * 80)])
    def test_it_stays_bounded(self, competencies: int, bound: int) -> None:
        half, whole = (len(pack(_worked(competencies, events))) for events in (1000, 2000))
        assert half <= bound
        assert abs(whole - half) <= 8  # numbers of more digits, and nothing that grows

    def test_each_competency_more_takes_80_bytes_at_most(self) -> None:
        assert len(pack(_worked(400, 1300))) - len(pack(_worked(300, 1300))) <= 100 * 80


@cache
def _worked(competencies: int, events: int) -> Folded:
    """A learner with all that can be kept: items, what is done, interests, pace. Every fourth name ends otherwise."""
    return Folder(kernel=machine()).fold_all(_history(competencies, events))


def _history(competencies: int, events: int) -> Iterator[Evidence]:
    for number in range(events):
        at = START + timedelta(hours=7 * number, microseconds=7)
        name = number * 13 % competencies
        unlike = blake2b(str(name).encode(), digest_size=16).hexdigest()
        end = str(UUID(unlike)) if name % 4 else f"{unlike}-mat"
        yield Evidence(
            statement_id=f"{number:08d}-0000-4000-8000-000000000007",
            at=at,
            stored=at,
            activity_id=f"https://example.org/activities/{number * 7 % 300}",
            verb_id="http://adlnet.gov/expapi/verbs/answered",
            kind=EvidenceKind.EXPOSURE if number % 50 == 0 else EvidenceKind.RESPONSE,
            watched=0.25 if number % 50 == 0 else None,
            competencies=((f"https://school.example.org/ims/case/v1p1/CFItems/{end}", 1.0),),
            correctness=number * 7919 % 100 / 100,
            completion=True,
            duration_seconds=60.0 + number % 37,
            tags=(f"subject-{number % 16}",),
        )
