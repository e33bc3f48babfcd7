"""`trellis eval`: how right the learner model is, on answers that it has not seen."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.console import err
from cli.evaluation.errors import UnreadableAnswers

app = typer.Typer(no_args_is_help=True)
group = typer.Typer(name="eval", help="Measure the models against answers they have not seen.", no_args_is_help=True)
app.add_typer(group)

MODES = ("frozen", "online", "online_versioned")


@group.callback()
def _evaluations() -> None:
    """Measure the models against answers they have not seen."""


@group.command()
def mastery(
    files: Annotated[
        list[Path],
        typer.Argument(exists=True, dir_okay=False, help="CSV, plain or gzipped: learner,item,skills,correct,…"),
    ],
    mode: Annotated[str, typer.Option(help=f"One of {', '.join(MODES)}; all where not given.")] = "",
    baselines: Annotated[bool, typer.Option(help="Also item mean, Elo, BKT, PFA and Best-LR.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw calibration and learning curves into this folder.")] = None,
    version_every: Annotated[int, typer.Option(help="Answers between two versions (online_versioned).")] = 1000,
    asked: Annotated[
        bool,
        typer.Option(help="Let the clock stand still within a sitting: the time an answer took is not looked at."),
    ] = False,
) -> None:
    """Run the additive learner model over held-out learners: one JSON line for each file and mode."""
    if mode and mode not in MODES:
        raise typer.BadParameter(f"one of {', '.join(MODES)}", param_hint="--mode")
    if version_every < 1:
        raise typer.BadParameter("at least 1", param_hint="--version-every")
    try:
        from cli.evaluation.protocol import Plan, evaluate  # compiled code: no other command waits for it
    except ModuleNotFoundError as missing:
        err.print(f"trellis: eval needs trellis-cli[evaluation]: {missing.name} is missing", markup=False)
        sys.exit(1)

    plan = Plan((mode,) if mode else MODES, version_every, asked)
    try:
        for file in files:
            with _bar() as progress:
                task = progress.add_task(file.name, total=None)

                def total(steps: int, task: int = task, progress: Progress = progress) -> None:
                    progress.update(task, total=steps)  # type: ignore[arg-type]  # TaskID is an int

                def advanced(steps: int, task: int = task, progress: Progress = progress) -> None:
                    progress.advance(task, steps)  # type: ignore[arg-type]  # TaskID is an int

                for line in evaluate(file, plan, baselines=baselines, plot=plot, total=total, advanced=advanced):
                    sys.stdout.write(orjson.dumps(line).decode() + "\n")
                    sys.stdout.flush()
    except UnreadableAnswers as problem:
        err.print(f"trellis: {problem}", markup=False)
        sys.exit(1)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=err,
        transient=True,
    )  # fmt: skip
