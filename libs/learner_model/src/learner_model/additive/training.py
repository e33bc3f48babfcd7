"""The trainer: reads answers, learns what is common to learners, and says it in immutable versions.

Pure: no clock, no files. Its hyper-parameters choose themselves by progressive validation (Blum, Kalai & Langford
1999): every training answer is predicted before it is learnt from, and the setting with the least log loss over the
later half of the training answers wins. Nothing but training learners is looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from learner_model.additive.compiled import Floats, Integers, compiled
from learner_model.additive.folding import fold_answer, forget_all
from learner_model.additive.layout import WEIGHTS, Answer, Memory, Terms, Weights
from learner_model.additive.memory import blank, packed_bytes, places, workbench
from learner_model.additive.weights import DEFAULT_HYPER, Parameters, published

SEARCHED_ANSWERS: Final = 60_000
_FACTORS: Final = (
    (5, 0.2), (6, 0.3), (0, 0.5), (1, 0.4), (2, 0.4), (3, 0.4), (4, 0.4), (7, 0.3), (8, 0.3), (9, 0.4),
)  # fmt: skip

SEARCHES: Final = 1 + 2 * len(_FACTORS)
"""How often the search runs through its sample, at most."""


class Answers(NamedTuple):
    """Answers by columns, a learner's together and in order. `skills` of row i: from `skills_from[i]` to the next."""

    learner: Integers
    item: Integers
    skills: Integers
    skills_from: Integers
    correct: Floats
    at: Floats
    duration: Floats
    hints: Floats


class Settings(NamedTuple):
    """`learning`: weights learn from the rows. `interval`: answers between two versions; 0: every answer counts."""

    learning: bool
    interval: int


@compiled
def _replay(
    rows: Integers,
    answers: Answers,
    memory: Memory,
    terms: Terms,
    spots: Integers,
    weights: Weights,
    hyper: Floats,
    settings: Settings,
    told: Floats,
    start: int,
    stop: int,
) -> int:
    """Fold rows[start:stop], from `start` on to the end of a learner or `stop`; where it stopped."""
    learner = answers.learner[rows[start]]
    for n in range(start, stop):
        row = rows[n]
        if answers.learner[row] != learner:
            return n
        answer = Answer(
            answers.item[row], answers.at[row], answers.correct[row], answers.duration[row], answers.hints[row]
        )
        skills = answers.skills[answers.skills_from[row] : answers.skills_from[row + 1]]
        told[row] = fold_answer(
            memory, terms, weights, hyper, answer, skills, spots, settings.learning, settings.interval > 0
        )
        if settings.interval > 0 and (n + 1) % settings.interval == 0:
            weights.served[:] = weights.learned  # the next version
    return stop


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of each row before it was seen (others: 0), and how many bytes each learner takes."""

    probability: Floats
    memory_bytes: tuple[int, ...]


class Trainer:
    """Weights that learn. `hyper` decides how."""

    def __init__(self, hyper: Floats | None = None, start: Parameters | None = None) -> None:
        self.hyper = np.array(DEFAULT_HYPER if hyper is None else hyper)  # one's own, to write to
        served = np.zeros(WEIGHTS, dtype=np.float32) if start is None else start.weights.served.copy()
        squares = np.zeros(WEIGHTS, dtype=np.float32) if start is None else start.weights.squares.copy()
        self._weights = Weights(served, served, squares)
        self._memory, self._terms, self._places = blank(), workbench(), places()

    def publish(self) -> Parameters:
        """What was learnt so far, as an immutable version."""
        return published(self.hyper, self._weights.learned, self._weights.squares)

    def run(
        self,
        answers: Answers,
        rows: Integers,
        *,
        learning: bool = True,
        interval: int = 0,
        advanced: Callable[[int], None] = lambda _: None,
    ) -> Told:
        """Tell each row, then learn from it. Rows of a learner stand together; a new learner starts from nothing."""
        told, sizes, at = np.zeros(len(answers.item)), [], 0
        weights = self._weights
        if interval > 0:
            weights = Weights(weights.learned.copy(), weights.learned, weights.squares)
        while at < len(rows):
            forget_all(self._memory, self.hyper)
            after = _replay(
                rows, answers, self._memory, self._terms, self._places, weights, self.hyper,
                Settings(learning, interval), told, at, len(rows),
            )  # fmt: skip
            advanced(after - at)
            sizes.append(packed_bytes(self._memory))
            at = after
        return Told(told, tuple(sizes))

    def clear(self, hyper: Floats) -> None:
        """Forget everything; go on with other hyper-parameters."""
        self.hyper = np.array(hyper)
        self._weights.learned[:] = 0.0
        self._weights.squares[:] = 0.0


def chosen_hyper(
    answers: Answers, rows: Integers, trainer: Trainer, advanced: Callable[[int], None] = lambda _: None
) -> Floats:
    """The hyper-parameters with which training answers were told best, one at a time, down or else up."""
    sample = sampled(answers, rows)
    hyper = np.array(DEFAULT_HYPER)
    best = _loss(answers, sample, trainer, hyper, advanced)
    for place, factor in _FACTORS:
        for way in (factor, 1.0 / factor):
            other = hyper.copy()
            other[place] *= way
            loss = _loss(answers, sample, trainer, other, advanced)
            if loss < best:
                hyper, best = other, loss
                break
    return hyper


def sampled(answers: Answers, rows: Integers) -> Integers:
    """Every k-th training learner, whole, so that about the number searched remains."""
    if len(rows) <= SEARCHED_ANSWERS:
        return rows
    starts = np.flatnonzero(np.diff(answers.learner[rows], prepend=-1) != 0)
    number = np.cumsum(np.diff(answers.learner[rows], prepend=-1) != 0) - 1
    step = max(1, round(len(rows) / SEARCHED_ANSWERS))
    kept: Integers = rows[number % step == 0]
    return kept if len(starts) > step else rows[:SEARCHED_ANSWERS]


def _loss(answers: Answers, rows: Integers, trainer: Trainer, hyper: Floats, advanced: Callable[[int], None]) -> float:
    trainer.clear(hyper)
    told = trainer.run(answers, rows, advanced=advanced).probability
    later = rows[len(rows) // 2 :]
    right = answers.correct[later]
    chance: npt.NDArray[np.float64] = np.clip(told[later], 1e-9, 1.0 - 1e-9)
    return float(-np.mean(right * np.log(chance) + (1.0 - right) * np.log(1.0 - chance)))


__all__ = ["SEARCHES", "Answers", "Told", "Trainer", "chosen_hyper", "sampled"]
