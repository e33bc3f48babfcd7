"""A database that dies or falls silent: nothing acknowledged is lost, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from devstack.infrastructure import Mongo, mongo_server
from devstack.ways import Way, ways_here
from events.cancellation import heed_cancellation
from ingest.statements import repository, standings

from tests.integration.ingest.lrs import Lrs, running, statement
from tests.support.tokens import Tokens


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokens: Tokens) -> Iterator[Mongo]:
    """A MongoDB of the test's own, to be killed."""
    server = mongo_server(ways_here().mongodb, tmp_path)
    server.start()
    try:
        server.wait()
        monkeypatch.setenv("TRELLIS_MONGODB_URL", server.url)
        for name, value in tokens.settings.items():
            monkeypatch.setenv(name, value)
        yield server
    finally:
        server.stop()


async def test_a_killed_mongod_loses_nothing_acknowledged(server: Mongo, tokens: Tokens) -> None:
    async with running(tokens) as lrs:
        acknowledged: set[str] = set()
        statuses: set[int] = set()
        tasks = [asyncio.create_task(_post(lrs, size, acknowledged, statuses)) for size in (1, 1, 1, 1, 10, 10)]
        await asyncio.sleep(1)
        server.kill()
        await asyncio.sleep(0.3)
        await asyncio.to_thread(server.restart)
        before = len(acknowledged)
        await _until(lambda: len(acknowledged) >= before + 20)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        kept = lrs.connections.db["statements"].find({"tenant": lrs.tenant}, {"_id": 1})
        assert acknowledged <= {d["_id"].partition("/")[2] async for d in kept}
        assert statuses <= {200, 503}


async def _post(lrs: Lrs, size: int, acknowledged: set[str], statuses: set[int]) -> None:
    while True:
        heed_cancellation()
        sent = [statement(f"learner {n}") for n in range(size)]
        answer = await lrs.post(sent if size > 1 else sent[0])
        statuses.add(answer.status_code)
        if answer.status_code == 200:
            acknowledged.update(one["id"] for one in sent)
        else:
            assert int(answer.headers["Retry-After"]) > 0
            await asyncio.sleep(0.1)


@pytest.mark.skipif(ways_here().mongodb is Way.DOCKER, reason="a container is stopped otherwise")
async def test_a_silent_mongod_is_answered_with_503(
    server: Mongo, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "WRITE_SECONDS", 1.0)
    monkeypatch.setattr(repository, "READ_SECONDS", 1.0)
    monkeypatch.setattr(standings, "READ_SECONDS", 1.0)
    async with running(tokens) as lrs:
        sent = statement()
        assert (await lrs.post(sent)).status_code == 200
        pid = server.child.pid if server.child else None
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            answers = await asyncio.wait_for(
                asyncio.gather(
                    lrs.post(statement()), lrs.post([statement(), statement()]), lrs.get(statementId=sent["id"])
                ),
                timeout=30,
            )
        finally:
            os.kill(pid, signal.SIGCONT)
        assert [_problem(answer) for answer in answers] == [503, 503, 503]
        statuses: set[int] = set()
        again = asyncio.create_task(_post(lrs, 1, set(), statuses))
        await _until(lambda: 200 in statuses)
        again.cancel()


async def _until(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it never came true")


def _problem(answer: httpx2.Response) -> int:
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    return answer.status_code
