"""`trellis credentials …`: the keys by which LMSs and apps reach the Learning Record Store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.console import err, one_line_errors, out
from cli.operator import Api, Token, Url, ingest
from cli.token import seconds

app = typer.Typer()
group = typer.Typer(
    name="credentials", help="Keys for LMSs and apps: make, list, rotate, revoke.", no_args_is_help=True
)
app.add_typer(group)

Key = Annotated[str, typer.Argument(help="As `list` shows it")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead")]
_SCOPES = "statements/write, statements/read, statements/read/mine, state, profile, define, all/read, all"


@group.command()
def create(
    name: Annotated[str, typer.Argument(help="What or who uses it")],
    scope: Annotated[list[str], typer.Option(help=f"May be given several times: {_SCOPES}")],
    profile: Annotated[
        str, typer.Option(help="The emitter whose ways are taken; strict: the standard alone")
    ] = "strict",
    expires: Annotated[str | None, typer.Option(help="After this it is refused: 12h, 90d")] = None,
    rate: Annotated[float | None, typer.Option(help="Requests a second; without it what the settings say")] = None,
    burst: Annotated[int | None, typer.Option(help="With --rate: how many at once")] = None,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = "",
) -> None:
    """Make a credential. Its secret is shown now and never again."""
    wanted = {
        "name": name,
        "scopes": scope,
        "profile": profile,
        "expires_at": None
        if expires is None
        else (datetime.now(UTC) + timedelta(seconds=seconds(expires))).isoformat(),
        "rate_per_second": rate,
        "burst": burst,
    }
    body = {name: value for name, value in wanted.items() if value is not None}
    with one_line_errors(), ingest(url, token) as api:
        made = api.post("credentials", body=json.dumps(body).encode())
    _tell_secret(made, as_json=as_json)


@group.command("list")
def list_credentials(as_json: AsJson = False, url: Url = None, token: Token = "") -> None:
    """Every credential of the tenant, the oldest first, without secrets."""
    with one_line_errors(), ingest(url, token) as api:
        items = list(_all(api))
    if as_json:
        typer.echo(json.dumps(items, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("key", "name", "scopes", "profile", "last used", "expires", "old secret until", "rate"):
        table.add_column(name)
    for item in items:
        rate = item["rate_per_second"]
        table.add_row(
            item["key"],
            item["name"],
            ", ".join(item["scopes"]),
            item["profile"],
            *(_time(item[field]) for field in ("last_used", "expires_at", "previous_until")),
            "" if rate is None else f"{rate:g}/s",
        )
    out.print(table, markup=False)


@group.command()
def rotate(
    key: Key,
    grace: Annotated[str, typer.Option(help="How long the secret until now stays good: 0s, 12h, 7d")] = "24h",
    as_json: AsJson = False,
    url: Url = None,
    token: Token = "",
) -> None:
    """Give a credential a new secret, shown now and never again; the key stays."""
    body = {"grace_seconds": seconds(grace)}
    with one_line_errors(), ingest(url, token) as api:
        made = api.post("credentials", key, "rotate", body=json.dumps(body).encode())
    _tell_secret(made, as_json=as_json)


@group.command()
def revoke(key: Key, url: Url = None, token: Token = "") -> None:
    """Take a credential away, and what was launched with it."""
    with one_line_errors(), ingest(url, token) as api:
        api.delete("credentials", key)
    out.print("Revoked.")


def _all(api: Api) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        page = api.get("credentials", limit=1000, cursor=cursor)
        yield from page["items"]
        if (cursor := page["next"]) is None:
            return


def _tell_secret(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(made, indent=2))
        return
    typer.echo(f"key     {made['key']}")
    typer.echo(f"secret  {made['secret']}")
    if made["previous_until"] is not None:
        err.print(f"The secret until now stays good until {_time(made['previous_until'])}.", markup=False)
    err.print("The secret is not shown again.", markup=False)


def _time(text: str | None) -> str:
    return "" if text is None else f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
