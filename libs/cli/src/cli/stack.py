"""`trellis run | up | down | clean`: the stack on this machine."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from devstack import running
from devstack.errors import AlreadyRunning, NotRunning
from devstack.paths import data_dir
from devstack.programs import SERVICES
from devstack.stack import Stack, wipe
from rich.table import Table

from cli.console import err, one_line_errors, out

app = typer.Typer()
Roles = Annotated[
    str, typer.Option(help="Which part: all, or recording (ingest and privacy without relay or other services)")
]


@app.command()
def run(roles: Roles = "all") -> None:
    """Keep the stack in the foreground until Ctrl-C."""
    running.log_to_stderr()
    with one_line_errors(), err.status("starting") as status:

        def ready(stack: Stack) -> None:
            status.stop()
            show(stack.description())
            out.print(f"Data and logs: {stack.data}. Ctrl-C stops.")

        def progress(line: str) -> None:
            status.update(line)
            status.start()

        running.run(data_dir(), roles=roles, progress=progress, ready=ready)


@app.command()
def up(roles: Roles = "all") -> None:
    """Start the stack in the background. Says so (and succeeds) where one is running already."""
    data = data_dir()
    with one_line_errors(), err.status("starting") as status:
        try:
            running.up(data, roles=roles, progress=status.update)
        except AlreadyRunning as problem:
            out.print(f"trellis: {problem}", markup=False)
            return
    show(json.loads((data / "stack.json").read_text()))
    out.print("`make down` stops it.")


@app.command()
def down() -> None:
    """Stop the stack that `trellis up` started."""
    with one_line_errors(), err.status("stopping"):
        try:
            running.down(data_dir())
        except NotRunning as problem:
            out.print(f"trellis: {problem}", markup=False)


@app.command()
def clean() -> None:
    """Wipe the data of the stack. What was downloaded stays."""
    with one_line_errors():
        wipe(data_dir())


def show(stack: dict[str, Any]) -> None:
    """The table of addresses and credentials."""
    table = Table(show_header=False, box=None, pad_edge=False)
    for name in SERVICES:
        if name in stack:
            table.add_row(name, stack[name]["url"])
    table.add_row("xAPI endpoint", stack["ingest"]["xapi"])
    table.add_row("xAPI key", stack["ingest"]["key"])
    table.add_row("xAPI secret", stack["ingest"]["secret"])
    table.add_row("MongoDB", stack["mongodb"])
    table.add_row("Kafka", stack["kafka"])
    table.add_row("tenant", stack["tenant"])
    table.add_row("operator token", f"in {data_dir() / 'stack.json'}")
    out.print(table)
