"""`trellis eval fairness`: answers with groups, what the model tells of them, and the report."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cli.evaluation.errors import UnreadableAnswers
from cli.evaluation.fairness import Told, report
from cli.evaluation.grouping import OULAD_ATTRIBUTES, SIMULATED, answers_of_oulad, answers_simulated, groups_in
from cli.evaluation.protocol import Plan, run, steps, warm
from cli.evaluation.reading import read


def lines(
    source: Path | None,
    by: Sequence[str],
    *,
    simulated: int,
    mode: str,
    at_least: int,
    total: Callable[[int], None],
    advanced: Callable[[int], None],
) -> Iterator[dict[str, Any]]:
    """The report on a file by these columns, on a folder of the Open University's data, or on made-up learners.

    Raises `UnreadableAnswers`.
    """
    with tempfile.TemporaryDirectory(prefix="trellis-fairness-") as folder:
        path, attributes = _answers(source, by, simulated, Path(folder))
        warm()
        table = read(path)
        groups = groups_in(path, attributes)
        plan = Plan((mode,), 1000)
        total(steps(table, plan))
        told = run(table, plan, advanced)[mode].told
        learner = np.unique(table.answers.learner, return_inverse=True)[1].astype(np.int64)
        for line in report(Told(learner, table.answers.correct, told), groups, at_least=at_least):
            yield {"file": table.name, "mode": mode, **line}


def _answers(source: Path | None, by: Sequence[str], simulated: int, folder: Path) -> tuple[Path, Sequence[str]]:
    """The file, and the columns of its groups."""
    if source is None:
        answers_simulated(simulated, folder / "simulated.csv.gz")
        return folder / "simulated.csv.gz", by or SIMULATED
    if source.is_dir():
        answers_of_oulad(source, folder / "oulad.csv.gz")
        return folder / "oulad.csv.gz", by or OULAD_ATTRIBUTES
    if not by:
        raise UnreadableAnswers(f"{source}: --by says which columns are groups")
    return source, by
