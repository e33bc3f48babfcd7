"""What each signal that xAPI gives beside right and wrong is worth, on simulated learners (see `simulating`).

`.venv/bin/python scripts/signals.py [answers] [time] [types] [acts] [FILE]`: of each, by how much the area under the
ROC curve over held-out learners falls without it, with its 90 % interval (bootstrap over learners); log loss in
thousandths. Simulated learners behave as the simulation says: this shows what the model can make of a signal, not what
real learners hold. Each part takes a minute or two of one core; a FILE of answers is asked for the half-life alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from cli.evaluation.measures import auc, log_loss
from cli.evaluation.reading import read
from learner_model.additive.compiled import Singles
from learner_model.additive.kernel import Kernel, without
from learner_model.additive.layout import I_DURATION, I_HINTS, NO_TIME, ROW, SLOPE, SLOPES, Memory, Terms
from learner_model.additive.replaying import Answers
from learner_model.additive.simulating import Row, Simulation, answers_of, learners, simulated
from learner_model.additive.training import Trainer
from learner_model.competency import guessing_logit
from learner_model.versions import builtin

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

LEARNERS: Final = 1200
TRAINING: Final = LEARNERS * 4 // 5
_RESAMPLED: Final = 200


def main() -> None:
    parts: dict[str, Callable[[], None]] = {"answers": of_answers, "time": of_time, "types": of_types, "acts": of_acts}
    for name in sys.argv[1:] or parts:
        if name in parts:
            parts[name]()
        else:
            of_file(Path(name))


def of_answers() -> None:
    """What stands in an answer's own statement."""
    whole = simulated(Simulation(LEARNERS, seed=5, shared=True))
    right = np.round(whole.correct)
    nothing = np.full(len(right), NO_TIME)
    table = _Table("items that many share", whole, right, _told(whole))
    table.row("durations", _told(whole._replace(duration=nothing)))
    table.row("hints", _told(whole._replace(hints=nothing)))
    table.row("partial scores, against right or wrong", _told(whole._replace(correct=right)))
    table.row("a catalog's difficulty", _told(whole._replace(harder=np.zeros(len(right)))))
    table.row("attempts: own earlier tries at the item", _told(whole, _of_first_tries()))


def of_time() -> None:
    """The clock, and forgetting by it."""
    whole = simulated(Simulation(LEARNERS, seed=5, shared=True))
    right = np.round(whole.correct)
    told = _told(whole)
    fixed, none = (_told(whole, kernel) for kernel in (without(_half_life=_five_days), without(left=_nothing_left)))
    blind = _told(whole._replace(at=np.full(len(right), NO_TIME)))
    for name, rows in (("all answers", None), ("the first answer after an hour or more", _late(whole))):
        table = _Table(name, whole, right, told, rows)
        table.row("half-life that successes lengthen, against five days", fixed)
        table.row("half-life of the competency at all", none)
        table.row("the clock", blind)


def of_file(path: Path) -> None:
    """What the half-life is worth on measured answers, by folds, with hyper-parameters that nobody searched."""
    table = read(path)
    answers = table.answers._replace(learner=table.answers.learner + TRAINING)
    fixed = without(_half_life=_five_days)
    told, less = np.zeros(len(answers.item)), np.zeros(len(answers.item))
    for fold in table.folds:
        held, rest = np.flatnonzero(table.fold == fold), np.flatnonzero(table.fold != fold)
        for found, kernel in ((told, None), (less, fixed)):
            trainer = Trainer(kernel=kernel)
            trainer.run(answers, rest)
            found[held] = trainer.run(answers, held).probability[held]
    right = np.round(answers.correct)
    for name, rows in ((path.name, None), ("the first answer after an hour or more", _late(answers))):
        table_of = _Table(name, answers, right, told, rows)
        table_of.row("half-life that successes lengthen, against five days", less)


def of_types() -> None:
    """Items of several types: what the chance of guessing is worth, where it shifts the logit."""
    for shared in (False, True):
        rows = _rows(Simulation(LEARNERS, seed=6, shared=shared, types=True))
        whole = answers_of(rows)
        right, guessing = np.round(whole.correct), [row.guessing for _, row in rows]
        first = _first_tries(rows)
        easier = np.array([guessing_logit(one) for one in guessing])
        known = whole._replace(harder=whole.harder - easier)
        kind = "that many share" if shared else "new to the parameters"
        for name, how in (("", _told), (", parameters that come with the library", _told_cold)):
            told, blind = how(known), how(whole)
            for which, some in (("all tries", None), ("first tries", first)):
                _Table(f"items {kind}{name}, {which}", whole, right, told, some).row("item type", blind)
        once = _told(known, _of_first_tries())
        _Table(f"items {kind}", whole, right, _told(known)).row("attempts: own earlier tries at the item", once)


