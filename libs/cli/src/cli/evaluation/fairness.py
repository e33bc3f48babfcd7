"""Where the model errs more for one group of learners than for all: AUC and calibration by group, with intervals.

Plain functions. Intervals and standard errors are of a bootstrap over learners (whose answers hang together), each
replicate for all groups at once, from histograms: the AUC is then exact to the width of a bin. A group errs more where
a difference from all is at least `WORTH` and beyond chance at 5 % for all comparisons together (Bonferroni).

The expected calibration error of few answers is large by chance alone; so groups are compared by the signed difference
between what is told and what is observed (calibration in the large), and the ECE is only shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cli.evaluation.measures import BINS, Floats

Ints = npt.NDArray[np.int64]
WORTH: Final = 0.01
REPLICATES: Final = 400
CHANCE: Final = 0.05
_FINE: Final = 2000


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of every answer, what came, and of whom: dense numbers of learners."""

    learner: Ints
    correct: Floats
    told: Floats


@dataclass(frozen=True, slots=True)
class Groups:
    """An attribute: of each learner the number of the group, -1 where it is not known."""

    attribute: str
    names: Sequence[str]
    of_learner: Ints


@dataclass(frozen=True, slots=True)
class _Figures:
    """By group, all of them last: figures that are not there are NaN."""

    auc: Floats
    observed: Floats
    told: Floats
    ece: Floats

    @property
    def bias(self) -> Floats:
        return self.told - self.observed


def report(found: Told, attributes: Sequence[Groups], *, at_least: int, seed: int = 0) -> list[dict[str, Any]]:
    """A line for each group of each attribute; small ones are named and nothing is told of them."""
    kept = {a.attribute: _kept(a, at_least) for a in attributes}
    comparisons = 2 * sum(int(keep.sum()) for keep in kept.values())
    z = NormalDist().inv_cdf(1 - CHANCE / 2 / max(comparisons, 1))
    lines = []
    for attribute in attributes:
        lines += _lines(found, attribute, kept[attribute.attribute], z, np.random.default_rng(seed))
    return lines


def _kept(groups: Groups, at_least: int) -> npt.NDArray[np.bool_]:
    """Which groups are large enough; where one alone is not, the next larger goes with it, or it were the rest."""
    count = np.bincount(groups.of_learner[groups.of_learner >= 0], minlength=len(groups.names))
    keep: npt.NDArray[np.bool_] = count >= at_least
    if (~keep & (count > 0)).sum() == 1 and keep.any():
        keep[np.flatnonzero(keep)[np.argmin(count[keep])]] = False
    return keep


def _lines(
    found: Told, groups: Groups, keep: npt.NDArray[np.bool_], z: float, random: np.random.Generator
) -> list[dict[str, Any]]:
    tally = _Tally(found, groups)
    figures = tally.figures(np.ones(tally.learners))
    draws = [tally.figures(tally.weights(random)) for _ in range(REPLICATES)]
    aucs = np.array([d.auc for d in draws])
    biases = np.array([d.bias for d in draws])
    learners = np.bincount(groups.of_learner[groups.of_learner >= 0], minlength=len(groups.names))
    lines: list[dict[str, Any]] = []
    for number, name in enumerate(groups.names):
        line: dict[str, Any] = {"attribute": groups.attribute, "group": name, "suppressed": not keep[number]}
        if keep[number]:
            apart = {
                "auc": _difference(figures.auc, aucs, number, z),
                "bias": _difference(figures.bias, biases, number, z),
            }
            line |= {
                "learners": int(learners[number]),
                "answers": int(tally.answers[number]),
                "observed": _rounded(figures.observed[number]),
                "told": _rounded(figures.told[number]),
                "bias": _with_interval(figures.bias, biases, number),
                "auc": _with_interval(figures.auc, aucs, number),
                "ece": _rounded(figures.ece[number]),
                "auc_difference": apart["auc"]["difference"],
                "bias_difference": apart["bias"]["difference"],
                "errs_more": _errs_more(apart, figures.bias[number], figures.bias[-1]),
            }
        lines.append(line)
    return lines


