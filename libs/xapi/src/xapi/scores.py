"""Scores as a fraction."""

from .models import Score


def fraction(score: Score) -> float | None:
    """0..1: (raw - min) / (max - min) where all three are there, else scaled clipped to 0..1, else None."""
    raise NotImplementedError
