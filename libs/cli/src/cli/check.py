"""`trellis check …`: is what others send right?"""

from __future__ import annotations

import json
import sys
import time
from typing import Annotated, Any

import typer

from cli.advice import Verdict, advice
from cli.console import err, one_line_errors, out
from cli.operator import Api, Token, Url, ingest

app = typer.Typer()
group = typer.Typer(name="check", help="Is what others send right?", no_args_is_help=True)
app.add_typer(group)

_EVERY_SECONDS = 1.0
_BEGINS_SECONDS = 2.0
"""Every process of ingest knows of a watch by then, and has written down what it counted."""
_MARKS = {Verdict.right: "[green]right[/]", Verdict.note: "[cyan]note [/]", Verdict.wrong: "[red]wrong[/]"}


@group.callback()
def _group() -> None:
    """Keeps `check` a group while it has one command."""


@group.command()
def emitter(
    credential: Annotated[str, typer.Option(metavar="KEY", help="The key that the LMS sends with")],
    count: Annotated[int, typer.Option(min=1, help="Stop after so many statements")] = 100,
    seconds: Annotated[int, typer.Option(min=1, max=3600, help="Or after so long")] = 120,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts instead of advice")] = False,
    url: Url = None,
    token: Token = "",
) -> None:
    """Watch the next statements of a credential; say what is right, what is wrong and what to change in the LMS.

    Nothing personal is shown: counts, kinds, and places of errors. Exit code 1 where something is wrong.
    """
    with one_line_errors(), ingest(url, token) as api:
        report = _watched(api, credential, count, seconds)
    if as_json:
        typer.echo(json.dumps(report, indent=2))
        return
    lines = advice(report)
    for line in lines:
        out.print(_MARKS[line.verdict], end="  ")
        out.print(line.text, markup=False)
    if any(line.verdict is Verdict.wrong for line in lines):
        sys.exit(1)


def _watched(api: Api, credential: str, count: int, seconds: int) -> dict[str, Any]:
    body = json.dumps({"seconds": seconds + _BEGINS_SECONDS}).encode()
    watch = api.post("emitters", credential, "watches", body=body)
    time.sleep(_BEGINS_SECONDS)
    with err.status("") as status:
        until = time.monotonic() + seconds
        while True:
            report: dict[str, Any] = api.get("emitters", credential, "watches", watch["id"])
            left = until - time.monotonic()
            status.update(
                f"watching: {report['statements']} statements, {max(left, 0):.0f} s left; let the LMS send now"
            )
            if left <= 0 or report["statements"] + report["quarantined"] >= count:
                break
            time.sleep(min(_EVERY_SECONDS, max(left, 0.05)))
        time.sleep(_BEGINS_SECONDS)
        final: dict[str, Any] = api.get("emitters", credential, "watches", watch["id"])
    return final
