"""The trainer: reads answers, learns what is common to learners, and says it in immutable versions.

Pure: no clock, no files. Its hyper-parameters choose themselves by progressive validation (Blum, Kalai & Langford
1999): every training answer is predicted before it is learnt from, and the setting with the least log loss over the
later half of the training answers wins. Nothing but training learners is looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from learner_model.additive.compiled import Floats, Integers
from learner_model.additive.kernel import Kernel, machine
from learner_model.additive.layout import Weights
from learner_model.additive.memory import blank, packed_bytes, room, workbench
from learner_model.additive.replaying import Answers, Settings
from learner_model.additive.weights import DEFAULT_HYPER, Parameters, prior, published
from learner_model.folder import centred
from learner_model.versions import builtin

SEARCHED_ANSWERS: Final = 60_000
_FACTORS: Final = (
    (6, 0.2), (7, 0.3), (4, 0.4), (0, 0.5), (1, 0.4), (2, 0.4), (3, 0.4), (5, 0.4), (8, 0.3), (9, 0.3), (10, 0.4),
)  # fmt: skip
_ROUNDS: Final = 3

SEARCHES: Final = 64
"""How often the search runs through its sample, at most."""
LEAST_GAIN: Final = 1.0
"""Nats that a step must save over all later answers of the sample: what it would cost to say that it was taken."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of each row before it was seen (others: 0), and how many bytes each learner takes."""

    probability: Floats
    memory_bytes: tuple[int, ...]


class Trainer:
    """Weights that learn, from `start` on. `hyper` decides how. Always machine code, by default the model's own."""

    def __init__(
        self, hyper: Floats | None = None, start: Parameters | None = None, kernel: Kernel | None = None
    ) -> None:
        self.hyper = np.array(DEFAULT_HYPER if hyper is None else hyper)  # one's own, to write to
        self._start = prior() if start is None else start
        self._weights = self._start.learning()
        self.memory, self._terms, self._room = blank(), workbench(), room()
        self._kernel = kernel or machine()

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
            self._kernel.forget_all(self.memory, self.hyper)
            after = self._kernel.replay(
                rows, answers, self.memory, self._terms, *self._room, weights, self.hyper,
                Settings(learning, interval), told, at, len(rows),
            )  # fmt: skip
            advanced(after - at)
            sizes.append(packed_bytes(self.memory))
            at = after
        return Told(told, tuple(sizes))

    def clear(self, hyper: Floats) -> None:
        """Forget what was learnt; begin anew with other hyper-parameters."""
        self.hyper = np.array(hyper)
        self._weights = self._start.learning()


def chosen_hyper(
    answers: Answers, rows: Integers, trainer: Trainer, advanced: Callable[[int], None] = lambda _: None
) -> Floats:
    """The hyper-parameters with which training answers were told best: one after the other, down or up for as long as
    that pays, then all again by smaller steps.
    """
    sample = sampled(answers, rows)
    hyper = np.array(DEFAULT_HYPER)
    best = _loss(answers, sample, trainer, hyper, advanced)
    left, gain = SEARCHES - 1, LEAST_GAIN / max(len(sample) // 2, 1)

    def goes(place: int, way: float) -> bool:
        """Steps in one direction for as long as they pay; whether any did."""
        nonlocal hyper, best, left
        moved = False
        while left > 0:
            other = hyper.copy()
            other[place] *= way
            loss = _loss(answers, sample, trainer, other, advanced)
            left -= 1
            if loss > best - gain:
                break
            hyper, best, moved = other, loss, True
        return moved

    for halved in range(_ROUNDS):
        for place, factor in _FACTORS:
            if not goes(place, factor**0.5**halved):
                goes(place, factor ** -(0.5**halved))
    return hyper


def trained(answers: Answers) -> Parameters:
    """A version from all these answers, to be folded with. It begins with what comes with the library, or with nothing,
    whichever tells later answers better.
    """
    rows = np.arange(len(answers.item))
    found = []
    for start in (builtin(), prior()):
        trainer = Trainer(start=start)
        hyper = chosen_hyper(answers, rows, trainer)
        found.append((_loss(answers, rows, trainer, hyper), trainer.publish()))
    return centred(min(found, key=lambda one: one[0])[1].to_serve())


def sampled(answers: Answers, rows: Integers) -> Integers:
    """Every k-th training learner, whole, so that about the number searched remains."""
    if len(rows) <= SEARCHED_ANSWERS:
        return rows
    starts = np.flatnonzero(np.diff(answers.learner[rows], prepend=-1) != 0)
    number = np.cumsum(np.diff(answers.learner[rows], prepend=-1) != 0) - 1
    step = max(1, round(len(rows) / SEARCHED_ANSWERS))
    kept: Integers = rows[number % step == 0]
    return kept if len(starts) > step else rows[:SEARCHED_ANSWERS]


def _loss(
    answers: Answers,
    rows: Integers,
    trainer: Trainer,
    hyper: Floats,
    advanced: Callable[[int], None] = lambda _: None,
) -> float:
    if not len(rows):
        return 0.0
    trainer.clear(hyper)
    told = trainer.run(answers, rows, advanced=advanced).probability
    later = rows[len(rows) // 2 :]
    right = answers.correct[later]
    chance: npt.NDArray[np.float64] = np.clip(told[later], 1e-9, 1.0 - 1e-9)
    return float(-np.mean(right * np.log(chance) + (1.0 - right) * np.log(1.0 - chance)))


__all__ = ["SEARCHES", "Answers", "Told", "Trainer", "chosen_hyper", "sampled", "trained"]
