"""`trellis keys rotate`: every bucket key of the tenant gives way to a new one."""

from __future__ import annotations

from typing import Annotated, Final

import httpx2
import typer
from devstack.errors import StackError

from cli.console import one_line_errors, out
from cli.running import reason, running

app = typer.Typer()
group = typer.Typer(no_args_is_help=True)
app.add_typer(group, name="keys", help="The keys that seal what describes learners.")

Url = Annotated[str | None, typer.Option(help="Privacy, instead of the running stack's")]
Token = Annotated[str, typer.Option(envvar="TRELLIS_TOKEN", help="Operator's token that goes with --url")]
_TIMEOUT_SECONDS: Final = 600  # a thousand keys a bucket, one bucket after the other


class NotRotated(StackError):
    """Privacy was not reached, or said no."""


@group.callback()
def keys() -> None:
    """A group of its own, though there is one command yet."""


@group.command()
def rotate(url: Url = None, token: Token = "") -> None:
    """Replace the bucket keys and destroy the old ones. Nothing that is sealed is rewritten; back up the keys after."""
    with one_line_errors():
        if url is None:
            url, token = running("privacy")
        try:
            headers = {"Authorization": f"Bearer {token}"}
            answer = httpx2.post(f"{url.rstrip('/')}/keys/rotations", headers=headers, timeout=_TIMEOUT_SECONDS)
        except httpx2.HTTPError as error:
            raise NotRotated(f"privacy does not answer: {type(error).__name__}") from None
        if not answer.is_success:
            raise NotRotated(reason("privacy", answer))
        done = answer.json()
    out.print(f"{done['buckets']:,} bucket keys replaced, {done['keys']:,} data keys wrapped anew", markup=False)
