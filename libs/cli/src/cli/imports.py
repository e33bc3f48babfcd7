"""`trellis import …`: data of others as xAPI statements, through the services' own HTTP APIs."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from devstack.paths import data_dir
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cli.console import err, one_line_errors, out
from cli.oulad import importing
from cli.oulad.importing import Options, Outcome, Target, Watch
from cli.running import described, running
from cli.transfer.importing import Options as TransferOptions
from cli.transfer.importing import Origin, copy, load
from cli.transfer.importing import Outcome as TransferOutcome

app = typer.Typer()
group = typer.Typer(name="import", help="Import the data of others as xAPI statements.", no_args_is_help=True)
app.add_typer(group)

_EVERY_SECONDS = 5.0


@group.command()
def oulad(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of its CSV files, plain or gzip")],
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Only the first N rows of studentAssessment, and the enrolments they belong to"),
    ] = None,
    url: Annotated[str | None, typer.Option(help="xAPI endpoint, instead of the running stack's")] = None,
    key: Annotated[str, typer.Option(envvar="TRELLIS_KEY", help="xAPI key that goes with --url")] = "",
    secret: Annotated[str, typer.Option(envvar="TRELLIS_SECRET", help="xAPI secret that goes with --url")] = "",
    token: Annotated[str, typer.Option(envvar="TRELLIS_TOKEN", help="Operator's token that goes with --url")] = "",
    recommendation: Annotated[str | None, typer.Option(help="Where the catalog goes, with --url")] = None,
    insights: Annotated[str | None, typer.Option(help="Where the roster goes, with --url")] = None,
    catalog: Annotated[bool, typer.Option(help="Post assessments and modules as a catalog")] = True,
    roster: Annotated[bool, typer.Option(help="Post enrolments as a roster (others in it stay)")] = True,
    state: Annotated[Path | None, typer.Option(help="File that lets a broken import go on")] = None,
    batch: Annotated[int, typer.Option(min=1, max=1000, help="Statements in a request")] = importing.BATCH,
    connections: Annotated[int, typer.Option(min=1, max=64)] = importing.CONNECTIONS,
) -> None:
    """Import the Open University Learning Analytics Dataset.

    Every row becomes the same statements with the same ids each time, so that a repeated import stores nothing twice;
    a broken one goes on where it stopped. The files hold days, and no day for final results: statements carry midnight
    UTC, registrations the first day of the presentation's month, final results the presentation's last day.
    """
    with one_line_errors():
        given = (
            described(Target.of, "an LRS") if url is None else Target(url, key, secret, token, recommendation, insights)
        )
        target = replace(
            given,
            recommendation=given.recommendation if catalog else None,
            insights=given.insights if roster else None,
        )
        options = Options(
            state=state or data_dir() / "import" / "oulad.jsonl", limit=limit, batch=batch, connections=connections
        )
        with watching() as watch:
            outcome = importing.run(folder, target, options, watch)
    _tell(outcome)
    if outcome.refusals:
        sys.exit(1)


@group.command()
def xapi(
    source: Annotated[str, typer.Option("--from", metavar="URL", help="The other LRS's xAPI endpoint")],
    key: Annotated[str, typer.Option(envvar="SOURCE_KEY", help="Its key")],
    secret: Annotated[str, typer.Option(envvar="SOURCE_SECRET", help="Its secret")],
    since: Annotated[str, typer.Option(help="Only what it stored after this time (RFC 3339)")] = "",
    xapi_version: Annotated[str, typer.Option(help="The xAPI version spoken to it")] = "1.0.3",
    attachments: Annotated[bool, typer.Option(help="With the data of attachments")] = True,
    url: Annotated[str | None, typer.Option(help="Our ingest, instead of the running stack's")] = None,
    token: Annotated[str, typer.Option(envvar="TRELLIS_TOKEN", help="Operator's token that goes with --url")] = "",
    anew: Annotated[bool, typer.Option(help="From the beginning, not from where the last run stopped")] = False,
) -> None:
    """Copy the statements of another Learning Record Store.

    The same command again goes on where the last one stopped, and later brings what is new. Nothing is stored twice.
    """
    with one_line_errors():
        origin = Origin(source, key, secret, since, xapi_version, attachments)
        options = _options(url, token, anew=anew)
        with watching() as watch:
            watch.says(f"copying {source}")
            outcome = asyncio.run(copy(origin, options, watch.advanced))
    _tell_of_import(outcome)


@group.command()
def statements(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON Lines, plain or gzip")],
    url: Annotated[str | None, typer.Option(help="Our ingest, instead of the running stack's")] = None,
    token: Annotated[str, typer.Option(envvar="TRELLIS_TOKEN", help="Operator's token that goes with --url")] = "",
    anew: Annotated[bool, typer.Option(help="From the beginning, not from where the last run stopped")] = False,
) -> None:
    """Import statements, one a line, or what `trellis export` wrote, with its provenance."""
    with one_line_errors():
        options = _options(url, token, anew=anew)
        with watching() as watch:
            watch.says(f"importing {file}")
            outcome = asyncio.run(load(file, options, watch.advanced))
    _tell_of_import(outcome)


def _options(url: str | None, token: str, *, anew: bool) -> TransferOptions:
    if url is None:
        url, token = running("ingest")
    return TransferOptions(url, token, data_dir() / "import", anew)


def _tell_of_import(outcome: TransferOutcome) -> None:
    done = outcome.progress
    if outcome.before:
        out.print(f"went on behind {outcome.before:,} statements of earlier runs, counted in:")
    out.print(f"accepted     {done.accepted:>9,}")
    out.print(f"not recorded {done.not_recorded:>9,} (acknowledged; their learners do not allow it)")
    out.print(f"rejected     {done.rejected:>9,}")
    if outcome.voided or outcome.voided_hidden:
        out.print(f"voided       {outcome.voided:>9,} copied with what voids them; {outcome.voided_hidden:,} not shown")
    if not outcome.up_to_date:
        out.print(f"The source calls nothing behind {outcome.through} consistent yet: run again for the rest.")
    if done.rejected:
        err.print(f"rejected statements and why: {outcome.rejects or 'on the machine of an earlier run'}", markup=False)
        sys.exit(1)


def _tell(outcome: Outcome) -> None:
    for refusal in outcome.refusals:
        err.print(f"refused: {refusal}", markup=False)
    for file, rows in sorted(outcome.read.items()):
        out.print(f"read         {rows:>9,} rows of {file}.csv")
    out.print(f"statements   {outcome.statements:>9,} made of them, {outcome.rate:,.0f} a second")
    out.print(f"accepted     {outcome.accepted:>9,}")
    out.print(f"not recorded {outcome.not_recorded:>9,} (acknowledged; their learners do not allow it)")
    out.print(f"refused      {len(outcome.refusals):>9,} rows or statements")
    if outcome.as_of is not None:
        out.print(f"The last of these presentations ends on {outcome.as_of}: for reports, ?as_of={outcome.as_of}")


@contextmanager
def watching() -> Iterator[Watch]:
    """A progress bar on a terminal, a line every few seconds elsewhere."""
    if not err.is_terminal:
        yield _Lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        yield _Bar(progress, progress.add_task("", total=None))


class _Bar:
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def says(self, line: str) -> None:
        self._progress.update(self._task, description=line)

    def total(self, statements: int) -> None:
        self._progress.update(self._task, total=statements)

    def advanced(self, statements: int) -> None:
        self._progress.advance(self._task, statements)


class _Lines:
    def __init__(self) -> None:
        self._total = 0
        self._done = 0
        self._next = time.monotonic() + _EVERY_SECONDS

    def says(self, line: str) -> None:
        err.print(line, markup=False)

    def total(self, statements: int) -> None:
        self._total = statements

    def advanced(self, statements: int) -> None:
        self._done += statements
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY_SECONDS
            of = f" of {self._total:,}" if self._total else ""
            err.print(f"{self._done:,}{of} statements", markup=False)
