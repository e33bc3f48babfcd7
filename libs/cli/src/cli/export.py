"""`trellis export`: statements to a file, as JSON Lines or Parquet."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated

import typer

from cli.console import err, one_line_errors
from cli.imports import watching
from cli.oulad.errors import ImportStopped
from cli.running import running
from cli.transfer import exporting, parquet
from cli.transfer.exporting import Request

app = typer.Typer()


class Form(StrEnum):
    jsonl = "jsonl"
    parquet = "parquet"


@app.command()
def export(
    out: Annotated[str, typer.Option(help="File, or - for standard output")],
    form: Annotated[Form, typer.Option("--format")] = Form.jsonl,
    agent: Annotated[str | None, typer.Option(help="An xAPI Agent as JSON")] = None,
    verb: Annotated[str | None, typer.Option()] = None,
    activity: Annotated[str | None, typer.Option()] = None,
    registration: Annotated[str | None, typer.Option()] = None,
    related_agents: Annotated[bool, typer.Option(help="Wherever the agent stands")] = False,
    related_activities: Annotated[bool, typer.Option(help="Wherever the activity stands")] = False,
    since: Annotated[str | None, typer.Option(help="Stored after this time")] = None,
    until: Annotated[str | None, typer.Option(help="Stored up to this time")] = None,
    plain: Annotated[bool, typer.Option(help="The statements alone, without provenance (jsonl)")] = False,
    url: Annotated[str | None, typer.Option(help="Ingest, instead of the running stack's")] = None,
    token: Annotated[
        str, typer.Option(envvar="TRELLIS_TOKEN", help="Token of an operator or dpo; goes with --url")
    ] = "",
    key: Annotated[str, typer.Option(envvar="TRELLIS_KEY", help="Or an xAPI key that may read everything")] = "",
    secret: Annotated[str, typer.Option(envvar="TRELLIS_SECRET", help="And its secret")] = "",
) -> None:
    """Write statements by the filters of GET /statements, in the order in which they were stored.

    The file is there when it is whole; one of JSON Lines that was interrupted is gone on with. It holds personal data:
    its owner alone may read it.
    """
    given = {
        "agent": agent,
        "verb": verb,
        "activity": activity,
        "registration": registration,
        "since": since,
        "until": until,
        "related_agents": "true" if related_agents else None,
        "related_activities": "true" if related_activities else None,
    }
    params = {name: value for name, value in given.items() if value is not None}
    with one_line_errors():
        if plain and form is not Form.jsonl:
            raise ImportStopped("--plain goes with --format jsonl")
        if url is None:
            url, token = running("ingest")
        auth = None if token else (key, secret)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        count = _written(Request(url, headers, params, auth), form, out, is_plain=plain)
    err.print(f"exported {count:,} statements", markup=False)


def _written(request: Request, form: Form, out: str, *, is_plain: bool) -> int:
    count = 0
    with watching() as watch:
        watch.says("exporting")

        def advanced(lines: int) -> None:
            nonlocal count
            count += lines
            watch.advanced(lines)

        if form is Form.jsonl and out == "-":
            exporting.write_lines(request, sys.stdout.buffer, is_plain=is_plain, advanced=advanced)
        elif form is Form.jsonl:
            exporting.write_file(request, Path(out), is_plain=is_plain, advanced=advanced)
        else:
            _parquet(request, out, advanced)
    return count


def _parquet(request: Request, out: str, advanced: Callable[[int], None]) -> None:
    def write(to: IO[bytes]) -> None:
        parquet.write(exporting.counted(exporting.lines(request), advanced), to)

    if out == "-":
        write(sys.stdout.buffer)
    else:
        with exporting.whole(Path(out)) as to:
            write(to)