def of_acts() -> None:
    """What is done beside answering: a weight of its own for each, learnt on training learners."""
    for taught in (1.0, 4.0):
        rows = _rows(Simulation(LEARNERS, seed=7, shared=True, acts=0.3, taught=taught))
        asked = ~np.array([row.unit for _, row in rows])
        whole = answers_of(rows)
        right, plain = np.round(whole.correct), _told(whole)
        sys.stdout.write(f"\nOther acts before three answers in ten; a video teaches like {taught:.0f} right answers\n")
        if taught == 1.0:
            left_out = np.zeros(len(rows))
            left_out[asked] = _told(answers_of(one for one in rows if not one[1].unit))
            _Table("all answers", whole, right, plain, asked).row("passed and failed of units, as answers", left_out)
        for name, field in (("the share of videos watched", "watched"), ("completed, and nothing more", "done")):
            figure = np.array([getattr(row, field) for _, row in rows])
            shifted, weight = _with_weight(whole, figure, asked)
            for which, some in (("all answers", asked), ("where there was one since", asked & (figure > 0.0))):
                _Table(which, whole, right, shifted, some).row(f"{name} ({weight:+.2f} logits)", plain)


class _Table:
    """Prints what is lost without a signal. `rows`: where to look, all held-out answers by default."""

    def __init__(self, name: str, answers: Answers, right: Floats, told: Floats, rows: Any = None) -> None:
        held = answers.learner >= TRAINING
        self._rows = np.flatnonzero(held if rows is None else held & rows)
        self._learner, self._right, self._told = answers.learner[self._rows], right[self._rows], told[self._rows]
        sys.stdout.write(f"{name}: {len(self._rows)} answers, AUC {auc(self._right, self._told) or 0.0:.4f}\n")

    def row(self, name: str, told: Floats) -> None:
        less = told[self._rows]
        worth = (auc(self._right, self._told) or 0.0) - (auc(self._right, less) or 0.0)
        low, high = np.quantile(self._resampled(less), (0.05, 0.95))
        loss = 1000.0 * (log_loss(self._right, less) - log_loss(self._right, self._told))
        sys.stdout.write(f"  {name:54} {worth:+.4f} ({low:+.4f} to {high:+.4f}), log loss {loss:+.2f}\n")
        sys.stdout.flush()

    def _resampled(self, less: Floats) -> list[float]:
        random, everyone = np.random.default_rng(1), np.unique(self._learner)
        places = {one: np.flatnonzero(self._learner == one) for one in everyone}
        found = []
        for _ in range(_RESAMPLED):
            some = np.concatenate([places[one] for one in random.choice(everyone, len(everyone))])
            right = self._right[some]
            found.append((auc(right, self._told[some]) or 0.0) - (auc(right, less[some]) or 0.0))
        return found


def _rows(of: Simulation) -> list[tuple[int, Row]]:
    return [(number, row) for number, one in enumerate(learners(of)) for row in one.rows]


def _first_tries(rows: list[tuple[int, Row]]) -> npt.NDArray[np.bool_]:
    seen = set[tuple[int, str]]()
    found = []
    for learner, row in rows:
        found.append((learner, row.item) not in seen)
        seen.add((learner, row.item))
    return np.array(found)


def _late(answers: Answers) -> npt.NDArray[np.bool_]:
    """Which answers are a learner's first after an hour or more."""
    gap = np.diff(answers.at, prepend=answers.at[0])
    late: npt.NDArray[np.bool_] = (gap > 3600.0) & (np.diff(answers.learner, prepend=-1) == 0)
    return late


def _told(answers: Answers, kernel: Kernel | None = None) -> Floats:
    """Of every answer, before it is learnt from; held-out learners come last."""
    return Trainer(kernel=kernel).run(answers, np.arange(len(answers.item))).probability


def _told_cold(answers: Answers) -> Floats:
    """By what comes with the library alone, which learns nothing more."""
    version = builtin()
    return Trainer(version.hyper, version).run(answers, np.arange(len(answers.item)), learning=False).probability


def _with_weight(answers: Answers, figure: Floats, asked: npt.NDArray[np.bool_]) -> tuple[Floats, float]:
    """What is told with the logit shifted by a figure times a weight: two steps of Newton on training learners."""
    learnt = asked & (answers.learner < TRAINING)
    weight, told = 0.0, _told(answers)
    for _ in range(2):
        off, slope = (answers.correct - told)[learnt], (told * (1.0 - told))[learnt]
        weight += float(np.sum(off * figure[learnt]) / np.sum(slope * figure[learnt] ** 2))
        told = _told(answers._replace(harder=answers.harder - weight * figure))
    return told, weight


@cache
def _of_first_tries() -> Kernel:
    """To which every answer is the learner's first at its item."""
    return without(item_place=_forgetful, weighed=_without_rows)


def _five_days(skill: Floats, answer: Any, strength: float) -> float:
    return 2.321928094887362


def _nothing_left(gap: float, half_life: float) -> float:
    return 0.0


def _forgetful(memory: Memory, identity: int) -> int:
    memory.items[0, :] = 0.0
    memory.items[0, I_DURATION] = NO_TIME
    memory.items[0, I_HINTS] = NO_TIME
    return 0


def _without_rows(memory: Memory, terms: Terms, n: int, weights: Singles) -> float:
    """As `folding.weighed`, with nothing of tries in a row."""
    terms.sums[:] = 0.0
    for k in range(n):
        if terms.family[k] == ROW:
            terms.value[k] = 0.0
        terms.sums[terms.family[k]] += weights[terms.place[k]] * terms.value[k]
    total = 0.0
    for family in range(SLOPES):
        total += (1.0 + memory.whole[SLOPE + family]) * terms.sums[family]
    return total


if __name__ == "__main__":
    main()
