"""How right and how honest probabilities are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
BINS: Final = 15


def auc(correct: Floats, told: Floats) -> float | None:
    """Area under the ROC curve (Mann-Whitney, ties count half); None where all answers are alike."""
    right = correct >= 0.5
    positives, negatives = int(right.sum()), int((~right).sum())
    if not positives or not negatives:
        return None
    _, place, count = np.unique(told, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    return float((ranks[right].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def log_loss(correct: Floats, told: Floats) -> float:
    """Mean negative log likelihood in nats; a partial success counts in part."""
    chance = np.clip(told, 1e-9, 1 - 1e-9)
    return float(-np.mean(correct * np.log(chance) + (1 - correct) * np.log(1 - chance)))


def rmse(correct: Floats, told: Floats) -> float:
    """Root mean squared error."""
    return float(np.sqrt(np.mean((correct - told) ** 2)))


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of like probability: what was told on average, what was, how many."""

    told: float
    observed: float
    answers: int


def calibration(correct: Floats, told: Floats) -> list[Bin]:
    """15 bins of equal width; empty ones are left out."""
    place = np.minimum((told * BINS).astype(np.int64), BINS - 1)
    return [
        Bin(float(told[place == k].mean()), float(correct[place == k].mean()), int((place == k).sum()))
        for k in range(BINS)
        if np.any(place == k)
    ]


def expected_calibration_error(correct: Floats, told: Floats) -> float:
    """Mean distance between told and observed, weighted by answers."""
    return sum(abs(b.told - b.observed) * b.answers for b in calibration(correct, told)) / len(told)
