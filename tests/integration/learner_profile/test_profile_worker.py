"""The whole worker: from Kafka through MongoDB to Kafka, with crashes between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer
from events import topics
from events.envelope import Message, Outgoing, Record, decode
from events.payloads import CatalogActivity, ConsentState, ConsentStatus, Decision, Statement
from events.payloads import Request as PrivacyRequest
from learner_model.versions import Effective
from learner_profile.learners.publishing import ProfileSource
from learner_profile.learners.repository import LearnerRepository
from learner_profile.parameters.repository import ParametersRepository
from learner_profile.records.repository import ClaimRepository
from learner_profile.worker import work
from service_kit.mongo import in_transaction
from service_kit.outbox import OutboxRelay
from service_kit.runtime import Connections
from service_kit.settings import ServiceSettings

from tests.integration.learner_profile.conftest import (
    START,
    House,
    eventually,
    policy,
    publish,
    statement,
    voiding,
    working,
)


class Profiles:
    """What stands on learner.profiles.v1 of one tenant, read from the beginning."""

    def __init__(self, c: Connections, tenant: str, consumer: Any) -> None:
        self._c = c
        self._tenant = tenant
        self._consumer = consumer
        self.seen: dict[str, list[Message]] = {}

    async def read(self) -> None:
        for records in (await self._consumer.getmany(timeout_ms=50)).values():
            for r in records:
                record = Record(topics.PROFILES, r.partition, r.offset, r.timestamp, r.key, r.value)
                message = await decode(record, self._c.sealer)
                if message.tenant == self._tenant and message.subject:
                    self.seen.setdefault(message.subject, []).append(message)

    async def last(self, learner: str) -> Any:
        """The last message about the learner; None: none yet."""
        await self.read()
        return self.seen.get(learner, [None])[-1]


@asynccontextmanager
async def profiles(c: Connections, tenant: str) -> AsyncIterator[Profiles]:
    consumer = AIOKafkaConsumer(
        c.kafka.name(topics.PROFILES.name), bootstrap_servers=c.kafka.bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        yield Profiles(c, tenant, consumer)
    finally:
        await consumer.stop()


def outgoing(house: House, topic: Any, subject: str | None, payload: Any) -> Outgoing:
    return Outgoing(topic, str(uuid4()), house.tenant, subject, START, payload)


def sent(house: House, learner: str, *found: dict[str, Any]) -> list[Outgoing]:
    return [outgoing(house, topics.STATEMENTS, learner, Statement(one)) for one in found]


async def test_from_statement_to_profile_and_every_change_after_it(c: Connections, house: House) -> None:
    learner = str(uuid4())
    history = [statement(number) for number in range(5)]
    await publish(c, outgoing(house, topics.POLICIES, None, policy()))
    async with profiles(c, house.tenant) as out, working(work(c)):

        async def reflecting(statement_id: str) -> Any:
            async def check() -> Any:
                message = await out.last(learner)
                return message if message and message.payload and message.payload.reflects == statement_id else None

            return await eventually(check)

        await publish(c, *sent(house, learner, *history[1:4]))
        message = await reflecting(history[3]["id"])
        assert message.payload.statements == 3
        kept = (await house.views.learners.load(house.tenant, [learner]))[learner]
        assert message.payload.state == kept.state

        await publish(c, *sent(house, learner, history[0], history[4], history[2]))  # late, new, again
        message = await reflecting(history[4]["id"])
        assert message.payload.statements == 5

        await publish(c, *sent(house, learner, voiding(history[4]["id"])))
        assert (await reflecting(history[3]["id"])).payload.statements == 4

        activity = CatalogActivity(id="https://lms.example/activity/1", title="One", competencies=["c/1"])
        await publish(c, outgoing(house, topics.ACTIVITIES, activity.id, activity))

        async def remapped() -> Any:
            last = await out.last(learner)
            return "c/1" in last.payload.state.competencies

        await eventually(remapped)

        decision = Decision(status=ConsentStatus.objected, since=START)
        await publish(
            c, outgoing(house, topics.CONSENTS, learner, ConsentState(version=1, purposes={"profile": decision}))
        )

        async def stopped() -> Any:
            last = await out.last(learner)
            return last.payload is not None and last.payload.status == "closed"

        await eventually(stopped)
        await publish(
            c,
            outgoing(house, topics.CONSENTS, learner, ConsentState(version=2, erased=True)),
            outgoing(house, topics.REQUESTS, learner, PrivacyRequest(request_id="r", type="erasure")),
        )

        async def forgotten() -> Any:
            last = await out.last(learner)
            return last.payload is None

        await eventually(forgotten)
        versions = [m.payload.version for m in out.seen[learner] if m.payload is not None]
        assert versions == sorted(versions)
        assert len(set(versions)) == len(versions)

        async def no_receipt_left() -> bool:
            return await c.db["receipts"].count_documents({}) == 0

        await eventually(no_receipt_left)


async def test_a_crash_after_the_commit_publishes_at_the_next_start(c: Connections, house: House) -> None:
    await house.policy()
    learner = str(uuid4())
    await house.statements(learner, statement(1))  # committed; nothing was published: the process died here
    async with profiles(c, house.tenant) as out, working(work(c)):
        message = await eventually(lambda: out.last(learner))
        assert message.payload.statements == 1


async def test_a_crash_after_the_broker_answered_publishes_the_same_again(c: Connections, house: House) -> None:
    await house.policy()
    learner = str(uuid4())
    await house.statements(learner, statement(1))
    document = await house.document(learner)
    assert document is not None
    source = ProfileSource(house.views.learners)
    await publish(c, *await source.messages([document]))  # the flag was not cleared: the process died here
    async with profiles(c, house.tenant) as out, working(work(c)):

        async def twice() -> Any:
            await out.read()
            return len(out.seen.get(learner, [])) >= 2

        await eventually(twice)
        first, second = out.seen[learner][:2]
        assert first.payload == second.payload
        assert first.id == second.id


async def test_what_was_just_saved_is_published_as_its_document_says(c: Connections, house: House) -> None:
    await house.policy()
    await house.statements("l", statement(1), statement(2))
    documents = await c.db["learners"].find({"tenant": house.tenant}).to_list(None)
    from_document = await LearnerRepository(c.db, c.sealer, c.clock).flagged(documents)
    from_memory = await house.views.learners.flagged(documents)
    once_more = await house.views.learners.flagged(documents)
    assert from_memory == from_document == once_more
    assert from_memory[0].statements == 2


async def test_a_restart_counts_nothing_twice_and_loses_nothing(c: Connections, house: House) -> None:
    learner = str(uuid4())
    history = [statement(number) for number in range(60)]
    await publish(c, outgoing(house, topics.POLICIES, None, policy()))
    for start in range(0, 60, 20):
        await publish(c, *sent(house, learner, *history[start : start + 20]))

        async def arrived(enough: int = start + 10) -> bool:
            return await house.rows(learner) >= enough

        async with working(work(c)):
            await eventually(arrived)

    async def all_there() -> bool:
        return await house.rows(learner) == 60

    async with working(work(c)):
        await eventually(all_there)
    await house.settle()
    await house.statements("at-once", *history)
    assert (await house.state(learner))[2] == 60
    assert await house.state(learner) == await house.state("at-once")


async def test_what_comes_late_is_rebuilt_by_the_worker_itself(c: Connections, house: House) -> None:
    learner = str(uuid4())
    await house.policy()
    await house.statements(learner, *[statement(number) for number in range(1, 40)])
    async with working(work(c)):
        await publish(c, *sent(house, learner, statement(0)))

        async def marked_or_done() -> bool:
            return await house.rows(learner) == 40

        await eventually(marked_or_done)

        async def rebuilt() -> bool:
            document = await house.document(learner)
            return document is not None and document["statements"] == 40

        await eventually(rebuilt)


async def test_no_query_of_the_worker_or_the_service_scans_a_collection(
    c: Connections, house: House, settings: ServiceSettings
) -> None:
    learner = str(uuid4())
    await c.db.command({"profile": 2})
    try:
        await house.policy()
        first = statement(1)
        await house.statements(learner, first, statement(2))
        await house.statements(learner, statement(0), voiding(first["id"]))
        await house.activities(CatalogActivity(id="https://lms.example/activity/2", title="Two", competencies=["c"]))
        await house.settle()
        await c.db["activities"].update_many(
            {"_id": f"{house.tenant}/https://lms.example/activity/2"}, {"$set": {"remap.due": START}}
        )
        await house.settle()
        await house.decide(learner, 1, "objected")
        await house.decide(learner, 2, "granted")
        await house.settle()
        await house.views.evidence.timeline(house.tenant, [learner], None, 5)
        await house.views.evidence.timeline(house.tenant, [learner], (10**18, "f"), 5)
        await house.statements("another", statement(3))
        await house.merge("another", learner)
        await house.views.evidence.timeline(house.tenant, [learner, "another"], (10**18, "f"), 5)
        await house.merge("another", None, version=2)
        claims = ClaimRepository(c.db, c.sealer, c.clock)
        await in_transaction(c.client, lambda session: claims.put(house.tenant, learner, "urn:x", {}, session))
        assert await claims.of_learners(house.tenant, [learner, "another"]) == [{}]
        await house.policy(policy().model_copy(update={"version": 2, "unknown_actors": "nobody"}))
        await house.settle()
        await house.policy(policy().model_copy(update={"version": 3}))
        await house.settle()
        await house.views.evidence.count(house.tenant, voided=False)
        await house.views.learners.count(house.tenant, (await _loaded(house, learner)).status)
        await house.views.learners.count_dirty(house.tenant)
        relay = OutboxRelay(c.db, ProfileSource(house.views.learners), _Nowhere())  # type: ignore[arg-type]
        await relay.turn()
        assert house.tenant in await house.views.learners.tenants()
        assert [learner] in [page async for page in house.views.learners.open_ones(house.tenant, 1)]
        await house.views.evidence.oldest_stored(house.tenant)
        parameters = ParametersRepository(c.db)
        await parameters.load(house.tenant, "0")
        held = Effective(START, "0")
        await in_transaction(c.client, lambda session: parameters.retire(house.tenant, [held], session))
        await parameters.sweep(house.tenant)
        await house.erase(learner)
        await house.views.learners.sweep_erased()
    finally:
        await c.db.command({"profile": 0})
    seen = await c.db["system.profile"].find({"planSummary": {"$exists": True}}).to_list(None)
    scanned = [one for one in seen if "COLLSCAN" in one["planSummary"]]
    scans = [one for one in scanned if not one["ns"].endswith(".confirmations")]  # a document for each partition
    assert len(seen) > 30
    assert scans == []


async def _loaded(house: House, learner: str) -> Any:
    return (await house.views.learners.load(house.tenant, [learner]))[learner]


class _Nowhere:
    """Takes messages and sends none."""

    async def publish(self, messages: Any) -> None:
        assert messages
