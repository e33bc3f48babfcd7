"""How long a service rests between two steps of a retention rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from service_kit.pacing import LONGEST_SECONDS, rest

SECONDS = st.floats(0, 100)


@given(st.floats(0, 1000), st.floats(0.1, 10_000), SECONDS, SECONDS)
def test_never_faster_than_the_rate_nor_for_longer_than_is_sane(
    records: float, rate: float, took: float, waited: float
) -> None:
    found = rest(records, rate, took=took, waited=waited)
    assert min(records / rate, LONGEST_SECONDS) <= found <= LONGEST_SECONDS


def test_where_the_database_is_busy_it_rests_longer() -> None:
    quiet = rest(100, 200, took=0.02, waited=0.002)
    assert quiet == 0.5, "the rate alone"
    assert rest(100, 200, took=0.02, waited=0.2) == pytest.approx(4.0)
    assert rest(100, 200, took=2.0, waited=0.002) == pytest.approx(4.0)
