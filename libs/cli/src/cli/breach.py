"""`trellis breach`: whose data a leaked key could have read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from cli.console import err, one_line_errors, out
from cli.operator import Token, Url, ingest
from cli.token import seconds

app = typer.Typer()
_WORDS = {
    "everything": "every statement of the tenant",
    "documents": "documents of any agent it knew or guessed",
    "own": "the statements that it had written itself",
    "nothing": "nothing",
}


@app.command()
def breach(
    credential: Annotated[str, typer.Option(help="The key, as `trellis credentials list` shows it")],
    since: Annotated[str, typer.Option(help="When it leaked: 2026-11-01T08:00:00Z, or how long ago: 12h, 30d")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead, with every learner")] = False,
    url: Url = None,
    token: Token = "",
) -> None:
    """Say whose data a leaked key could have read since then (GDPR 33). Ask before you revoke it; rotate it first."""
    with one_line_errors(), ingest(url, token) as api:
        found = _whole(api, credential, _moment(since))
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    used = found["last_used"] or "never"
    out.print(f"{found['name']} ({found['credential']}), last used: {used}", markup=False)
    if not found["used_since"]:
        out.print("It was not used since: nobody's data was read with it.")
        return
    out.print(f"It could read {_WORDS[found['could_read']]}: {len(found['learners']):,} learners.", markup=False)
    for learner in found["learners"]:
        typer.echo(learner)
    if found["learners"]:
        err.print("The supervisory authority is told within 72 hours of your knowing (GDPR 33(1)).")


def _whole(api: Any, credential: str, since: str) -> dict[str, Any]:
    """With the learners of all pages."""
    found: dict[str, Any] = api.get("credentials", credential, "reach", since=since)
    while (cursor := found["next"]) is not None:
        page = api.get("credentials", credential, "reach", since=since, cursor=cursor)
        found["learners"] += page["learners"]
        found["next"] = page["next"]
    return found


def _moment(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime.now(UTC) - timedelta(seconds=seconds(text))
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()
