"""`trellis retention list | preview | run | report | hold | holds | release`: how long what is kept, and what went."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any, Final

import jwt
import typer
from jwt.api_jws import PyJWS
from rich.table import Table

from cli.console import one_line_errors, out
from cli.operator import Api, Refused, privacy

app = typer.Typer()
group = typer.Typer(no_args_is_help=True)
app.add_typer(group, name="retention", help="Retention rules: preview them, run them, read what went and why.")

Url = Annotated[str | None, typer.Option(help="Privacy, instead of the running stack's")]
Token = Annotated[str, typer.Option(envvar="TRELLIS_TOKEN", help="Data protection officer's token; goes with --url")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead")]
AsOf = Annotated[str | None, typer.Option(help="The moment from which ages count, as a preview names it")]
Rule = Annotated[str, typer.Argument(help="The rule's id, as `trellis retention list` shows it")]
_LOOK_SECONDS: Final = 0.5
_TOLD: Final = {
    "notice": "hand on the notice",
    "pending": "is asked to void",
    "received": "has voided",
    "failed": "did not void: hand on the notice",
}


@group.command("list")
def rules(as_json: AsJson = False, url: Url = None, token: Token = "") -> None:
    """The rules, and when they run next."""
    with one_line_errors(), privacy(url, token) as api:
        found = _pages(api, "retention-rules")
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    table = Table("id", "name", "what happens", "after", "next run")
    for one in found:
        ages = [one[name] for name in ("stored_for", "inactive_for", "after_course_end") if one[name]]
        table.add_row(one["id"], one["name"], one["action"], " and ".join(ages), one["next_run_at"] or "when told to")
    out.print(table)


@group.command()
def preview(rule: Rule, as_of: AsOf = None, as_json: AsJson = False, url: Url = None, token: Token = "") -> None:
    """Count what a run would take, and touch nothing."""
    _begin(rule, "preview", as_of, as_json, url, token)


@group.command()
def run(rule: Rule, as_of: AsOf = None, as_json: AsJson = False, url: Url = None, token: Token = "") -> None:
    """Run a rule now, and wait for its report. To stop waiting stops nothing."""
    _begin(rule, "runs", as_of, as_json, url, token)


@group.command()
def report(
    run_id: Annotated[str | None, typer.Argument(help="A run; without one, the newest are listed")] = None,
    signed: Annotated[bool, typer.Option("--signed", help="Check the signature, and print what is signed")] = False,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = "",
) -> None:
    """What a run took and why, and what it left and why."""
    with one_line_errors(), privacy(url, token) as api:
        if run_id is not None and signed:
            typer.echo(json.dumps(checked(api, api.get("retention-runs", run_id, "report")["certificate"]), indent=2))
            return
        if run_id is not None:
            _say(api.get("retention-runs", run_id), as_json)
            return
        found = api.get("retention-runs", limit=20)["items"]
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    table = Table("id", "rule", "", "status", "begun", "records")
    for one in found:
        kind = "preview" if one["preview"] else one["rule"]["action"]
        table.add_row(
            one["id"], one["rule"]["name"], kind, one["status"], one["started_at"], f"{_sum(one['counts']):,}"
        )
    out.print(table)


@group.command()
def hold(
    name: Annotated[str, typer.Option(help="What you call it")],
    reason: Annotated[str, typer.Option(help="Why")],
    learner: Annotated[list[str] | None, typer.Option(help="A learner_id; may stand several times")] = None,
    everyone: Annotated[bool, typer.Option("--everyone", help="The whole tenant")] = False,
    url: Url = None,
    token: Token = "",
) -> None:
    """Set a legal hold: no rule and no erasure destroys what is under it."""
    body = {"name": name, "reason": reason, "learners": learner or [], "everyone": everyone}
    with one_line_errors(), privacy(url, token) as api:
        made = api.post("legal-holds", body=json.dumps(body).encode())
        while made["status"] == "pending":
            time.sleep(_LOOK_SECONDS)
            made = api.get("legal-holds", made["id"])
    out.print(f"{made['id']} is {made['status']}", markup=False)


@group.command()
def holds(as_json: AsJson = False, url: Url = None, token: Token = "") -> None:
    """The legal holds, released ones too."""
    with one_line_errors(), privacy(url, token) as api:
        found = _pages(api, "legal-holds")
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    table = Table("id", "name", "on", "status", "set at")
    for one in found:
        on = "everyone" if one["everyone"] else f"{one['count']:,} learners"
        table.add_row(one["id"], one["name"] or "", on, one["status"], one["set_at"])
    out.print(table)


@group.command()
def release(hold_id: str, url: Url = None, token: Token = "") -> None:
    """End a legal hold."""
    with one_line_errors(), privacy(url, token) as api:
        made = api.post("legal-holds", hold_id, "release")
    out.print(f"{made['id']} is {made['status']}", markup=False)


def _begin(rule: str, what: str, as_of: str | None, as_json: bool, url: str | None, token: str) -> None:
    body = json.dumps({"as_of": as_of}).encode()
    with one_line_errors(), privacy(url, token) as api:
        found = api.post("retention-rules", rule, what, body=body)
        while found["status"] == "running" and found["waits_for"] is None:
            time.sleep(_LOOK_SECONDS)
            found = api.get("retention-runs", found["id"])
    _say(found, as_json)


def _say(run: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(run, indent=2))
        return
    rule = run["rule"]
    what = "would take" if run["preview"] else "took"
    clauses = f" ({', '.join(run['clauses'])})" if run["clauses"] else ""
    out.print(f"{run['id']}: {rule['name']}, {rule['action']}: {rule['reason']}{clauses}", markup=False)
    waits = f", waits for a legal {run['waits_for']} on everyone" if run["waits_for"] else ""
    out.print(f"{run['status']}{waits}; it {what}, as of {run['as_of']}:", markup=False)
    table = Table("service", "records", "number")
    for service, counts in sorted(run["counts"].items()):
        for kind, number in sorted(counts.items()):
            table.add_row(service, kind, f"{number:,}")
    for service, kept in sorted(run["kept"].items()):
        for why, number in sorted(kept.items()):
            table.add_row(service, f"left: {why.replace('_', ' ')}", f"{number:,}")
    for one in run["recipients"]:
        table.add_row(f"outside: {one['name']}", _TOLD[one["outcome"]], f"{one['statements']:,}")
    out.print(table)


def checked(api: Api, jws: str) -> Any:
    """What it says, where the signature is good. Raises `Refused`."""
    try:
        keys = [jwt.PyJWK(one) for one in api.get("certificates", "keys")["keys"]]
        return json.loads(PyJWS().decode(jws, keys[0], algorithms=["EdDSA"]))
    except jwt.PyJWTError:
        raise Refused("the signature is not that of this service's key") from None


def _pages(api: Api, path: str) -> list[dict[str, Any]]:
    page = api.get(path)
    found: list[dict[str, Any]] = page["items"]
    while (cursor := page["next"]) is not None:
        page = api.get(path, cursor=cursor)
        found += page["items"]
    return found


def _sum(counts: dict[str, dict[str, int]]) -> int:
    return sum(sum(one.values()) for one in counts.values())
