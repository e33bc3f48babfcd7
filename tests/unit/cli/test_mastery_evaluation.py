"""`trellis eval mastery`: what it reads, what it prints, and that its measures are what they are called."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from cli.evaluation.errors import UnreadableAnswers
from cli.evaluation.measures import auc, calibration, expected_calibration_error, log_loss, rmse
from cli.evaluation.reading import read
from cli.main import app
from typer.testing import CliRunner

HEAD = "learner,item,skills,correct,timestamp_or_order,fold"
KEYS = [
    "file", "mode", "auc", "auc_fold_mean", "auc_fold_sd", "logloss", "rmse", "ece", "auc_first10", "auc_first_attempt",
    "us_per_answer", "bytes_per_learner_p50", "bytes_per_learner_p99", "seconds",
]  # fmt: skip


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """15 learners, of whom the later ones are better; items with one skill, with two, with none."""
    random = np.random.default_rng(3)
    rows = [
        f"u{learner},i{n % 7},{('a', 'a;b', '')[n % 3]},{int(random.random() < 0.2 + learner / 20)},{60 * n}"
        f",{learner % 5}"
        for learner in range(15)
        for n in range(14)
    ]
    path = tmp_path / "school.csv.gz"
    path.write_bytes(gzip.compress("\n".join([HEAD, *rows]).encode()))
    return path


def file_of(folder: Path, *rows: str, head: str = HEAD) -> Path:
    path = folder / "some.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


class TestMeasures:
    def test_auc_counts_ties_as_half(self) -> None:
        assert auc(np.array([0.0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])) == 0.75
        assert auc(np.array([0.0, 1]), np.array([0.5, 0.5])) == 0.5
        assert auc(np.ones(3), np.ones(3)) is None

    def test_losses(self) -> None:
        right, told = np.array([1.0, 0.0]), np.array([0.8, 0.4])
        assert log_loss(right, told) == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
        assert rmse(right, told) == pytest.approx(np.sqrt((0.04 + 0.16) / 2))

    def test_calibration_is_the_mean_distance_over_15_bins(self) -> None:
        right, told = np.array([1.0, 0, 1, 1]), np.array([0.5, 0.5, 0.99, 1.0])
        assert [b.answers for b in calibration(right, told)] == [2, 2]
        assert expected_calibration_error(right, told) == pytest.approx(0.5 * 0.005)


class TestReading:
    def test_several_skills_stand_in_one_cell_and_none_is_allowed(self, answers: Path) -> None:
        table = read(answers)
        assert table.name == "school"
        assert np.diff(table.answers.skills_from[:4]).tolist() == [1, 2, 0]
        assert table.folds == [0, 1, 2, 3, 4]

    def test_positions_are_no_clock_and_milliseconds_become_seconds(self, tmp_path: Path) -> None:
        positions = read(file_of(tmp_path, "u,i,s,1,0,0", "u,i,s,1,1,0", "u,i,s,1,2,0"))
        assert positions.answers.at.tolist() == [-1, -1, -1]
        milliseconds = read(file_of(tmp_path, "u,i,s,1,1700000000000,0", "u,i,s,1,1700000007000,0"))
        assert np.diff(milliseconds.answers.at).tolist() == [7]

    def test_what_an_answer_took_can_be_hidden(self, tmp_path: Path) -> None:
        rows = ("u,i,s,1,100,0", "u,i,s,1,110,0", "u,i,s,1,9000,0", "u,i,s,0,8000,0")
        assert read(file_of(tmp_path, *rows), asked=True).answers.at.tolist() == [100, 100, 9000, 9000]

    def test_columns_that_need_not_be_there(self, tmp_path: Path) -> None:
        table = read(file_of(tmp_path, "u,i,1", "v,i,0", head="learner,item,correct"))
        assert table.fold.tolist() == [0, 1]
        assert table.answers.duration.tolist() == [-1, -1]

    @pytest.mark.parametrize(
        ("rows", "reason"),
        [
            (["u,i,s,yes,0,0"], "line 2: correct is 'yes'"),
            (["u,i,s,1,0,0", "u,i,s,1,noon,0"], "line 3: timestamp_or_order"),
            (["u,i,s,nan,0,0"], "line 2"),
            (["u,i,s,1,inf,0"], "line 2"),
            (["u,i"], "line 2"),
            (["u,i,s,1,0,0", "u,i,s,1,1,1"], "line 3: .* more than one fold"),
            (["u,i,s,2,0,0"], "between 0 and 1"),
            (["u,i,s,1,0,0", "v,i,s,1,0,0", "u,i,s,1,0,0"], "line 4: .* stand together"),
            ([], "no answers"),
        ],
    )
    def test_what_is_not_in_the_format_is_said(self, tmp_path: Path, rows: list[str], reason: str) -> None:
        with pytest.raises(UnreadableAnswers, match=reason):
            read(file_of(tmp_path, *rows))

    def test_what_a_spreadsheet_makes_of_it_is_read_the_same(self, tmp_path: Path) -> None:
        plain = read(file_of(tmp_path, "u,i,a b;c,1,0,0", "u,j,,0,1,0"))
        path = tmp_path / "saved.csv"
        head = ",".join(f'"{name}"' for name in HEAD.split(","))
        path.write_bytes(f'{head}\r\n"u","i","a b; c;","1","0","0"\r\n"u","j","","0","1","0"\r\n'.encode("utf-8-sig"))
        saved = read(path)
        for mine, others in zip(saved.answers, plain.answers, strict=True):
            assert np.array_equal(mine, others)
        path.write_text("learner, item, skills, correct, timestamp_or_order, fold\nu, i, a b;c, 1, 0, 0\n")
        assert read(path).answers.item[0] == plain.answers.item[0]

    def test_other_encodings_are_refused_with_the_line(self, tmp_path: Path) -> None:
        path = tmp_path / "old.csv.gz"
        path.write_bytes(gzip.compress(f"{HEAD}\nu,i,s,1,0,0\nJürgen,i,s,1,0,1\n".encode("latin-1")))
        with pytest.raises(UnreadableAnswers, match="line 3: not UTF-8"):
            read(path)


class TestCommand:
    def test_one_json_line_for_each_mode(self, answers: Path) -> None:
        result = CliRunner().invoke(app, ["eval", "mastery", str(answers)])
        assert result.exit_code == 0, result.output
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        assert [line["mode"] for line in lines] == ["frozen", "online", "online_versioned"]
        assert all(list(line) == KEYS for line in lines)
        assert all(0.5 < line["auc"] < 1 and line["bytes_per_learner_p99"] < 4096 for line in lines)

    def test_baselines_and_plots_in_the_same_run(self, answers: Path, tmp_path: Path) -> None:
        words = ["eval", "mastery", str(answers), "--mode", "online", "--baselines", "--plot", str(tmp_path / "plots")]
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
        modes = [json.loads(line)["mode"] for line in result.stdout.splitlines()]
        assert modes == ["online", "item_mean", "elo", "bkt", "pfa", "best_lr"]
        assert {path.name for path in (tmp_path / "plots").iterdir()} == {
            "school-calibration.png",
            "school-learning.png",
        }

    @pytest.mark.parametrize(
        "rows",
        [
            ["u,i,s,1,0,0"],
            [f"u{n},i,,1,0,{n}" for n in range(3)],
            [
                f"u{n % 4},i{n},{'s' * (n % 2)},{int(n % 4 > 1)},0,{n % 4}"
                for n in sorted(range(24), key=lambda n: n % 4)
            ],
        ],
        ids=["one answer", "all right and no skill", "folds of one class"],
    )
    def test_where_there_is_nothing_to_learn_figures_are_finite_all_the_same(
        self, tmp_path: Path, rows: list[str]
    ) -> None:
        result = CliRunner().invoke(app, ["eval", "mastery", str(file_of(tmp_path, *rows)), "--baselines"])
        assert result.exit_code == 0, result.output
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        assert len(lines) == 8
        assert all(line["logloss"] is not None and line["rmse"] <= 1 and line["ece"] <= 1 for line in lines)

    def test_a_missing_file_and_a_mode_that_is_none_end_in_one_line(self, tmp_path: Path) -> None:
        missing = CliRunner().invoke(app, ["eval", "mastery", str(tmp_path / "none.csv")])
        assert missing.exit_code == 2
        assert "Traceback" not in missing.output
        assert CliRunner().invoke(app, ["eval", "mastery", "x.csv", "--mode", "guess"]).exit_code == 2
