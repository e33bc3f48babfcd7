"""Scores as a fraction."""

from collections.abc import Mapping
from typing import Any


def fraction(score: Mapping[str, Any]) -> float | None:
    """0..1: (raw - min) / (max - min) where all three are there, else scaled clipped to 0..1, else None.

    raw comes first since emitters agree on it; scaled's -1..0 counts as nothing reached. Where min and max are the same
    there was nothing to reach: None.
    """
    raw, low, high, scaled = (score.get(name) for name in ("raw", "min", "max", "scaled"))
    if raw is not None and low is not None and high is not None:
        return None if low == high else float((raw - low) / (high - low))
    return None if scaled is None else min(1.0, max(0.0, float(scaled)))
