"""`trellis doctor`."""

from __future__ import annotations

import sys

import typer
from devstack import doctor as examination
from devstack.paths import data_dir
from devstack.running import demanded_ports

from cli.console import one_line_errors, out

app = typer.Typer()


@app.command()
def doctor() -> None:
    """Say what this machine lacks, and which way provides MongoDB and Kafka here."""
    with one_line_errors():
        report = examination.examine(demanded_ports().values(), data_dir())
    for finding in report.findings:
        mark = "ok" if finding.well else ("MISSING" if finding.needed else "note")
        line = f"{finding.name:14} {mark:8} {finding.detail}"
        out.print(line if finding.well else f"{line}: {finding.remedy}", markup=False)
    out.print(report.verdict, markup=False)
    if not report.works:
        sys.exit(1)
