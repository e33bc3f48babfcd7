"""`trellis keys`: `rotate` has every bucket key of the tenant replaced; `status` says what is clear yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

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
SEALING: Final = ("ingest", "learner_profile", "recommendation", "insights")
_TIMEOUT_SECONDS: Final = 600  # a thousand keys a bucket, one bucket after the other


class Unanswered(StackError):
    """A service was not reached, or said no."""


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
            raise Unanswered(f"privacy does not answer: {type(error).__name__}") from None
        if not answer.is_success:
            raise Unanswered(reason("privacy", answer))
        done = answer.json()
    out.print(f"{done['buckets']:,} bucket keys replaced, {done['keys']:,} data keys wrapped anew", markup=False)


@group.command()
def status() -> None:
    """What lies in the clear from before there were keys, in the running stack, and for how much longer copies do."""
    with one_line_errors():
        for service in SEALING:
            url, token = running(service)
            for line in _lines(service, _sealing(service, url, token)):
                out.print(line, markup=False)


def _sealing(service: str, url: str, token: str) -> dict[str, Any]:
    try:
        answer = httpx2.get(f"{url.rstrip('/')}/sealing", headers={"Authorization": f"Bearer {token}"}, timeout=30)
    except httpx2.HTTPError as error:
        raise Unanswered(f"{service} does not answer: {type(error).__name__}") from None
    if not answer.is_success:
        raise Unanswered(reason(service, answer))
    said: dict[str, Any] = answer.json()
    return said


def _lines(service: str, said: dict[str, Any]) -> Iterator[str]:
    for place in said["places"]:
        if not place["done"]:
            yield f"{service}: {place['place']}: {place['checked']:,} documents looked at, not at the end yet"
    if said["last_clear_at"] is None:
        yield f"{service}: nothing was ever in the clear"
    for copy in said["copies"]:
        left = "cannot tell" if (seconds := copy["clear_seconds"]) is None else f"{seconds / 3600:,.1f} hours left"
        yield f"{service}: {copy['where']}: {'nothing clear any more' if seconds == 0 else left} ({copy['because']})"
