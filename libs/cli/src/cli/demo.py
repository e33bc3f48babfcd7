"""`trellis demo`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from devstack import demo as demonstration
from devstack.errors import StackError

from cli.console import one_line_errors
from cli.oulad.demo import show

app = typer.Typer()

INTERRUPTED = 130


class Data(StrEnum):
    """Real data that the demo can show in the place of its simulated class."""

    oulad = "oulad"


@app.command()
def demo(
    data: Annotated[Data | None, typer.Option(help="Real data instead of a simulated class")] = None,
    folder: Annotated[Path | None, typer.Option("--dir", help="The folder of that data")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many submissions of that data")] = None,
) -> None:
    """Watch a class from statement to recommendation, on a stack of its own."""
    with one_line_errors():
        if data is None:
            finished = demonstration.run()
        elif folder is None:
            raise StackError("say where the data is: `make demo DATA=oulad DIR=…`, or --dir")
        else:
            finished = demonstration.run(show(folder, limit))
    if not finished:
        sys.exit(INTERRUPTED)
