"""A view of policies and consents that privacy has not confirmed for too long is used no more, but for recording."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial

import orjson
import pytest
import pytest_asyncio
from events import heartbeats
from events.envelope import Message, Record, decode
from events.payloads import Basis, Policy, PurposePolicy, Unknown
from events.sealing import ClearSealer
from service_kit.consent import ConsentView
from service_kit.freshness import Freshness, ViewSettings, ViewTooOld
from service_kit.mongo import Client, Database, connect, database, in_transaction
from service_kit.settings import MongoSettings

pytestmark = pytest.mark.asyncio(loop_scope="module")

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PARTITIONS = 3
TENANT = "t"


class Time:
    """A clock that a test moves; the look-again pause passes with it."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - START).total_seconds()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(mongodb_url: str) -> AsyncIterator[Client]:
    client = connect(MongoSettings(mongodb_url=mongodb_url))
    yield client
    await client.close()


@pytest.fixture
def db(client: Client, namespace: str) -> Database:
    return database(client, MongoSettings(namespace=namespace), "view")


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def freshness(db: Database, time: Time) -> Freshness:
    settings = ViewSettings(consent_view_max_age_seconds=900)
    return Freshness(db, clock=time, settings=settings, partitions=PARTITIONS, now=time.monotonic)


async def heartbeat(topic_index: int, partition: int, at: datetime) -> Message:
    topic = heartbeats.TOPICS[topic_index]
    record = Record(topic, partition, 0, 0, heartbeats.KEY, heartbeats.value(topic, at))
    return await decode(record, ClearSealer())


async def all_heard(client: Client, freshness: Freshness, at: datetime, *, but: tuple[int, int] | None = None) -> None:
    for topic in range(len(heartbeats.TOPICS)):
        for partition in range(PARTITIONS):
            if (topic, partition) != but:
                beat = await heartbeat(topic, partition, at)
                await in_transaction(client, partial(freshness.confirm, beat))


async def test_use_stops_after_the_maximum_age_and_goes_on_with_the_next_heartbeats(
    client: Client, db: Database, time: Time, freshness: Freshness
) -> None:
    view, recording = ConsentView(db, freshness=freshness), ConsentView(db, may_be_old=True)
    policy = Policy(version=1, purposes={"record": PurposePolicy(basis=Basis.contract, unknown=Unknown.allowed)})
    await in_transaction(client, lambda session: view.put_policy(TENANT, policy, session))
    await all_heard(client, freshness, START)
    time.at += timedelta(seconds=899)
    assert (await view.standing(TENANT, "l")).allows("record")
    time.at += timedelta(seconds=10)
    for reading in (view.standing(TENANT, "l"), view.policy(TENANT), view.everyone(TENANT)):
        with pytest.raises(ViewTooOld, match="909 s"):
            await reading
    assert (await recording.standing(TENANT, "l")).allows("record"), "recording goes on by the policy last known"
    await all_heard(client, freshness, time.at)
    time.at += timedelta(seconds=10)
    assert (await view.standing(TENANT, "l")).allows("record")
    assert freshness.age_seconds() == 10


async def test_one_silent_partition_is_enough(client: Client, time: Time, freshness: Freshness) -> None:
    time.at += timedelta(seconds=800)
    await all_heard(client, freshness, time.at, but=(1, 2))
    time.at += timedelta(seconds=200)
    with pytest.raises(ViewTooOld, match="1000 s"):
        await freshness.check()


async def test_a_late_heartbeat_makes_nothing_older(client: Client, time: Time, freshness: Freshness) -> None:
    await all_heard(client, freshness, START + timedelta(seconds=60))
    await all_heard(client, freshness, START)
    time.at += timedelta(seconds=60)
    await freshness.look()
    assert freshness.age_seconds() == 0


@pytest.mark.parametrize("topic", range(len(heartbeats.TOPICS)))
async def test_to_who_does_not_know_it_a_heartbeat_is_a_valid_message_about_nobody(topic: int) -> None:
    message = await heartbeat(topic, 1, START)
    assert heartbeats.is_heartbeat(message)
    assert (message.subject, message.occurred_at) == (None, START)
    assert orjson.loads(heartbeats.value(heartbeats.TOPICS[topic], START))["tenant"] == heartbeats.TENANT
