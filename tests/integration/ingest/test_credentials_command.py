"""`trellis credentials` against a running ingest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest
from cli.main import app
from typer.testing import CliRunner, Result

from tests.integration.ingest.lrs import Lrs
from tests.support.serving import serve


@dataclass
class Command:
    lrs: Lrs
    url: str

    async def __call__(self, *arguments: str, status: int = 0) -> Result:
        token = self.lrs.tokens.make("operator", tenant=self.lrs.tenant)
        given = ["credentials", *arguments, "--url", self.url, "--token", token]
        result = await asyncio.to_thread(CliRunner().invoke, app, given, env={"COLUMNS": "300"})
        assert result.exit_code == status, result.output
        return result

    async def works(self, key: str, secret: str) -> bool:
        return (await self.lrs.get(auth=httpx2.BasicAuth(key, secret))).status_code == 200


@pytest.fixture
async def command(lrs: Lrs) -> AsyncIterator[Command]:
    """The app of the fixture answers over real HTTP, in its own lifespan."""

    async def without_lifespan(scope, receive, send):  # type: ignore[no-untyped-def]  # an ASGI app
        if scope["type"] == "http":
            await lrs.app(scope, receive, send)

    async with serve(without_lifespan) as url:
        yield Command(lrs, url)


async def test_a_life(command: Command) -> None:
    made = await command("create", "LMS [of the north]", "--scope", "statements/write", "--scope", "statements/read")
    (_, key), (_, secret) = (line.split() for line in made.stdout.splitlines())
    assert "not shown again" in made.stderr
    assert await command.works(key, secret)

    listed = (await command("list")).stdout
    assert "LMS [of the north]" in listed
    assert "statements/read, statements/write" in listed
    assert secret not in listed

    rotated = await command("rotate", key, "--grace", "1h", "--json")
    new = json.loads(rotated.stdout)
    assert await command.works(key, secret)
    assert await command.works(key, new["secret"])
    await command("rotate", key, "--grace", "0s")
    assert not await command.works(key, secret)
    assert not await command.works(key, new["secret"])

    await command("revoke", key)
    keys = {item["key"] for item in json.loads((await command("list", "--json")).stdout)}
    assert key not in keys
    assert "no such credential" in (await command("revoke", key, status=1)).stderr


async def test_options(command: Command) -> None:
    options = ["--scope", "all", "--expires", "90d", "--rate", "5", "--burst", "9", "--profile", "strict", "--json"]
    made = json.loads((await command("create", "x", *options)).stdout)
    assert (made["rate_per_second"], made["burst"], made["profile"]) == (5, 9, "strict")
    assert made["expires_at"] is not None
    assert "5/s" in (await command("list")).stdout
    wrong = await command("create", "x", "--scope", "everything", status=1)
    assert "/scopes/0" in wrong.stderr
    assert "Traceback" not in wrong.output
