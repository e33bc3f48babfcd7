"""`trellis token`: bearer tokens of this machine's issuer."""

from __future__ import annotations

import re
from typing import Annotated

import typer
from devstack.issuer import Issuer
from devstack.paths import data_dir
from devstack.tenant import TENANT
from service_kit.auth import Role

app = typer.Typer()

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}


@app.command()
def token(
    role: Annotated[list[Role], typer.Option(help="May be given several times")],
    learner: Annotated[str | None, typer.Option(help="The learner_id of whoever holds the token")] = None,
    tenant: Annotated[str, typer.Option()] = TENANT,
    subject: Annotated[str, typer.Option(help="Who holds it: the claim `sub`")] = "local",
    service: Annotated[str | None, typer.Option(help="With the role service: which of the services holds it")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="What it may do in xAPI, such as statements/read")] = None,
    ttl: Annotated[str, typer.Option(help="How long it is good for: 90s, 30m, 8h, 1d")] = "8h",
) -> None:
    """Print a bearer token that the services of `trellis up` accept."""
    made = Issuer.in_folder(data_dir() / "issuer").token(
        roles=[each.value for each in role],
        tenant=tenant,
        subject=subject,
        learner=learner,
        service=service,
        ttl_seconds=seconds(ttl),
        scope=" ".join(scope) if scope else None,
    )
    typer.echo(made)


def seconds(text: str) -> int:
    """Of a duration such as 90s, 30m, 8h, 1d.

    >>> seconds("8h")
    28800
    """
    found = re.fullmatch(r"(\d+)([smhd]?)", text.strip())
    if found is None:
        raise typer.BadParameter(f"{text!r} is not a duration such as 90s, 30m, 8h or 1d")
    return int(found[1]) * _UNITS[found[2] or "s"]
