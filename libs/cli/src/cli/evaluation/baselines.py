"""What the field uses, through the same folds: item mean, Elo, BKT (EM), PFA, Best-LR.

All of them predict held-out learners with what the training learners taught; Elo's item difficulties go on moving.
BKT: Corbett & Anderson 1995, one model for each skill, fitted by expectation maximisation (Baum-Welch). PFA: Pavlik,
Cen & Koedinger 2009. Best-LR: Gervet et al. 2020. Elo: Pelánek 2016, gains falling with the number of answers.
"""

from __future__ import annotations

import warnings
from math import exp
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from cli.evaluation.reading import Table

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

BASELINES: Final = ("item_mean", "elo", "bkt", "pfa", "best_lr")
_PRIOR_ANSWERS: Final = 5.0
_EM_ROUNDS: Final = 20
_EM_LONGEST: Final = 400  # answers of a learner to a skill that are fitted: memory is learners times the longest
_MOST_ROUNDS: Final = 300
_ELO_GAIN, _ELO_FADING = 1.0, 0.05


def told_by(name: str, table: Table) -> Floats:
    """What the baseline tells of every answer, over all folds."""
    told = np.zeros(len(table.fold))
    features = _features(table, with_items=name == "best_lr") if name in ("pfa", "best_lr") else None
    for fold in table.folds:
        held, rest = np.flatnonzero(table.fold == fold), np.flatnonzero(table.fold != fold)
        if name == "item_mean":
            told[held] = _item_mean(table, rest, held)
        elif name == "elo":
            told[held] = _elo(table, np.concatenate((rest, held)))[len(rest) :]
        elif name == "bkt":
            told[held] = _bkt(table, rest, held)
        elif features is not None:
            told[held] = _regression(features, table.answers.correct >= 0.5, rest, held)
    return told


def _regression(features: csr_matrix, right: npt.NDArray[np.bool_], rest: Rows, held: Rows) -> Floats:
    """Where there is nothing to fit (no skill, no training answer, or all of them alike): their mean, or a half."""
    if features.shape[1] == 0 or len(np.unique(right[rest])) < 2:
        return np.full(len(held), float(right[rest].mean()) if len(rest) else 0.5)
    model = LogisticRegression(C=1.0, max_iter=_MOST_ROUNDS, solver="lbfgs")
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):  # near enough for a comparison
        model.fit(features[rest], right[rest])
    told: Floats = model.predict_proba(features[held])[:, 1]
    return told


def _item_mean(table: Table, rest: Rows, held: Rows) -> Floats:
    numbers = np.unique(table.answers.item, return_inverse=True)[1]
    correct = table.answers.correct
    mean = float(correct[rest].mean()) if len(rest) else 0.5
    right = np.bincount(numbers[rest], weights=correct[rest], minlength=numbers.max() + 1)
    answers = np.bincount(numbers[rest], minlength=numbers.max() + 1)
    shares: Floats = (right + _PRIOR_ANSWERS * mean) / (answers + _PRIOR_ANSWERS)
    return shares[numbers[held]]


def _elo(table: Table, rows: Rows) -> Floats:
    items = np.unique(table.answers.item, return_inverse=True)[1].tolist()
    learners, correct = table.answers.learner.tolist(), table.answers.correct.tolist()
    ability, difficulty = [0.0] * (max(learners) + 1), [0.0] * (max(items) + 1)
    answered, asked = [0] * len(ability), [0] * len(difficulty)
    told = np.zeros(len(rows))
    for place, row in enumerate(rows.tolist()):
        learner, item = learners[row], items[row]
        chance = 1.0 / (1.0 + exp(difficulty[item] - ability[learner]))
        told[place] = chance
        surprise = correct[row] - chance
        ability[learner] += _ELO_GAIN / (1.0 + _ELO_FADING * answered[learner]) * surprise
        difficulty[item] -= _ELO_GAIN / (1.0 + _ELO_FADING * asked[item]) * surprise
        answered[learner] += 1
        asked[item] += 1
    return told


def _skill_of(table: Table) -> Rows:
    """The combination of an answer's skills, as one number."""
    answers = table.answers
    ends = zip(answers.skills_from[:-1].tolist(), answers.skills_from[1:].tolist(), strict=True)
    names: dict[tuple[int, ...], int] = {}
    skills = answers.skills.tolist()
    return np.array([names.setdefault(tuple(skills[a:b]), len(names)) for a, b in ends])


def _bkt(table: Table, rest: Rows, held: Rows) -> Floats:
    skill, learner, correct = _skill_of(table), table.answers.learner, table.answers.correct >= 0.5
    told = np.full(len(table.fold), 0.5)
    for one in np.unique(skill):
        trained = _sequences(rest[skill[rest] == one], learner)
        start, learn, guess, slip = _fitted([correct[rows[:_EM_LONGEST]] for rows in trained])
        for rows in _sequences(held[skill[held] == one], learner):
            told[rows] = _bkt_told(correct[rows], start, learn, guess, slip)
    return told[held]


