"""Read a file of answers: `learner,item,skills,correct,timestamp_or_order,fold`, and `duration`, `hints` if there."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import isfinite
from pathlib import Path
from typing import IO, Final

import numpy as np
import numpy.typing as npt
from learner_model.additive.identity import identity
from learner_model.additive.replaying import Answers

from cli.evaluation.errors import UnreadableAnswers

_NEEDED: Final = ("learner", "item", "correct")
_FOLDS: Final = 5
_MILLISECONDS_FROM: Final = 1e11
_SITTING_SECONDS: Final = 120.0
_UNKNOWN: Final = -1.0
_MOST_LENGTH: Final = 40


@dataclass(frozen=True, slots=True)
class Table:
    """Answers by columns, with the fold of each. `item` and `skill`: dense numbers, for what compares by them."""

    name: str
    answers: Answers
    fold: npt.NDArray[np.int64]

    @property
    def folds(self) -> list[int]:
        return [int(k) for k in np.unique(self.fold)]


def read(path: Path, *, asked: bool = False) -> Table:
    """The file's answers, each learner's together. Raises `UnreadableAnswers`."""
    try:
        with opened(path) as file:
            return _table(path, csv.DictReader(file), asked=asked)
    except UnicodeDecodeError as problem:
        raise UnreadableAnswers(f"{path}, line {_line_of_bad_bytes(path)}: not UTF-8") from problem
    except (OSError, EOFError, zlib.error, csv.Error) as problem:
        raise UnreadableAnswers(f"{path}: {problem}") from problem


def opened(path: Path) -> IO[str]:
    """The text of a file, plain or gzipped, without a byte order mark."""
    return io.TextIOWrapper(_unzipped(path), newline="", encoding="utf-8-sig")


def _unzipped(path: Path) -> gzip.GzipFile | io.BufferedReader:
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if zipped else path.open("rb")


def _line_of_bad_bytes(path: Path) -> int:
    with _unzipped(path) as file:
        for line, content in enumerate(file, start=1):
            try:
                content.decode()
            except UnicodeDecodeError:
                return line
    return 0


def _table(path: Path, rows: csv.DictReader[str], *, asked: bool) -> Table:
    rows.fieldnames = columns = [name.strip() for name in rows.fieldnames or []]
    lacking = [name for name in _NEEDED if name not in columns]
    if lacking:
        raise UnreadableAnswers(f"{path}: no column {', '.join(lacking)}")
    named = cache(identity)
    learners: dict[str, int] = {}
    learner: list[int] = []
    skills: list[int] = []
    item, starts, figures, folds = [], [0], [], []
    fold = ""
    for row in rows:
        name = (row["learner"] or "").strip()
        number = learners.setdefault(name, len(learners))
        where = (row.get("fold") or str(number % _FOLDS)).strip()
        if number != len(learners) - 1:
            raise _unreadable(path, rows.line_num, f"rows of learner {name[:_MOST_LENGTH]!r} do not stand together")
        if learner and learner[-1] == number and where != fold:
            raise _unreadable(path, rows.line_num, f"learner {name[:_MOST_LENGTH]!r} is in more than one fold")
        fold = where
        learner.append(number)
        item.append(named((row["item"] or "").strip()))
        of_item = (one.strip() for one in (row.get("skills") or "").split(";"))
        skills.extend(named(skill) for skill in dict.fromkeys(of_item) if skill)
        starts.append(len(skills))
        figures.append(_figures(path, rows.line_num, row))
        folds.append(fold)
    if not learner:
        raise UnreadableAnswers(f"{path}: no answers")
    figure = np.array(figures)
    each = np.array(learner)
    answers = Answers(
        learner=each,
        item=np.array(item),
        skills=np.array(skills, dtype=np.int64),
        about=np.ones(len(skills)),
        skills_from=np.array(starts),
        correct=figure[:, 0].copy(),
        at=_clock(each, figure[:, 1], asked=asked),
        duration=figure[:, 2].copy(),
        hints=figure[:, 3].copy(),
        weight=np.ones(len(each)),
        harder=np.zeros(len(each)),
    )
    name = path.name.removesuffix(".gz").removesuffix(".csv")
    return Table(name, answers, np.unique(folds, return_inverse=True)[1])


def _unreadable(path: Path, line: int, reason: str) -> UnreadableAnswers:
    return UnreadableAnswers(f"{path}, line {line}: {reason}")


def _figures(path: Path, line: int, row: Mapping[str, str | None]) -> tuple[float, float, float, float]:
    correct = _number(path, line, row, "correct")
    if not 0.0 <= correct <= 1.0:
        raise _unreadable(path, line, "correct lies between 0 and 1")
    at, duration, hints = (_number(path, line, row, name) for name in ("timestamp_or_order", "duration", "hints"))
    return correct, at, duration, hints


def _number(path: Path, line: int, row: Mapping[str, str | None], column: str) -> float:
    text = row.get(column) or ""
    if not text.strip() and column not in _NEEDED:
        return _UNKNOWN
    try:
        number = float(text)
    except ValueError as problem:
        raise _unreadable(path, line, f"{column} is {text[:_MOST_LENGTH]!r}, not a number") from problem
    if not isfinite(number):
        raise _unreadable(path, line, f"{column} is {text[:_MOST_LENGTH]!r}, not a finite number")
    return number


def _clock(learner: npt.NDArray[np.int64], at: npt.NDArray[np.float64], *, asked: bool) -> npt.NDArray[np.float64]:
    """Seconds, or -1 for all where the column holds positions (or nothing); the clock never runs backwards.

    `asked`: within a sitting time stands still, since a time stamp taken at the answer holds how long it took.
    """
    nothing = np.full(len(at), _UNKNOWN)
    if np.any(at < 0):
        return nothing
    same = np.diff(learner) == 0
    if np.all(np.diff(at)[same] == 1) or np.all(np.diff(at)[same] == 0):
        return nothing
    seconds = np.floor(at / 1000.0 if at.max() > _MILLISECONDS_FROM else at)
    result = seconds.copy()
    for row in np.flatnonzero(same) + 1:
        gap = seconds[row] - seconds[row - 1]
        result[row] = result[row - 1] if gap < 0 or (asked and gap <= _SITTING_SECONDS) else seconds[row]
    return result
