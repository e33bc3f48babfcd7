"""The protocol: train on the other folds, then stream the held-out learners, each answer told before it is seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from learner_model.additive.compiled import Integers
from learner_model.additive.exercise import exercise
from learner_model.additive.kernel import machine
from learner_model.additive.replaying import Answers
from learner_model.additive.training import SEARCHES, Trainer, chosen_hyper, sampled

from cli.evaluation.measures import Floats, auc, expected_calibration_error, log_loss, rmse
from cli.evaluation.reading import Table, read

Line = dict[str, Any]
_FIRST: Final = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """`interval`: answers between two versions in the mode online_versioned. `asked`: see `reading`."""

    modes: tuple[str, ...]
    interval: int
    asked: bool = False


@dataclass(slots=True)
class Result:
    """What a mode told of every answer, and what it took. `seconds` is all that the mode alone would take."""

    told: Floats
    seconds: float = 0.0
    streaming_seconds: float = 0.0
    sizes: list[int] = field(default_factory=list)


def evaluate(
    path: Path,
    plan: Plan,
    *,
    baselines: bool,
    plot: Path | None,
    total: Callable[[int], None],
    advanced: Callable[[int], None],
) -> Iterator[Line]:
    """One line for each mode, and one for each baseline. Raises `UnreadableAnswers`."""
    warm()
    started = time.perf_counter()
    table = read(path, asked=plan.asked)
    reading = time.perf_counter() - started
    compared: tuple[str, ...] = ()
    if baselines:
        from cli.evaluation.baselines import BASELINES, told_by  # what it needs no other evaluation waits for

        compared = BASELINES
    total(steps(table, plan) + len(compared) * len(table.fold))
    results = run(table, plan, advanced)
    for mode, result in results.items():
        yield _line(table, mode, result, reading)
    for name in compared:
        before = time.perf_counter()
        results[name] = Result(told_by(name, table), time.perf_counter() - before)
        advanced(len(table.fold))
        yield _line(table, name, results[name], reading)
    if plot is not None:
        from cli.evaluation.plotting import draw

        draw(table, {name: result.told for name, result in results.items()}, plot)


def warm() -> None:
    """Compile (or load from the cache) before anything is timed."""
    exercise(machine())


def steps(table: Table, plan: Plan) -> int:
    """How many answers `run` goes through, searches included."""
    count = 0
    for fold in table.folds:
        rest = np.flatnonzero(table.fold != fold)
        count += SEARCHES * len(sampled(table.answers, rest)) + len(rest)
        count += len(plan.modes) * int((table.fold == fold).sum())
    return count


def run(table: Table, plan: Plan, advanced: Callable[[int], None]) -> dict[str, Result]:
    """What each mode tells of every answer, trained on the learners of the other folds."""
    answers = table.answers
    results = {mode: Result(np.zeros(len(answers.item))) for mode in plan.modes}
    trainer = Trainer()
    for fold in table.folds:
        held, rest = np.flatnonzero(table.fold == fold), np.flatnonzero(table.fold != fold)
        started = time.perf_counter()
        trainer.clear(_chosen(answers, rest, trainer, advanced))
        trainer.run(answers, rest, advanced=advanced)
        trained = trainer.publish()
        training = time.perf_counter() - started
        for mode, result in results.items():
            started = time.perf_counter()
            interval = plan.interval if mode == "online_versioned" else 0
            going_on = Trainer(trained.hyper, start=trained)
            streaming = time.perf_counter()
            told = going_on.run(answers, held, learning=mode != "frozen", interval=interval, advanced=advanced)
            result.streaming_seconds += time.perf_counter() - streaming
            result.told[held] = told.probability[held]
            result.sizes.extend(told.memory_bytes)
            result.seconds += training + time.perf_counter() - started
    return results


def _chosen(answers: Answers, rest: Integers, trainer: Trainer, advanced: Callable[[int], None]) -> Floats:
    """As `chosen_hyper`; a search that ends before it must is told as one that did not."""
    expected = SEARCHES * len(sampled(answers, rest))

    def searched(rows: int) -> None:
        nonlocal expected
        expected -= rows
        advanced(rows)

    hyper = chosen_hyper(answers, rest, trainer, searched)
    advanced(expected)
    return hyper


def _line(table: Table, mode: str, result: Result, reading: float) -> Line:
    answers, told = table.answers, result.told
    right = answers.correct
    folds = [area for k in table.folds if (area := auc(right[table.fold == k], told[table.fold == k])) is not None]
    early, new = _first_of_learner(table), _first_of_item(table)
    sizes = np.array(result.sizes or [0])
    return {
        "file": table.name,
        "mode": mode,
        "auc": _rounded(auc(right, told)),
        "auc_fold_mean": _rounded(float(np.mean(folds)) if folds else None),
        "auc_fold_sd": _rounded(float(np.std(folds)) if folds else None),
        "logloss": _rounded(log_loss(right, told)),
        "rmse": _rounded(rmse(right, told)),
        "ece": _rounded(expected_calibration_error(right, told)),
        "auc_first10": _rounded(auc(right[early], told[early])),
        "auc_first_attempt": _rounded(auc(right[new], told[new])),
        "us_per_answer": round(result.streaming_seconds / len(told) * 1e6, 2) if result.streaming_seconds else None,
        "bytes_per_learner_p50": int(np.percentile(sizes, 50)) if result.sizes else None,
        "bytes_per_learner_p99": int(np.percentile(sizes, 99)) if result.sizes else None,
        "seconds": round(result.seconds + reading, 2),
    }


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 5)


def _first_of_learner(table: Table) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    learner = table.answers.learner
    starts = np.flatnonzero(np.diff(learner, prepend=-1) != 0)
    place = np.arange(len(learner)) - np.repeat(starts, np.diff(np.append(starts, len(learner))))
    early: np.ndarray[tuple[int], np.dtype[np.bool_]] = place < _FIRST
    return early


def _first_of_item(table: Table) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    pairs = table.answers.learner.astype(np.uint64) * np.uint64(1 << 32) + table.answers.item.astype(np.uint64)
    new = np.zeros(len(pairs), dtype=np.bool_)
    new[np.unique(pairs, return_index=True)[1]] = True
    return new