def _sequences(rows: Rows, learner: npt.NDArray[np.int64]) -> list[Rows]:
    return [part for part in np.split(rows, np.flatnonzero(np.diff(learner[rows])) + 1) if len(part)]


def _bkt_told(right: npt.NDArray[np.bool_], start: float, learn: float, guess: float, slip: float) -> Floats:
    told, known = np.zeros(len(right)), start
    for place, correct in enumerate(right.tolist()):
        told[place] = known * (1 - slip) + (1 - known) * guess
        likely = known * ((1 - slip) if correct else slip)
        after = likely / (likely + (1 - known) * (guess if correct else 1 - guess))
        known = after + (1 - after) * learn
    return told


def _fitted(sequences: list[npt.NDArray[np.bool_]]) -> tuple[float, float, float, float]:
    """Baum-Welch over all learners of a skill at once, padded to the longest; bounds keep knowing above guessing."""
    start, learn, guess, slip = 0.4, 0.15, 0.25, 0.15
    if not sequences:
        return start, learn, guess, slip
    width = max(len(one) for one in sequences)
    right, there = np.zeros((len(sequences), width)), np.zeros((len(sequences), width))
    for row, one in enumerate(sequences):
        right[row, : len(one)], there[row, : len(one)] = one, 1.0
    for _ in range(_EM_ROUNDS):
        known, moved, stayed = _expected(right, there, start, learn, guess, slip)
        start = float(np.clip(known[:, 0].mean(), 0.01, 0.99))
        learn = float(np.clip(moved / max(moved + stayed, 1e-9), 0.001, 0.9))
        unknown = (1 - known) * there
        guess = float(np.clip((unknown * right).sum() / max(unknown.sum(), 1e-9), 0.01, 0.5))
        slip = float(np.clip((known * there * (1 - right)).sum() / max((known * there).sum(), 1e-9), 0.01, 0.5))
    return start, learn, guess, slip


def _expected(
    right: Floats, there: Floats, start: float, learn: float, guess: float, slip: float
) -> tuple[Floats, float, float]:
    """Forward and backward: the chance that a skill is known at each answer; expected moves to known, and stays."""
    rows, width = right.shape
    if_known = np.where(there > 0, np.where(right > 0, 1 - slip, slip), 1.0)
    if_not = np.where(there > 0, np.where(right > 0, guess, 1 - guess), 1.0)
    forward, ahead = np.zeros((rows, width)), np.full(rows, start)
    for t in range(width):
        likely = ahead * if_known[:, t]
        forward[:, t] = likely / (likely + (1 - ahead) * if_not[:, t])
        ahead = forward[:, t] + (1 - forward[:, t]) * learn
    known, back_known, back_not = np.zeros((rows, width)), np.ones(rows), np.ones(rows)
    moved = stayed = 0.0
    for t in range(width - 1, -1, -1):
        mass = forward[:, t] * back_known + (1 - forward[:, t]) * back_not
        known[:, t] = forward[:, t] * back_known / mass
        if t:
            gone, kept = learn * if_known[:, t] * back_known, (1 - learn) * if_not[:, t] * back_not
            before = 1 - forward[:, t - 1]
            total = forward[:, t - 1] * if_known[:, t] * back_known + before * (gone + kept)
            moved += float((there[:, t] * before * gone / total).sum())
            stayed += float((there[:, t] * before * kept / total).sum())
            back_known, back_not = if_known[:, t] * back_known, gone + kept
            scale = back_known + back_not
            back_known, back_not = back_known / scale, back_not / scale
    return known, moved, stayed


def _features(table: Table, *, with_items: bool) -> csr_matrix:
    """PFA: each skill, its successes and failures so far. Best-LR: items, and log counts by skill, by item, in all."""
    answers = table.answers
    skills = np.unique(answers.skills, return_inverse=True)[1].tolist()
    items = np.unique(answers.item, return_inverse=True)[1].tolist()
    number = max(skills, default=-1) + 1
    width = 3 * number + (4 + max(items) + 1 if with_items else 0)
    values, columns, starts = [], [], [0]
    counts: dict[tuple[int, int], list[float]] = {}
    totals: dict[tuple[int, int], list[float]] = {}
    for row, (learner, correct) in enumerate(zip(answers.learner.tolist(), answers.correct.tolist(), strict=True)):
        for skill in skills[answers.skills_from[row] : answers.skills_from[row + 1]]:
            before = counts.setdefault((learner, skill), [0.0, 0.0])
            columns += [skill, number + skill, 2 * number + skill]
            values += [1.0, *(np.log1p(before).tolist() if with_items else (before[0] / 10, before[1] / 10))]
            before[0] += correct
            before[1] += 1 - correct
        if with_items:
            columns.append(3 * number + 4 + items[row])
            values.append(1.0)
            for place, key in enumerate(((learner, -1), (learner, items[row]))):
                before = totals.setdefault(key, [0.0, 0.0])
                columns += [3 * number + 2 * place, 3 * number + 2 * place + 1]
                values += np.log1p(before).tolist()
                before[0] += correct
                before[1] += 1 - correct
        starts.append(len(columns))
    return csr_matrix((values, columns, starts), shape=(len(answers.item), width))
