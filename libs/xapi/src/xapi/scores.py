"""Scores as a fraction."""

from .models import Score


def fraction(score: Score) -> float | None:
    """0..1: (raw - min) / (max - min) where all three are there, else scaled clipped to 0..1, else None.

    raw comes first since emitters agree on it; scaled's -1..0 counts as nothing reached.
    """
    if score.raw is not None and score.min is not None and score.max is not None:
        return (score.raw - score.min) / (score.max - score.min)
    if score.scaled is not None:
        return min(1.0, max(0.0, score.scaled))
    return None