class _Tally:
    """Histograms of what was told, by group; a replicate weighs each learner by how often it was drawn."""

    def __init__(self, found: Told, groups: Groups) -> None:
        self.learners = len(groups.of_learner)
        self._learner = found.learner
        group = groups.of_learner[found.learner]
        self._known = group >= 0
        self._groups = len(groups.names)
        edges = np.unique(np.quantile(found.told, np.linspace(0, 1, _FINE + 1)[1:-1]))
        self._bins = len(edges) + 1
        self._fine = group * self._bins + np.searchsorted(edges, found.told, side="right")
        self._coarse = group * BINS + np.minimum((found.told * BINS).astype(np.int64), BINS - 1)
        self._right = (found.correct >= 0.5).astype(np.float64)
        self._correct, self._told = found.correct, found.told
        self.answers = np.bincount(group[self._known], minlength=self._groups)

    def weights(self, random: np.random.Generator) -> Floats:
        drawn = random.integers(0, self.learners, self.learners)
        return np.bincount(drawn, minlength=self.learners).astype(np.float64)

    def figures(self, weight: Floats) -> _Figures:
        rows = weight[self._learner] * self._known
        right = self._sum(self._fine, rows * self._right, self._bins)
        wrong = self._sum(self._fine, rows * (1 - self._right), self._bins)
        count = self._sum(self._coarse, rows, BINS)
        told = self._sum(self._coarse, rows * self._told, BINS)
        correct = self._sum(self._coarse, rows * self._correct, BINS)
        answers = count.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return _Figures(
                _aucs(right, wrong),
                correct.sum(axis=1) / answers,
                told.sum(axis=1) / answers,
                np.abs(told - correct).sum(axis=1) / answers,
            )

    def _sum(self, place: Ints, weight: Floats, bins: int) -> Floats:
        """By group and bin, all groups together last."""
        size = self._groups * bins
        by_group = np.bincount(np.where(self._known, place, 0), weights=weight, minlength=size).reshape(-1, bins)
        return np.vstack([by_group, by_group.sum(axis=0)])


def _aucs(right: Floats, wrong: Floats) -> Floats:
    """Mann-Whitney from histograms, ties within a bin count half."""
    below = np.cumsum(wrong, axis=1) - wrong
    area: Floats = (right * (below + wrong / 2)).sum(axis=1) / (right.sum(axis=1) * wrong.sum(axis=1))
    return area


def _difference(figures: Floats, draws: Floats, number: int, z: float) -> dict[str, Any]:
    """From all learners together, whether it is beyond chance, and its 95 % interval."""
    drawn = draws[:, number] - draws[:, -1]
    difference, error = figures[number] - figures[-1], float(np.nanstd(drawn))
    beyond = bool(abs(difference) >= WORTH and abs(difference) > z * error)
    return {"difference": _interval(difference, drawn), "beyond": beyond, "value": float(difference)}


def _errs_more(apart: Mapping[str, Mapping[str, Any]], bias: float, of_all: float) -> list[str]:
    """`ranks worse`: a lower AUC; `told too high`, `told too low`: what is told is further off than for all."""
    said = []
    if apart["auc"]["beyond"] and apart["auc"]["value"] < 0:
        said.append("ranks worse")
    if apart["bias"]["beyond"] and abs(bias) >= max(WORTH, abs(of_all)):
        said.append("told too high" if bias > 0 else "told too low")
    return said


def _with_interval(figures: Floats, draws: Floats, number: int) -> list[float | None]:
    return _interval(figures[number], draws[:, number])


def _interval(figure: float, drawn: Floats) -> list[float | None]:
    """The figure, and the bounds of its 95 % interval."""
    low, high = np.nanpercentile(drawn, [2.5, 97.5]) if np.isfinite(drawn).any() else (np.nan, np.nan)
    return [_rounded(figure), _rounded(low), _rounded(high)]


def _rounded(figure: float) -> float | None:
    return None if not np.isfinite(figure) else round(float(figure), 4)
