"""`trellis demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from devstack import demo as demonstration

from cli.console import one_line_errors

app = typer.Typer()


@app.command()
def demo(
    data: Annotated[str | None, typer.Option(help="`oulad`: real data instead of a simulated class")] = None,
    folder: Annotated[Path | None, typer.Option("--dir", help="The folder of that data")] = None,
) -> None:
    """Watch a class from statement to recommendation, on a stack of its own."""
    with one_line_errors():
        demonstration.run(data=data, folder=folder)
