"""The `trellis` command. Each group of commands is a module with a typer app of its own, added here."""

from __future__ import annotations

import typer

from cli import (
    audit,
    breach,
    check,
    credentials,
    demo,
    doctor,
    environment,
    evaluation,
    export,
    imports,
    keys,
    quarantine,
    retention,
    stack,
    token,
)

app = typer.Typer(
    name="trellis",
    help="From xAPI statements to the next thing worth learning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
GROUPS = (
    stack,
    token,
    environment,
    credentials,
    imports,
    export,
    doctor,
    demo,
    quarantine,
    check,
    audit,
    breach,
    evaluation,
    keys,
    retention,
)
for group in GROUPS:
    app.add_typer(group.app)

if __name__ == "__main__":
    app()
