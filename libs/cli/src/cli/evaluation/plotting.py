"""Calibration and learning curves as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cli.evaluation.measures import Floats, calibration
from cli.evaluation.reading import Table

_TRIES: Final = 10


def draw(table: Table, told: Mapping[str, Floats], folder: Path) -> None:
    """`<file>-calibration.png` and `<file>-learning.png` in the folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    _calibration(table, told, folder / f"{table.name}-calibration.png")
    _learning(table, told, folder / f"{table.name}-learning.png")


def _calibration(table: Table, told: Mapping[str, Floats], path: Path) -> None:
    figure, axes = _empty(f"{table.name}: told and observed")
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
    for name, probability in told.items():
        bins = calibration(table.answers.correct, probability)
        axes.plot([b.told for b in bins], [b.observed for b in bins], marker="o", markersize=3, label=name)
    axes.set_xlabel("told")
    axes.set_ylabel("observed")
    _save(figure, path)


def _learning(table: Table, told: Mapping[str, Floats], path: Path) -> None:
    """Share of right answers by attempt on an item, observed and told."""
    figure, axes = _empty(f"{table.name}: learning")
    attempt = _attempts(table)
    tries = [k for k in range(1, _TRIES + 1) if np.any(attempt == k)]
    observed = [table.answers.correct[attempt == k].mean() for k in tries]
    axes.plot(tries, observed, color="black", linewidth=2, label="observed")
    for name, probability in told.items():
        axes.plot(tries, [probability[attempt == k].mean() for k in tries], linestyle="--", label=name)
    axes.set_xlabel("attempt on an item")
    axes.set_ylabel("share right")
    _save(figure, path)


def _attempts(table: Table) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    seen: dict[tuple[int, int], int] = {}
    result = np.zeros(len(table.fold), dtype=np.int64)
    pairs = zip(table.answers.learner.tolist(), table.answers.item.tolist(), strict=True)
    for row, pair in enumerate(pairs):
        result[row] = seen[pair] = seen.get(pair, 0) + 1
    return result


def _empty(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title)
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    figure.axes[0].legend(fontsize="small")
    figure.savefig(path, dpi=120)
