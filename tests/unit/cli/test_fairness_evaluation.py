"""`trellis eval fairness`: what is unfair is found, what is chance is not, and small groups are not told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli.evaluation.errors import UnreadableAnswers
from cli.evaluation.fairness import Groups, Told, _Tally, report
from cli.evaluation.grouping import OULAD_ATTRIBUTES, answers_of_oulad, answers_simulated, groups_in
from cli.evaluation.measures import auc, expected_calibration_error
from cli.evaluation.reading import read
from cli.main import app
from typer.testing import CliRunner

from tests.support import oulad_files

LEARNERS, EACH = 300, 20


def told(seed: int = 1) -> Told:
    """Learners whose probabilities are right."""
    random = np.random.default_rng(seed)
    chance = random.uniform(0.1, 0.9, LEARNERS * EACH)
    right = (random.random(len(chance)) < chance).astype(np.float64)
    return Told(np.repeat(np.arange(LEARNERS), EACH), right, chance)


def halves(*sizes: int) -> Groups:
    names = [f"g{number}" for number in range(len(sizes))]
    return Groups("half", names, np.repeat(np.arange(len(sizes)), sizes).astype(np.int64))


def by_group(lines: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {line["group"]: line for line in lines}


class TestReport:
    def test_it_finds_nothing_where_there_is_nothing(self) -> None:
        lines = [line for seed in range(5) for line in report(told(seed), [halves(150, 150)], at_least=30)]
        assert [line["errs_more"] for line in lines] == [[]] * 10

    def test_it_finds_who_is_told_too_high_and_ranked_worse(self) -> None:
        fair = told()
        random = np.random.default_rng(2)
        late = (fair.learner >= 150) & (random.random(len(fair.learner)) < 0.2)
        unfair = Told(fair.learner, np.where(late, 0.0, fair.correct), fair.told)
        found = by_group(report(unfair, [halves(150, 150)], at_least=30))
        assert found["g1"]["errs_more"] == ["ranks worse", "told too high"]
        assert "told too high" not in found["g0"]["errs_more"]
        figure, low, high = found["g1"]["bias"]
        assert low < 0.1 < high
        assert low < figure < high

    def test_figures_are_those_of_the_measures(self) -> None:
        found = told()
        tally = _Tally(found, halves(100, 200))
        figures = tally.figures(np.ones(LEARNERS))
        first = found.learner < 100
        exact = auc(found.correct[first], found.told[first])
        assert figures.auc[0] == pytest.approx(exact, abs=1e-3)
        error = expected_calibration_error(found.correct[first], found.told[first])
        assert figures.ece[0] == pytest.approx(error, abs=1e-9)
        assert figures.bias[-1] == pytest.approx(found.told.mean() - found.correct.mean())

    @pytest.mark.parametrize(
        ("sizes", "shown"),
        [((150, 150), [True, True]), ((5, 100, 195), [False, False, True]), ((5, 6, 289), [False, False, True])],
    )
    def test_small_groups_are_not_told_nor_what_would_give_them_away(
        self, sizes: tuple[int, ...], shown: list[bool]
    ) -> None:
        lines = report(told(), [halves(*sizes)], at_least=30)
        assert [not line["suppressed"] for line in lines] == shown
        assert all(set(line) == {"attribute", "group", "suppressed"} for line in lines if line["suppressed"])

    def test_whose_group_is_not_known_is_left_out(self) -> None:
        groups = Groups("half", ["known"], np.where(np.arange(LEARNERS) < 100, 0, -1))
        (line,) = report(told(), [groups], at_least=30)
        assert (line["learners"], line["answers"]) == (100, 100 * EACH)


class TestSources:
    def test_open_university(self, tmp_path: Path) -> None:
        oulad_files.write(tmp_path / "oulad")
        answers_of_oulad(tmp_path / "oulad", tmp_path / "answers.csv.gz")
        table = read(tmp_path / "answers.csv.gz")
        assert len(table.answers.item) > 0
        groups = groups_in(tmp_path / "answers.csv.gz", OULAD_ATTRIBUTES)
        assert {len(one.of_learner) for one in groups} == {len(set(table.answers.learner.tolist()))}

    def test_a_file_without_the_column(self, tmp_path: Path) -> None:
        answers_simulated(6, tmp_path / "some.csv.gz")
        with pytest.raises(UnreadableAnswers, match="no column language"):
            groups_in(tmp_path / "some.csv.gz", ["language"])


class TestCommand:
    def test_happy(self) -> None:
        result = CliRunner().invoke(app, ["eval", "fairness", "--simulated", "60", "--at-least", "10"])
        assert result.exit_code == 0, result.output
        lines = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
        assert [line["group"] for line in lines] == ["even", "misjudged", "other"]
        assert all(line["learners"] == 20 for line in lines)

    @pytest.mark.parametrize("arguments", [[], ["--simulated", "9", "--mode", "best"], ["--at-least", "3"]])
    def test_wrong_use(self, arguments: list[str]) -> None:
        assert CliRunner().invoke(app, ["eval", "fairness", *arguments]).exit_code == 2
