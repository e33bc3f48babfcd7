"""`trellis env`: the running stack's addresses and credentials for a shell."""

from __future__ import annotations

import json
import shlex

import typer
from devstack.paths import data_dir

app = typer.Typer()


@app.command()
def env() -> None:
    """Print `export` lines of the running stack, for `eval "$(trellis env)"`."""
    file = data_dir() / "stack.json"
    if not file.exists():
        typer.echo("trellis: no stack is running; `make up` starts one", err=True)
        raise typer.Exit(1)
    stack = json.loads(file.read_text())
    variables = {
        "TRELLIS_XAPI": stack["ingest"]["xapi"],
        "TRELLIS_KEY": stack["ingest"]["key"],
        "TRELLIS_SECRET": stack["ingest"]["secret"],
        "TRELLIS_TOKEN": stack["operator_token"],
    }
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")
