"""Pace: how long a learner takes, against what was expected and against the own history."""

from math import log

from learner_model import parameters
from learner_model.state import Pace, Trend

_LIMIT = 3.0
_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.1, 1e8


def pace_after(pace: Pace, duration_seconds: float | None, expected_seconds: float | None) -> Pace:
    """The pace with one duration more; outliers (a tab left open) are cut at e**3 times the expected or usual one."""
    if duration_seconds is None or duration_seconds <= 0:
        return pace
    taken = max(_SHORTEST_SECONDS, min(_LONGEST_SECONDS, duration_seconds))
    if expected_seconds is not None and expected_seconds > 0:
        ratio = log(taken) - log(expected_seconds)
        return Pace(_trend_after(pace.expected, max(-_LIMIT, min(_LIMIT, ratio))), pace.unexpected)
    usual, seconds = pace.unexpected, log(taken)
    if usual.samples:
        seconds = usual.usual + max(-_LIMIT, min(_LIMIT, seconds - usual.usual))
    return Pace(pace.expected, _trend_after(usual, seconds))


def _trend_after(trend: Trend, value: float) -> Trend:
    if trend.samples == 0:
        return Trend(1, round(value, 4), round(value, 4))
    gain = 1.0 / min(trend.samples + 1, parameters.PACE_MEMORY)
    return Trend(
        trend.samples + 1,
        round(trend.recent + max(gain, parameters.PACE_RECENT) * (value - trend.recent), 4),
        round(trend.usual + gain * (value - trend.usual), 4),
    )
