"""What the learner model says of plain stories."""

from datetime import UTC, datetime, timedelta

import pytest
from learner_model import (
    Evidence,
    EvidenceKind,
    Outcome,
    empty,
    is_done,
    last_key,
    mastery,
    outcome_of,
    probability,
    uncertainty,
    view,
)
from learner_model.reading import fold_all
from msgspec.structs import replace

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
DAY = timedelta(days=1)


def answered(
    number: int, *, correct: float | None = 1.0, at: datetime | None = None, competency: str = "c/1"
) -> Evidence:
    """A response on an activity of its own, a day after the one before."""
    moment = at or START + number * DAY
    return Evidence(
        statement_id=f"{number:04d}",
        at=moment,
        stored=moment,
        activity_id=f"a/{number}",
        verb_id="http://adlnet.gov/expapi/verbs/answered",
        kind=EvidenceKind.RESPONSE,
        competencies=((competency, 1.0),),
        correctness=correct,
    )


def probability_after(*history: Evidence, as_of: datetime = START + 10 * DAY) -> float:
    return probability(fold_all(history).competencies["c/1"], as_of)


class TestMastery:
    def test_without_evidence_nothing_is_claimed(self) -> None:
        assert view(empty(), START).competencies == ()
        assert last_key(empty()) is None

    def test_one_response_leaves_wide_uncertainty_and_more_narrow_it(self) -> None:
        one = fold_all([answered(1)]).competencies["c/1"]
        ten = fold_all([answered(number) for number in range(10)]).competencies["c/1"]
        assert uncertainty(one, START + DAY) > 1.3 * uncertainty(ten, START + 10 * DAY)
        assert one.variance > 1.5 * ten.variance

    def test_a_run_of_successes_masters_and_a_run_of_failures_does_not(self) -> None:
        good = fold_all([answered(number) for number in range(15)]).competencies["c/1"]
        bad = fold_all([answered(number, correct=0.0) for number in range(15)]).competencies["c/1"]
        assert mastery(good, START + 15 * DAY) > 0.8
        assert mastery(bad, START + 15 * DAY) < 0.05

    def test_a_right_answer_that_may_be_guessed_tells_less(self) -> None:
        typed, guessed = replace(answered(1), guessing=0.0), replace(answered(1), guessing=0.5)
        assert fold_all([typed]).competencies["c/1"].mean > fold_all([guessed]).competencies["c/1"].mean

    def test_a_hard_item_solved_tells_more_than_an_easy_one(self) -> None:
        hard, easy = replace(answered(1), difficulty=0.9), replace(answered(1), difficulty=0.1)
        assert probability_after(hard) > probability_after(answered(1)) > probability_after(easy)

    def test_weak_evidence_moves_less(self) -> None:
        start = probability_after(replace(answered(1), kind=EvidenceKind.EXPOSURE, correctness=None))
        assert start < probability_after(replace(answered(1), weight=0.3)) < probability_after(answered(1))

    def test_a_summary_moves_no_mastery_and_is_counted(self) -> None:
        total = replace(answered(2), kind=EvidenceKind.SUMMARY, correctness=0.1)
        state, without = fold_all([answered(1), total]), fold_all([answered(1)])
        assert state.competencies == without.competencies
        assert outcome_of(state, "a/2") == Outcome.FAILED
        assert state.activity.statements == 2

    def test_a_new_competency_starts_from_the_general_level(self) -> None:
        able = [answered(number) for number in range(8)]
        seen = replace(answered(9, competency="c/new"), kind=EvidenceKind.EXPOSURE, correctness=None)
        state = fold_all([*able, seen]).competencies["c/new"]
        assert probability(state, START + 9 * DAY) > 0.55
        assert state.evidence_count == 0
        assert state.exposures == 1


class TestForgetting:
    def test_spaced_successes_last_longer_than_massed_ones(self) -> None:
        spaced = fold_all([answered(n, at=START + (10 * n) * DAY) for n in range(5)]).competencies["c/1"]
        massed = fold_all([answered(n, at=START + 40 * DAY + timedelta(minutes=n)) for n in range(5)]).competencies[
            "c/1"
        ]
        assert spaced.half_life_days > massed.half_life_days
        assert probability(spaced, START + 100 * DAY) > probability(massed, START + 100 * DAY)

    def test_a_failure_shortens_the_half_life(self) -> None:
        good = fold_all([answered(1), answered(2)]).competencies["c/1"]
        lapsed = fold_all([answered(1), answered(2, correct=0.0)]).competencies["c/1"]
        assert lapsed.half_life_days < good.half_life_days

    def test_what_was_mastered_comes_due(self) -> None:
        seen = view(fold_all([answered(number) for number in range(15)]), START + 15 * DAY).competencies[0]
        assert seen.due_at is not None
        assert seen.due_at > START + 15 * DAY

    def test_uncertainty_grows_while_nothing_is_seen(self) -> None:
        state = fold_all([answered(number) for number in range(10)]).competencies["c/1"]
        assert uncertainty(state, START + 100 * DAY) > uncertainty(state, START + 10 * DAY)


