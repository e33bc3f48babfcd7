"""The worker on a real Kafka: profiles in, decisions and erasures carried out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from events import topics
from events.envelope import Outgoing
from events.kafka import create_topics
from events.payloads import CatalogCompetency, Request
from events.publisher import Publisher
from events.topics import Topic
from insights.worker import worker
from pydantic import BaseModel

from tests.integration.insights.house import ALLOWED, House, learner_state, profile, row, running
from tests.support.tokens import Tokens


@pytest.fixture
async def house(
    environment: pytest.MonkeyPatch, tokens: Tokens, kafka_bootstrap: str, module_namespace: str
) -> AsyncIterator[House]:
    environment.setenv("TRELLIS_KAFKA_BOOTSTRAP", kafka_bootstrap)
    async with running(tokens, environment) as one:
        await create_topics(one.connections.kafka, topics.ALL)
        task = asyncio.create_task(worker(one.connections).run())
        yield one
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def send(house: House, topic: Topic, subject: str | None, payload: BaseModel | None) -> None:
    async with Publisher(house.connections.kafka, house.connections.sealer) as publisher:
        await publisher.publish([Outgoing(topic, str(uuid4()), house.tenant, subject, datetime.now(UTC), payload)])


async def until(check: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if await check():
                return
            await asyncio.sleep(0.05)


async def stats(house: House) -> tuple[int, int, int]:
    found = (await house.get("/stats", "operator")).json()
    return found["roster"], found["states"], found["statements"]


async def test_the_newest_profile_counts_a_closed_one_leaves_nothing_and_a_tombstone_deletes(house: House) -> None:
    await house.roster([row("ada", "7b")])
    ada = await house.learner("ada")
    await send(house, topics.PROFILES, ada, profile(learner_state(1), 2, statements=5))
    await until(lambda: is_(stats(house), (1, 1, 5)))
    await send(house, topics.PROFILES, ada, profile(learner_state(1), 1, statements=4))
    await send(house, topics.PROFILES, ada, profile(learner_state(1, 1), 3, statements=6))
    await until(lambda: is_(stats(house), (1, 1, 6)))
    await send(house, topics.PROFILES, ada, profile(None, 4))
    await until(lambda: is_(stats(house), (1, 0, 0)))
    assert await house.connections.db["states"].find_one({"learner": ada}) == {
        "_id": f"{house.tenant}/{ada}",
        "tenant": house.tenant,
        "learner": ada,
        "version": 4,
    }
    await send(house, topics.PROFILES, ada, profile(learner_state(1), 5, statements=7))
    await until(lambda: is_(stats(house), (1, 1, 7)))
    await send(house, topics.PROFILES, ada, None)
    await until(lambda: is_(house.connections.db["states"].count_documents({"learner": ada}), 0))


async def test_an_erasure_deletes_gives_a_receipt_and_what_still_arrives_is_dropped(house: House) -> None:
    await house.roster([row("ada", "7b", display_name="Ada"), row("bob", "7b")])
    ada, bob = await house.learner("ada"), await house.learner("bob")
    await send(house, topics.PROFILES, ada, profile(learner_state(1), 1))
    await until(lambda: is_(stats(house), (2, 1, 3)))
    await send(house, topics.REQUESTS, ada, Request(request_id="r1", type="erasure"))
    await until(lambda: is_(stats(house), (1, 0, 0)))
    await send(house, topics.PROFILES, ada, profile(learner_state(1), 9))
    await send(house, topics.PROFILES, bob, profile(learner_state(1), 1))
    await until(lambda: is_(stats(house), (1, 1, 3)))
    for name in ("members", "states"):
        assert await house.connections.db[name].count_documents({"learner": ada}) == 0


async def test_without_a_policy_the_worker_waits_and_then_goes_on(house: House) -> None:
    late = House(house.app, house.http, house.connections, house.tokens, house.ingest_url, f"{house.tenant}-late")
    learner = str(uuid4())
    await send(late, topics.PROFILES, learner, profile(learner_state(1), 1))
    await asyncio.sleep(1)
    assert await stats(late) == (0, 0, 0)
    await send(late, topics.POLICIES, None, ALLOWED)
    await until(lambda: is_(stats(late), (0, 1, 3)))


async def is_(found: Awaitable[object], wanted: object) -> bool:
    return await found == wanted


async def test_frameworks_are_kept_and_let_go(house: House) -> None:
    halves = CatalogCompetency(id="halves", title="Halves", framework="maths", parents=["maths"])
    kept = house.connections.db["competencies"]
    await send(house, topics.COMPETENCIES, "halves", halves)
    await until(lambda: is_(kept.count_documents({"tenant": house.tenant, "parents": "maths"}), 1))
    await send(house, topics.COMPETENCIES, "halves", None)
    await until(lambda: is_(kept.count_documents({"tenant": house.tenant, "parents": "maths"}), 0))
