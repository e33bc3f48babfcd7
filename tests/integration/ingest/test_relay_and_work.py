"""What runs beside HTTP: statements onto Kafka, policies and erasures from it."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from events import topics
from events.envelope import Message, Outgoing, Record, decode
from events.kafka import create_topics, new_consumer
from events.payloads import (
    Basis,
    ConsentState,
    ConsentStatus,
    Decision,
    Policy,
    PurposePolicy,
    Receipt,
    Request,
    Unknown,
)
from events.publisher import Publisher
from events.sealing import ClearSealer
from events.topics import Topic
from ingest.worker import relay, work
from pydantic import BaseModel
from service_kit.runtime import Worker
from uuid_utils.compat import uuid7
from xapi import parse_statement

from tests.integration.ingest.lrs import Json, Lrs, agent, running, statement, voiding
from tests.support.tokens import Tokens

PERSONAL = ("Ada Lovelace", "ada", "grace", "lms.example.org", "essay-of-ada")


@pytest.fixture
async def lrs(
    environment: pytest.MonkeyPatch, tokens: Tokens, namespace: str, kafka_bootstrap: str
) -> AsyncIterator[Lrs]:
    """Each test has topics and a database of its own."""
    environment.setenv("TRELLIS_NAMESPACE", namespace)
    environment.setenv("TRELLIS_KAFKA_BOOTSTRAP", kafka_bootstrap)
    async with running(tokens) as one:
        await create_topics(one.connections.kafka, topics.ALL)
        yield one


@asynccontextmanager
async def at_work(worker: Worker) -> AsyncIterator[Worker]:
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0.05)


async def records(lrs: Lrs, topic: Topic, count: int, *, more_within: float = 1.0) -> list[Message]:
    """All messages of a topic: at least `count`, and whatever else comes soon after."""
    found: list[Message] = []
    consumer = new_consumer(lrs.connections.kafka, f"test.{uuid4()}")
    consumer.subscribe([lrs.connections.kafka.name(topic.name)])
    await consumer.start()
    try:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            got = await consumer.getmany(timeout_ms=int(more_within * 1000))
            for batch in got.values():
                for r in batch:
                    record = Record(topic, r.partition, r.offset, r.timestamp, r.key, r.value)
                    found.append(await decode(record, ClearSealer()))
            if len(found) >= count and not got:
                return found
    finally:
        await consumer.stop()
    raise AssertionError(f"{len(found)} of {count} messages came")


async def publish(lrs: Lrs, topic: Topic, subject: str | None, payload: BaseModel) -> None:
    async with Publisher(lrs.connections.kafka, ClearSealer()) as publisher:
        message = Outgoing(topic, str(uuid7()), lrs.tenant, subject, lrs.connections.clock(), payload)
        await publisher.publish([message])


async def outbox_is_empty(lrs: Lrs) -> bool:
    return await lrs.connections.db["statements"].count_documents({"outbox.token": {"$exists": True}}) == 0


class TestRelay:
    async def test_every_statement_under_its_learner(self, lrs: Lrs) -> None:
        ada, grace = await lrs.learner("ada"), await lrs.learner("grace")
        sent = [statement(name) for name in ("ada", "grace", "ada")]
        group = {"objectType": "Group", "member": [agent("ada"), agent("grace")]}
        together = statement() | {"actor": group}
        await lrs.post([*sent, together])
        async with at_work(relay(lrs.connections)):
            found = await records(lrs, topics.STATEMENTS, 5)
            await until(lambda: outbox_is_empty(lrs))
        assert Counter((m.subject, m.id) for m in found) == Counter(
            [
                (ada, sent[0]["id"]),
                (grace, sent[1]["id"]),
                (ada, sent[2]["id"]),
                (ada, together["id"]),
                (grace, together["id"]),
            ]
        )
        assert {m.tenant for m in found} == {lrs.tenant}

    async def test_says_nothing_of_who_it_is(self, lrs: Lrs) -> None:
        photo = {
            "usageType": "https://example.org/usage/photo",
            "display": {"en": "A photo"},
            "contentType": "image/png",
            "length": 3,
            "sha2": "a" * 64,
            "fileUrl": "https://example.org/photo",
        }
        sent = statement(
            result={"response": "essay-of-ada", "score": {"scaled": 0.5}, "success": True},
            context={"instructor": agent("grace"), "registration": str(uuid4())},
            attachments=[photo],
        ) | {"actor": {"name": "Ada Lovelace", **agent("ada")}}
        await lrs.post(sent)
        async with at_work(relay(lrs.connections)):
            (message,) = await records(lrs, topics.STATEMENTS, 1)
        body: Json = message.payload.root
        text = json.dumps(body)
        for secret in PERSONAL:
            assert secret not in text
        parse_statement(body)  # still a valid statement
        assert body["actor"]["account"]["name"] == "self"
        assert body["context"]["instructor"]["account"]["name"].startswith("other-")
        assert body["result"] == {"score": {"scaled": 0.5}, "success": True}
        assert message.occurred_at.isoformat() == body["stored"].replace("Z", "+00:00")

    async def test_voiding_goes_to_the_learner_of_its_target(self, lrs: Lrs) -> None:
        ada = await lrs.learner("ada")
        sent, late = statement("ada"), statement("ada")
        voids, voids_late = voiding(sent["id"]), voiding(late["id"])
        await lrs.post(sent)
        await lrs.post([voids, voids_late])
        async with at_work(relay(lrs.connections)):
            found = await records(lrs, topics.STATEMENTS, 2)
            assert {(m.subject, m.id) for m in found} == {(ada, sent["id"]), (ada, voids["id"])}
            await lrs.post(late)
            found = await records(lrs, topics.STATEMENTS, 4)
            assert {m.subject for m in found} == {ada}
            assert {m.id for m in found} == {sent["id"], voids["id"], late["id"], voids_late["id"]}

    async def test_the_forgotten_get_nothing(self, lrs: Lrs) -> None:
        """In a statement of others, None stands where a learner stood who was forgotten meanwhile."""
        sent = statement("ada")
        await lrs.post(sent)
        db = lrs.connections.db
        await db["statements"].update_many({}, {"$set": {"learners": [None]}})
        async with at_work(relay(lrs.connections)):
            await until(lambda: outbox_is_empty(lrs))
            assert await records(lrs, topics.STATEMENTS, 0) == []

    async def test_two_share_the_work(self, lrs: Lrs) -> None:
        async with at_work(relay(lrs.connections)), at_work(relay(lrs.connections)):
            await until(lambda: _both_hold_shards(lrs))
            sent = [statement(f"learner {n}") for n in range(120)]
            for start in range(0, 120, 20):
                await lrs.post(sent[start : start + 20])
            found = await records(lrs, topics.STATEMENTS, 120)
            await until(lambda: outbox_is_empty(lrs))
        assert Counter(m.id for m in found) == Counter(one["id"] for one in sent)

    async def test_the_trace_goes_on(self, lrs: Lrs) -> None:
        await lrs.post(statement())
        traceparent = f"00-{'a' * 32}-{'b' * 16}-01"
        await lrs.connections.db["statements"].update_many({}, {"$set": {"traceparent": traceparent}})
        async with at_work(relay(lrs.connections)):
            (message,) = await records(lrs, topics.STATEMENTS, 1)
        assert message.traceparent is not None
        assert message.traceparent.split("-")[1] == "a" * 32


async def _both_hold_shards(lrs: Lrs) -> bool:
    leases = await lrs.connections.db["leases"].find({"_id": {"$regex": "^outbox/statements/[0-9]+$"}}).to_list(None)
    return sorted(Counter(lease["owner"] for lease in leases).values()) == [6, 6]


class TestWork:
    async def test_view_and_receipts(self, lrs: Lrs) -> None:
        other = await lrs.other_tenant(policy=False)
        ada = await other.learner("ada")
        purposes = {"record": PurposePolicy(basis=Basis.public_task, unknown=Unknown.allowed)}
        objected = {"record": Decision(status=ConsentStatus.objected, since=lrs.connections.clock())}
        async with at_work(work(lrs.connections)):
            assert (await other.post(statement())).status_code == 503
            await publish(other, topics.POLICIES, None, Policy(version=1, purposes=purposes))
            await until(lambda: _is_recording(other))
            await publish(other, topics.CONSENTS, ada, ConsentState(version=3, purposes=objected))
            (message,) = await records(other, topics.RECEIPTS, 1)
            assert (await other.post(statement("ada"))).headers["Trellis-Not-Recorded"] == "1"
        receipt: Receipt = message.payload
        assert (message.subject, receipt.service, receipt.kind, receipt.version) == (ada, "ingest", "consent", 3)

    async def test_erasure(self, lrs: Lrs) -> None:
        ada, grace = await lrs.learner("ada"), await lrs.learner("grace")
        own = [statement("ada") for _ in range(3)]
        named = statement("grace", context={"instructor": {"name": "Ada Lovelace", **agent("ada")}})
        group = {"objectType": "Group", "name": "pair", "member": [agent("grace"), agent("ada")]}
        together = statement() | {"actor": group}
        apart = statement("grace")
        await lrs.post([*own, named, together, apart])
        async with at_work(work(lrs.connections)):
            await publish(lrs, topics.REQUESTS, ada, Request(request_id="r1", type="erasure"))
            (message,) = await records(lrs, topics.RECEIPTS, 1)
            assert message.payload.request_id == "r1"
            counts = {"statements": 3, "statements_rewritten": 2, "documents": 0, "launches": 0, "identities": 1}
            assert counts.items() <= message.payload.counts.items()

            assert set(await lrs.ids()) == {named["id"], together["id"], apart["id"]}
            assert await lrs.ids(agent=json.dumps(agent("ada")), related_agents="true") == []
            assert len(await lrs.ids(agent=json.dumps(agent("grace")))) == 3
            for document in await lrs.connections.db["statements"].find({}).to_list(None):
                assert b'"ada"' not in document["bytes"]
                assert b"Lovelace" not in document["bytes"]
                assert ada not in document["learners"]
                parse_statement(document["bytes"])
            assert grace == await lrs.learner("grace")

            # Whoever comes back is someone new, although this ingest still has the old identity in its cache.
            answer = await lrs.post(statement("ada"))
            assert "Trellis-Not-Recorded" not in answer.headers
            back = await lrs.learner("ada")
            assert back != ada
            assert len(await lrs.ids(agent=json.dumps(agent("ada")))) == 1

            await publish(lrs, topics.REQUESTS, ada, Request(request_id="r2", type="erasure"))
            again = (await records(lrs, topics.RECEIPTS, 2))[-1]
            assert set(again.payload.counts.values()) == {0}
            assert await lrs.stored() == 4

    async def test_what_was_rewritten_is_relayed_to_the_others(self, lrs: Lrs) -> None:
        ada, grace = await lrs.learner("ada"), await lrs.learner("grace")
        group = {"objectType": "Group", "member": [agent("ada"), agent("grace")]}
        sent = statement() | {"actor": group}
        await lrs.post(sent)
        async with at_work(work(lrs.connections)):
            await publish(lrs, topics.REQUESTS, ada, Request(request_id="r1", type="erasure"))
            await records(lrs, topics.RECEIPTS, 1)
        async with at_work(relay(lrs.connections)):
            (message,) = await records(lrs, topics.STATEMENTS, 1)
        assert (message.subject, message.id) == (grace, sent["id"])

    async def test_while_an_erasure_runs_nothing_is_recorded(self, lrs: Lrs) -> None:
        ada = await lrs.learner("ada")
        await lrs.post(statement("ada"))
        await lrs.decide(ada, None, version=2, erased=True)
        assert (await lrs.post(statement("ada"))).headers["Trellis-Not-Recorded"] == "1"


async def _is_recording(lrs: Lrs) -> bool:
    return (await lrs.post(statement("somebody"))).status_code == 200