class TestAcrossCompetencies:
    def test_strengths_are_measured_against_the_learners_own_level(self) -> None:
        history = [
            answered(20 * subject + number, correct=float(subject == 0), competency=f"c/{subject}")
            for subject in range(4)
            for number in range(12)
        ]
        strengths = view(fold_all(history), START + 80 * DAY - 60 * DAY).strengths
        assert [strength.id for strength in strengths] == ["c/0"]
        assert strengths[0].low < strengths[0].above < strengths[0].high

    def test_nobody_is_strong_in_everything(self) -> None:
        history = [answered(9 * s + n, competency=f"c/{s}") for s in range(4) for n in range(9)]
        assert view(fold_all(history), START + 40 * DAY).strengths == ()

    def test_interest_comes_from_choice_and_fades(self) -> None:
        looked = [
            replace(answered(n, correct=None), kind=EvidenceKind.COMPLETION, completion=True, tags=("music",))
            for n in range(4)
        ]
        failed = replace(answered(5, correct=0.0), tags=("chess",))
        state = fold_all([*looked, failed])
        soon, late = view(state, START + 5 * DAY).interests, view(state, START + 95 * DAY).interests
        assert [interest.tag for interest in soon] == ["music", "chess"]
        assert late[0].strength < soon[0].strength / 2
        assert sum(interest.share for interest in soon) == pytest.approx(1.0, abs=1e-3)

    def test_coming_back_after_a_failure_shows_more_interest_than_after_a_success(self) -> None:
        def tried(number: int, correct: float) -> Evidence:
            return replace(answered(number, correct=correct), activity_id="a/same", tags=("chess",))

        back = view(fold_all([tried(1, 0.0), tried(2, 1.0)]), START + 2 * DAY).interests[0]
        again = view(fold_all([tried(1, 1.0), tried(2, 1.0)]), START + 2 * DAY).interests[0]
        assert back.strength > again.strength

    def test_pace_is_told_against_expectation_and_own_history(self) -> None:
        history = [
            replace(answered(n), duration_seconds=120.0 if n < 10 else 30.0, expected_seconds=60.0) for n in range(13)
        ]
        pace = view(fold_all(history), START + 20 * DAY).pace
        assert pace.evidence_count == 13
        assert pace.ratio_to_expected is not None
        assert 1.2 < pace.ratio_to_expected < 2.0
        assert pace.recent_to_usual is not None
        assert pace.recent_to_usual < 1.0

    def test_pace_without_an_expected_time_is_told_against_own_history_alone(self) -> None:
        history = [replace(answered(n), duration_seconds=60.0 if n < 5 else 240.0) for n in range(8)]
        pace = view(fold_all(history), START + 20 * DAY).pace
        assert pace.ratio_to_expected is None
        assert pace.recent_to_usual is not None
        assert pace.recent_to_usual > 1.0


class TestOutcomes:
    def test_what_is_done_is_known_and_a_failure_takes_it_back(self) -> None:
        state = fold_all([answered(1), answered(2, correct=0.2), answered(3, correct=0.6)])
        assert is_done(state, "a/1")
        assert not is_done(state, "a/2")
        assert not is_done(state, "a/3")
        assert [outcome_of(state, f"a/{n}") for n in (1, 2, 3, 4)] == [
            Outcome.SUCCEEDED,
            Outcome.FAILED,
            Outcome.PARTLY,
            None,
        ]
        again = fold_all([answered(1), replace(answered(2, correct=0.0), activity_id="a/1")])
        assert not is_done(again, "a/1")

    def test_a_look_does_not_wipe_out_a_result(self) -> None:
        look = replace(answered(2, correct=None), activity_id="a/1", kind=EvidenceKind.EXPOSURE)
        state = fold_all([answered(1), look])
        assert outcome_of(state, "a/1") == Outcome.SUCCEEDED
        assert is_done(state, "a/1")

    def test_done_is_remembered_far_longer_than_recent(self) -> None:
        state = fold_all([answered(number) for number in range(100)])
        assert is_done(state, "a/0")
        assert outcome_of(state, "a/0") is None


class TestEvidence:
    def test_shares_outside_0_to_1_are_refused(self) -> None:
        with pytest.raises(ValueError, match="correctness lies between 0 and 1"):
            replace(answered(1), correctness=1.2)
        with pytest.raises(ValueError, match="weight lies between 0 and 1"):
            replace(answered(1), weight=-0.1)
        with pytest.raises(ValueError, match="difficulty lies between 0 and 1"):
            replace(answered(1), difficulty=2.0)
        with pytest.raises(ValueError, match="weight lies between 0 and 1"):
            replace(answered(1), competencies=(("c/1", 1.5),))

    def test_naive_times_are_refused(self) -> None:
        with pytest.raises(ValueError, match="aware"):
            replace(answered(1), at=START.replace(tzinfo=None))
