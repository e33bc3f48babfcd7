"""Scores as a fraction."""

from collections.abc import Mapping
from typing import Any

from .models import Score


def fraction(score: Score) -> float | None:
    """0..1: (raw - min) / (max - min) where all three are there, else scaled clipped to 0..1, else None.

    raw comes first since emitters agree on it; scaled's -1..0 counts as nothing reached. Where min and max are the same
    there was nothing to reach: None.
    """
    return _fraction(score.scaled, score.raw, score.min, score.max)


def fraction_of(score: Mapping[str, Any]) -> float | None:
    """As `fraction`, of the JSON object of a stored statement."""
    return _fraction(score.get("scaled"), score.get("raw"), score.get("min"), score.get("max"))


def _fraction(scaled: float | None, raw: float | None, low: float | None, high: float | None) -> float | None:
    if raw is not None and low is not None and high is not None:
        return None if low == high else (raw - low) / (high - low)
    if scaled is not None:
        return min(1.0, max(0.0, scaled))
    return None
