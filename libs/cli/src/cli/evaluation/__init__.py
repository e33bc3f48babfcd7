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
LEAST_GROUP = 10


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


@group.command()
def fairness(
    source: Annotated[
        Path | None,
        typer.Argument(exists=True, help="Answers as for mastery, with columns of groups; or a folder of OULAD."),
    ] = None,
    by: Annotated[
        list[str] | None, typer.Option(help="A column that says which group a learner is in; may be repeated.")
    ] = None,
    simulated: Annotated[int, typer.Option(help="So many made-up learners, a third of them misjudged.", min=0)] = 0,
    mode: Annotated[str, typer.Option(help=f"One of {', '.join(MODES)}.")] = "online",
    at_least: Annotated[int, typer.Option(help="Of groups with fewer learners nothing is told.", min=LEAST_GROUP)] = 30,
) -> None:
    """Say where the model errs more for one group of learners than for all, by how much, and how sure that is.

    One JSON line for each group: AUC and bias (told minus observed) with 95 % intervals of a bootstrap over learners,
    and in `errs_more` what is worse than for all beyond chance.
    """
    if mode not in MODES:
        raise typer.BadParameter(f"one of {', '.join(MODES)}", param_hint="--mode")
    if (source is None) == (simulated == 0):
        raise typer.BadParameter("either answers or --simulated", param_hint="SOURCE")
    try:
        from cli.evaluation.groups import lines
    except ModuleNotFoundError as missing:
        err.print(f"trellis: eval needs trellis-cli[evaluation]: {missing.name} is missing", markup=False)
        sys.exit(1)
    try:
        with _bar() as progress:
            task = progress.add_task("answers", total=None)
            for line in lines(
                source,
                by or [],
                simulated=simulated,
                mode=mode,
                at_least=at_least,
                total=lambda steps: progress.update(task, total=steps),
                advanced=lambda steps: progress.advance(task, steps),
            ):
                sys.stdout.write(orjson.dumps(line).decode() + "\n")
    except UnreadableAnswers as problem:
        err.print(f"trellis: {problem}", markup=False)
        sys.exit(1)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=err,
        transient=True,
    )  # fmt: skip
