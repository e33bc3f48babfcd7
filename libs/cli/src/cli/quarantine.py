"""`trellis quarantine …`: statements of emitters that were refused while the rest of their batch was stored."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import err, one_line_errors, out
from cli.operator import Api, Refused, Token, Url, ingest

app = typer.Typer()
group = typer.Typer(name="quarantine", help="Refused statements of emitters: look, mend, store.", no_args_is_help=True)
app.add_typer(group)

_MOST_REASONS = 3
Which = Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it")]


@group.command("list")
def list_quarantine(
    credential: Annotated[str | None, typer.Option(help="Of this credential's key alone")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    url: Url = None,
    token: Token = "",
) -> None:
    """The newest refused statements: what was wrong, how often they came, until when they stay."""
    with one_line_errors(), ingest(url, token) as api:
        items = list(_newest(api, credential, limit))
    if not items:
        out.print("Nothing is in quarantine.")
        return
    for item in items:
        when, times = item["last_at"][:16].replace("T", " "), f"{item['times']} ×"
        out.print(f"{item['id']}  {when}  {times}  {item['status']}  credential {item['credential']}", markup=False)
        for reason in item["reasons"][:_MOST_REASONS]:
            out.print(f"    {reason['pointer'] or 'the statement'}: {reason['detail']}", markup=False)
        if (more := len(item["reasons"]) - _MOST_REASONS) > 0:
            out.print(f"    and {more} more")


@group.command()
def show(quarantine_id: Which, url: Url = None, token: Token = "") -> None:
    """Print the statement as it was sent (personal data), for a file that `replay --edit` takes; reasons to stderr."""
    with one_line_errors(), ingest(url, token) as api:
        item = api.get("quarantine", quarantine_id)
    for reason in item["reasons"]:
        err.print(f"{reason['pointer'] or 'the statement'}: {reason['detail']}", markup=False)
    typer.echo(json.dumps(item["statement"], indent=2, ensure_ascii=False))


@group.command()
def replay(
    quarantine_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="As `list` shows it")] = None,
    edit: Annotated[Path | None, typer.Option(help="A file with the mended statement, to store in its place")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Each one, as it was sent: after an upgrade took a cause away")
    ] = False,
    credential: Annotated[str | None, typer.Option(help="With --all: of this credential's key alone")] = None,
    url: Url = None,
    token: Token = "",
) -> None:
    """Judge again and store. What is still wrong stays where it is."""
    with one_line_errors(), ingest(url, token) as api:
        if every == (quarantine_id is not None) or (every and edit is not None):
            raise Refused("name one ID (with --edit FILE, if it was mended), or give --all")
        if quarantine_id is not None:
            _told(api.post("quarantine", quarantine_id, "replay", body=_mended(edit)))
            return
        refused = _replay_all(api, credential)
    if refused:
        sys.exit(1)


@group.command()
def discard(quarantine_id: Which, url: Url = None, token: Token = "") -> None:
    """Take one away for good."""
    with one_line_errors(), ingest(url, token) as api:
        api.delete("quarantine", quarantine_id)
    out.print("Discarded.")


def _replay_all(api: Api, credential: str | None) -> int:
    """How many are still refused."""
    stored = refused = 0
    for item in list(_newest(api, credential, None)):
        try:
            api.post("quarantine", item["id"], "replay")
            stored += 1
        except Refused as problem:
            refused += 1
            err.print(f"{item['id']}: {problem}", markup=False)
    out.print(f"{stored} stored, {refused} still refused.")
    return refused


def _newest(api: Api, credential: str | None, limit: int | None) -> Iterator[dict[str, Any]]:
    cursor, left = None, limit
    while left is None or left > 0:
        page = api.get("quarantine", credential=credential, cursor=cursor, limit=min(left or 1000, 1000))
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return
        left = None if left is None else left - len(page["items"])


def _mended(file: Path | None) -> bytes:
    if file is None:
        return b""
    try:
        return file.read_bytes()
    except OSError as problem:
        raise Refused(f"{file} cannot be read: {problem.strerror}") from None


def _told(answer: dict[str, Any]) -> None:
    if answer["recorded"]:
        out.print(f"Stored as {answer['statement_id']}.")
    else:
        out.print("Not stored: the learner does not allow recording any more. It has left the quarantine.")
