"""`trellis audit verify | export`: the audit's chain, checked by whoever need not trust the service that keeps it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import httpx2
import typer
from devstack.errors import StackError
from devstack.paths import data_dir
from devstack.private_files import write_private
from service_kit.audit import pseudonym
from service_kit.chain import Mark, Verdict
from service_kit.chain import verify as judge

from cli.console import err, one_line_errors, out
from cli.running import reason, running

app = typer.Typer()
group = typer.Typer(no_args_is_help=True)
app.add_typer(group, name="audit", help="The audit: who saw, changed, exported or erased what.")

Url = Annotated[str | None, typer.Option(help="Privacy, instead of the running stack's")]
Token = Annotated[str, typer.Option(envvar="TRELLIS_TOKEN", help="Data protection officer's token; goes with --url")]
_TIMEOUT_SECONDS: Final = 60
BROKEN: Final = 2


class AuditUnread(StackError):
    """The audit was not reached, or what was given is none."""


class NothingAudited(AuditUnread):
    """The service says that there is no audit."""


@group.command()
def export(
    to: Annotated[Path, typer.Option("--out", help="The file, JSON Lines")], url: Url = None, token: Token = ""
) -> None:
    """Write the whole chain for an auditor: public key, checkpoints, sealed entries, signed end."""
    with one_line_errors():
        with _whole(to) as file, _lines(url, token) as lines:
            count = sum(file.write(line + b"\n") > 0 for line in lines)
        out.print(f"{count:,} lines in {to}", markup=False)


@group.command()
def verify(
    file: Annotated[Path | None, typer.Option(help="An export, instead of the running service")] = None,
    witness: Annotated[
        Path | None,
        typer.Option(help="Where the end that was verified last is kept; by default beside the stack's data"),
    ] = None,
    key: Annotated[str | None, typer.Option(help="The public key that you trust (base64)")] = None,
    url: Url = None,
    token: Token = "",
) -> None:
    """Find any change, removal or other order in the chain. Status 2 where there is one.

    What holds is remembered in the witness file: cutting off the end back to an older one is found by it.
    """
    with one_line_errors():
        place = witness or data_dir() / "audit" / "witness.json"
        trusted, mark = _remembered(place)
        verdict = _judged(file, url, token, key or trusted, mark)
        _say(verdict)
        if not verdict.holds:
            raise typer.Exit(BROKEN)
        _remember(place, verdict)


@group.command()
def who(
    subject: Annotated[str, typer.Argument(help="The `sub` of somebody's token")],
    tenant: Annotated[str, typer.Option(help="Whose audit")] = "demo",
    key: Annotated[str, typer.Option(envvar="TRELLIS_AUDIT_PSEUDONYM_KEY", help="By default the stack's")] = "",
) -> None:
    """Print under which pseudonym somebody stands in the audit (`by`): for whoever looks into who looked at whom."""
    with one_line_errors():
        typer.echo(pseudonym((key or _key_of_the_stack()).encode(), tenant, subject))


def _key_of_the_stack() -> str:
    """Raises `AuditUnread`."""
    place = data_dir() / "issuer" / "pseudonym.key"
    try:
        return place.read_text().strip()
    except FileNotFoundError:
        raise AuditUnread(f"there is no key {place}: give TRELLIS_AUDIT_PSEUDONYM_KEY") from None


def _judged(file: Path | None, url: str | None, token: str, key: str | None, witness: Mark | None) -> Verdict:
    """Raises `AuditUnread`; that there is no audit any more is a finding, where there was one."""
    try:
        with _source(file, url, token) as lines:
            return judge(lines, public_key=key, witness=witness)
    except NothingAudited:
        if witness is None:
            raise
        return judge((), public_key=key, witness=witness)


def _say(verdict: Verdict) -> None:
    for finding in verdict.findings:
        err.print(f"trellis: {finding}", markup=False)
    word = "holds" if verdict.holds else "DOES NOT HOLD"
    pruned = f", {verdict.pruned:,} pruned" if verdict.pruned else ""
    end = f", ends at {verdict.head.mark.seq}" if verdict.head else ""
    counts = f"{verdict.entries:,} entries{pruned}, {verdict.checkpoints:,} checkpoints{end}"
    out.print(f"The audit of {verdict.tenant or 'nobody'} {word}: {counts}", markup=False)
    out.print(f"Signed with {verdict.public_key}", markup=False)


@contextmanager
def _source(file: Path | None, url: str | None, token: str) -> Iterator[Iterator[bytes]]:
    if file is None:
        with _lines(url, token) as lines:
            yield lines
        return
    try:
        with file.open("rb") as opened:
            yield iter(opened)
    except FileNotFoundError:
        raise AuditUnread(f"there is no file {file}") from None


@contextmanager
def _lines(url: str | None, token: str) -> Iterator[Iterator[bytes]]:
    """The export of the service, line by line. Raises `AuditUnread`."""
    if url is None:
        url, token = running("privacy")
    headers = {"Authorization": f"Bearer {token}"}
    try:
        with (
            httpx2.Client(base_url=url, headers=headers, timeout=_TIMEOUT_SECONDS) as http,
            http.stream("GET", "/audit/export") as answer,
        ):
            if not answer.is_success:
                answer.read()
                gone = answer.status_code == httpx2.codes.NOT_FOUND
                raise (NothingAudited if gone else AuditUnread)(reason("privacy", answer))
            yield (line.encode() for line in answer.iter_lines())
    except httpx2.HTTPError as error:
        raise AuditUnread(f"privacy does not answer: {type(error).__name__}") from None


@contextmanager
def _whole(to: Path) -> Iterator[tempfile._TemporaryFileWrapper[bytes]]:
    """A file that is there once it is whole; its owner alone may read it."""
    with tempfile.NamedTemporaryFile(dir=to.absolute().parent, prefix=f".{to.name}", delete=False) as file:
        try:
            yield file
        except BaseException:
            Path(file.name).unlink()
            raise
    os.replace(file.name, to)  # noqa: PTH105 — the same as Path.replace, on a name


def _remembered(place: Path) -> tuple[str | None, Mark | None]:
    """The key and the end that held the last time. Raises `AuditUnread`."""
    try:
        kept = json.loads(place.read_bytes())
        return str(kept["public_key"]), Mark(**kept["mark"])
    except FileNotFoundError:
        return None, None
    except (ValueError, KeyError, TypeError):
        raise AuditUnread(f"{place} is not what an earlier verification wrote") from None


def _remember(place: Path, verdict: Verdict) -> None:
    if verdict.head is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        kept = {"public_key": verdict.public_key, "mark": asdict(verdict.head.mark)}
        write_private(place, json.dumps(kept, indent=1).encode())
