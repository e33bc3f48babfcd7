"""`trellis doctor`."""

from __future__ import annotations

import sys

import typer
from devstack import doctor as examination
from devstack.paths import data_dir
from devstack.running import demanded_ports
from rich.table import Table

from cli.console import one_line_errors, out

app = typer.Typer()


@app.command()
def doctor() -> None:
    """Say what this machine lacks, and which way provides MongoDB and Kafka here."""
    with one_line_errors():
        report = examination.examine(demanded_ports().values(), data_dir())
    table = Table(show_header=False, box=None, pad_edge=False)
    for finding in report.findings:
        mark = "ok" if finding.well else ("MISSING" if finding.needed else "note")
        table.add_row(finding.name, mark, finding.detail, "" if finding.well else finding.remedy)
    out.print(table)
    out.print(report.verdict, markup=False)
    if not report.works:
        sys.exit(1)
