"""What is on its way for longer than an erasure waits names nobody who is gone when it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from ingest.worker import participant
from service_kit.erasing import ErasingSettings
from service_kit.mongo import in_transaction

from tests.integration.ingest.lrs import Json, Lrs, agent, statement

FENCE = ErasingSettings().erasure_fence_seconds


@asynccontextmanager
async def held_up(lrs: Lrs, statement_id: str) -> AsyncIterator[None]:
    """MongoDB lets nobody store that statement meanwhile: an unfinished transaction has its place."""
    c = lrs.connections
    async with c.client.start_session() as session:
        await session.start_transaction()
        await c.db["statements"].insert_one({"_id": f"{lrs.tenant}/{statement_id}"}, session=session)
        yield
        await session.abort_transaction()


async def erased(lrs: Lrs, name: str) -> None:
    learner, c = await lrs.learner(name), lrs.connections
    await lrs.decide(learner, None, erased=True)
    await in_transaction(c.client, lambda s: participant(c).erase(lrs.tenant, learner, s))


async def posted(lrs: Lrs, body: Json | list[Json], held: Json, *, erase: str | None) -> httpx2.Response:
    """The answer to a request that took longer than the fence, while somebody was erased."""
    async with held_up(lrs, held["id"]):
        asked: Awaitable[httpx2.Response] = asyncio.create_task(lrs.post(body))
        await asyncio.sleep(0.3)
        if erase is not None:
            await erased(lrs, erase)
        await asyncio.sleep(FENCE / 2)
    return await asked


async def stored(lrs: Lrs) -> list[dict[str, Any]]:
    return await lrs.connections.db["statements"].find({"tenant": lrs.tenant}).to_list(None)


@pytest.mark.parametrize("named", [{}, {"context": {"instructor": agent("grace")}}])
async def test_a_statement_is_taken_back(lrs: Lrs, named: Json) -> None:
    await lrs.learner("ada")
    await lrs.learner("grace")
    one = statement("ada", **named)
    answer = await posted(lrs, one, one, erase="grace" if named else "ada")
    assert answer.status_code == 503
    assert await stored(lrs) == []
    assert (await lrs.post(one)).status_code == 200, "whoever comes back is someone new"


async def test_a_batch_is_taken_back(lrs: Lrs) -> None:
    await lrs.learner("ada")
    batch = [statement("ada"), statement("bob")]
    assert (await posted(lrs, batch, batch[1], erase="ada")).status_code == 503
    assert await stored(lrs) == []


async def test_where_nobody_is_gone_it_stays(lrs: Lrs) -> None:
    one = statement("ada")
    assert (await posted(lrs, one, one, erase=None)).status_code == 200
    assert len(await stored(lrs)) == 1
