"""Whose data a leaked key could have read."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from cli.main import app
from typer.testing import CliRunner

from tests.integration.ingest.lrs import Lrs, statement
from tests.integration.ingest.test_credentials_command import Command, command

__all__ = ["command"]  # a fixture


async def reach(lrs: Lrs, key: str, since: str) -> dict[str, object]:
    path = f"/credentials/{key}/reach"
    got = await lrs.http.get(path, params={"since": since}, headers=lrs.bearer("dpo"))
    assert got.status_code == 200, got.text
    found: dict[str, object] = got.json()
    return found


def ago(lrs: Lrs, hours: float) -> str:
    return (lrs.connections.clock() - timedelta(hours=hours)).isoformat()


@pytest.mark.parametrize(
    ("scopes", "could_read"),
    [
        (["all/read"], "everything"),
        (["statements/write", "statements/read"], "everything"),
        (["state"], "documents"),
        (["statements/write", "statements/read/mine"], "own"),
        (["statements/write"], "nothing"),
    ],
)
async def test_what_the_scopes_let_it_read(lrs: Lrs, scopes: list[str], could_read: str) -> None:
    key, auth = await lrs.credential(*scopes)
    await lrs.post([statement("ada"), statement("bob")])
    assert (await lrs.post(statement("eve"), auth=auth)).status_code in (200, 403)
    everyone = {await lrs.learner(name) for name in ("ada", "bob", "eve")}
    found = await reach(lrs, key, ago(lrs, 1))
    assert (found["used_since"], found["could_read"]) == (True, could_read)
    learners = set(found["learners"])  # type: ignore[call-overload]  # JSON
    if could_read in ("everything", "documents"):
        assert learners >= everyone
    else:
        assert learners == ({await lrs.learner("eve")} if could_read == "own" else set())


async def test_one_that_was_not_used_since_has_read_nothing(lrs: Lrs) -> None:
    key, auth = await lrs.credential("all")
    await lrs.post(statement("ada"), auth=auth)
    found = await reach(lrs, key, ago(lrs, -1))
    assert (found["used_since"], found["learners"]) == (False, [])


async def test_only_for_operators_and_officers_of_the_tenant(lrs: Lrs) -> None:
    key, _ = await lrs.credential("all")
    path, params = f"/credentials/{key}/reach", {"since": ago(lrs, 1)}
    assert (await lrs.http.get(path, params=params, headers=lrs.bearer("app"))).status_code == 403
    other = await lrs.other_tenant()
    assert (await lrs.http.get(path, params=params, headers=other.bearer("dpo"))).status_code == 404


async def test_the_command(command: Command) -> None:
    key, auth = await command.lrs.credential("all")
    await command.lrs.post(statement("ada"), auth=auth)
    token = command.lrs.tokens.make("operator", tenant=command.lrs.tenant)
    given = ["breach", "--credential", key, "--since", "1h", "--url", command.url, "--token", token]
    told = await asyncio.to_thread(CliRunner().invoke, app, given, env={"COLUMNS": "300"})
    assert told.exit_code == 0, told.output
    assert "every statement of the tenant" in told.stdout
    assert await command.lrs.learner("ada") in told.stdout
    whole = await asyncio.to_thread(CliRunner().invoke, app, [*given, "--json"], env={"COLUMNS": "300"})
    assert json.loads(whole.stdout)["could_read"] == "everything"
