"""Engagement as regularity, and self-regulation: what they count, and that they stay small."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learner_model import Evidence, EvidenceKind, LearnerState, LearnerView, encode, view
from learner_model.outcomes import Outcome, completed_after
from learner_model.reading import fold_all
from learner_model.regularity import DAYS
from msgspec.structs import replace

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def act(number: int, hours: float, activity: str = "a", correctness: float | None = None) -> Evidence:
    at = START + timedelta(hours=hours)
    return Evidence(
        statement_id=f"{number:08d}",
        at=at,
        stored=at,
        activity_id=activity,
        verb_id="v",
        kind=EvidenceKind.EXPOSURE if correctness is None else EvidenceKind.RESPONSE,
        correctness=correctness,
    )


def state(*acts: tuple[float, str, float | None]) -> LearnerState:
    return fold_all(act(number, hours, activity, share) for number, (hours, activity, share) in enumerate(acts))


def seen(found: LearnerState, days: float) -> LearnerView:
    return view(found, START + timedelta(days=days))


class TestEngagement:
    def test_a_day_counts_once_however_much_is_done(self) -> None:
        once, often = state((0, "a", None)), state(*[(n / 100, "a", None) for n in range(300)])
        assert seen(once, 20).engagement == seen(often, 20).engagement

    def test_regular_is_more_than_much_at_once(self) -> None:
        weekly = state(*[(24 * 7 * n, "a", None) for n in range(7)])
        crammed = state(*[(24 * n, "a", None) for n in range(7)])
        end = 7 * 6 + 1
        assert seen(weekly, end).engagement.regularity == 1.0
        assert seen(crammed, end).engagement.active_weeks == 2
        assert seen(weekly, end).engagement.longest_pause_days == 6
        assert seen(crammed, end).engagement.longest_pause_days == 37

    @pytest.mark.parametrize("days", [1, 6, 7, 8, 13, 30, 49, 60])
    def test_who_does_something_every_day_does_so_on_seven_days_a_week(self, days: int) -> None:
        every_day = seen(state(*((24.0 * day, "a", 1.0) for day in range(days))), days - 1).engagement
        assert every_day.days_a_week == (days if days < 7 else 7.0)
        assert every_day.longest_pause_days == 0

    def test_pauses_count_until_now_and_fade_it(self) -> None:
        found = state((0, "a", None))
        assert seen(found, 0).engagement.regularity is None
        assert [seen(found, 7 * n).engagement.active_weeks for n in (1, 3, 6, 8)] == [1, 1, 1, 0]
        assert seen(found, 400).engagement.longest_pause_days == DAYS
        assert view(fold_all([]), START).engagement.weeks == 0

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.integers(0, 2000), min_size=1, max_size=40), st.integers(0, 30))
    def test_it_counts_the_days_of_the_last_seven_weeks(self, days: list[int], later: int) -> None:
        found = state(*[(24 * day, "a", None) for day in sorted(days)])
        now = max(days) + later
        engagement = seen(found, now).engagement
        assert engagement.active_days == len({day for day in days if now - day < DAYS})
        assert engagement.active_weeks <= engagement.weeks <= 7


class TestSelfRegulation:
    def test_coming_back_after_a_failure(self) -> None:
        found = seen(state((0, "a", 0.0), (1, "b", 0.0), (2, "a", 1.0)), 1).self_regulation
        assert (found.failures, found.returns, found.return_share) == (2, 1, 0.5)
        assert found.low is not None
        assert found.high is not None
        assert found.low < 0.5 < found.high

    def test_to_look_is_not_to_come_back_and_once_is_once(self) -> None:
        looked = state((0, "a", 0.0), (1, "a", None), (2, "a", None))
        assert looked.regulation.returns == 0
        again = state((0, "a", 0.0), (1, "a", None), (2, "a", 0.0), (3, "a", 1.0), (4, "a", 1.0))
        assert (again.regulation.failures, again.regulation.returns) == (2, 2)

    def test_a_review_is_of_what_is_done_and_not_of_the_same_sitting(self) -> None:
        assert state((0, "a", 1.0), (2, "a", 1.0)).regulation.reviews == 0
        assert state((0, "a", 1.0), (30, "a", None), (31, "a", None)).regulation.reviews == 1
        assert state((0, "a", 0.0), (30, "a", 1.0)).regulation.reviews == 0

    def test_without_a_failure_nothing_is_said(self) -> None:
        assert seen(state((0, "a", 1.0)), 1).self_regulation.return_share is None

    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(
            st.tuples(st.integers(0, 50), st.sampled_from("abc"), st.sampled_from([None, 0.0, 0.6, 1.0])), max_size=30
        )
    )
    def test_nobody_returns_more_often_than_failing(self, acts: list[tuple[int, str, float | None]]) -> None:
        found = state(*[(float(hours), activity, share) for hours, activity, share in sorted(acts, key=lambda a: a[0])])
        assert found.regulation.returns <= found.regulation.failures


def test_both_stay_small_whatever_the_history() -> None:
    long = state(*[(11.0 * n, "ab"[n % 2], float(n % 3 == 0)) for n in range(2000)])
    assert len(encode(long)) - len(encode(state((0, "a", 1.0)))) < 400


def test_a_key_is_found_whole_and_not_across_two() -> None:
    assert completed_after("AAABBBCCCDDD", "BBBCCC", Outcome.SUCCEEDED) == "AAABBBCCCDDDBBBCCC"
    assert completed_after("AAABBBCCCDDD", "CCCDDD", Outcome.SUCCEEDED) == "AAABBBCCCDDD"
    assert completed_after("BBBCCCAAABBBBBBCCC", "BBBCCC", Outcome.FAILED) == "AAABBBBBBCCC"


def test_the_first_tag_of_an_activity_is_its_discipline() -> None:
    one = replace(act(0, 0.0), tags=("biology", "frogs"))
    other = replace(act(1, 1.0), tags=("art", "frogs", "biology"))
    interests = view(fold_all([one, other]), START).interests
    assert {one.tag: one.discipline for one in interests} == {"art": True, "biology": True, "frogs": False}
