"""What the worker does with what arrives on Kafka."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from events import topics
from events.envelope import Record, decode
from events.kafka import create_topics, new_consumer
from events.payloads import LearnerProfile, ProfileStatus, Receipt, Request, TeacherEstimate
from recommendation.frameworks.outbox import CompetencySource
from recommendation.learners.repository import HeldProfile, LearnerRepository
from recommendation.service import SERVICE
from service_kit.runtime import Connections
from service_kit.settings import ServiceSettings

from tests.integration.recommendation.conftest import (
    ALLOWED,
    Caller,
    Sender,
    View,
    decisions,
    evidence,
    profile,
    until,
    working,
)
from tests.integration.recommendation.test_framework_routes import CASE, IMPORT, MATHS, item, package

pytestmark = pytest.mark.usefixtures("ready")


@pytest.fixture
async def ready(settings: ServiceSettings, held: Connections) -> None:
    """The topics of all services exist."""
    await create_topics(held.kafka, topics.ALL)
    await SERVICE.init(settings)


@pytest.fixture
def learner() -> str:
    return str(uuid4())


async def received(c: Connections, topic: topics.Topic) -> list[Any]:
    """Every payload on the topic so far, with its subject."""
    consumer = new_consumer(c.kafka, f"reader-{uuid4()}")
    await consumer.start()
    try:
        consumer.subscribe([c.kafka.name(topic.name)])
        found: list[Any] = []
        while batch := await consumer.getmany(timeout_ms=3000):
            for records in batch.values():
                for r in records:
                    record = Record(topic, r.partition, r.offset, r.timestamp, r.key, r.value)
                    message = await decode(record, c.sealer)
                    found.append((message.tenant, message.subject, message.payload))
        return found
    finally:
        await consumer.stop()


class Learners:
    def __init__(self, c: Connections, tenant: str) -> None:
        self._repository = LearnerRepository(c.db, c.sealer)
        self._tenant = tenant

    async def get(self, learner: str) -> HeldProfile | None:
        return await self._repository.get(self._tenant, learner)

    async def reflects(self, learner: str) -> str | None:
        found = await self.get(learner)
        return found.reflects if found else None


class TestProfiles:
    async def test_the_newest_version_holds_and_a_tombstone_removes(
        self, held: Connections, call: Caller, view: View, send: Sender, learner: str
    ) -> None:
        learners, other = Learners(held, call.tenant), str(uuid4())
        old, new = (profile(v, evidence(f"urn:a:{v}", "maths/adding", 1.0)) for v in (1, 2))
        async with working(held):
            await send(topics.PROFILES, learner, new)
            await until(lambda: _is(learners, learner, new.reflects))
            await send(topics.PROFILES, learner, old)
            await send(topics.PROFILES, other, old)
            await until(lambda: _is(learners, other, old.reflects))
            assert await learners.reflects(learner) == new.reflects
            state = await learners.get(learner)
            assert state is not None
            assert state.state == new.state
            assert (await call("GET", "/stats", "operator")).json()["learners"] == 2
            await send(topics.PROFILES, learner, None)
            await until(lambda: _gone(learners, learner))

    async def test_a_closed_profile_leaves_no_state(
        self, held: Connections, call: Caller, view: View, send: Sender, learner: str
    ) -> None:
        learners = Learners(held, call.tenant)
        async with working(held):
            await send(topics.PROFILES, learner, profile(1, evidence("urn:a:1", "maths/adding", 1.0)))
            await until(lambda: _is(learners, learner, "urn:a:1/0"))
            await send(topics.PROFILES, learner, LearnerProfile(version=2, status=ProfileStatus.closed))
            await until(lambda: _is(learners, learner, None))
        stored = await held.db["learners"].find_one({"_id": f"{call.tenant}/{learner}"})
        assert stored is not None
        assert stored["state"] is None

    async def test_without_a_policy_it_waits_and_drops_nothing(
        self, held: Connections, call: Caller, send: Sender, learner: str
    ) -> None:
        learners = Learners(held, call.tenant)
        async with working(held):
            await send(topics.PROFILES, learner, profile(1, evidence("urn:a:1", "maths/adding", 1.0)))
            await send(topics.POLICIES, None, ALLOWED)
            await until(lambda: _is(learners, learner, "urn:a:1/0"))


class TestPrivacy:
    async def test_an_objection_is_carried_out_and_acknowledged(
        self, held: Connections, call: Caller, view: View, send: Sender, learner: str
    ) -> None:
        learners = Learners(held, call.tenant)
        async with working(held):
            await send(topics.PROFILES, learner, profile(1, evidence("urn:a:1", "maths/adding", 1.0)))
            await until(lambda: _is(learners, learner, "urn:a:1/0"))
            await send(topics.CONSENTS, learner, decisions(5, profile="objected"))
            await until(lambda: _is(learners, learner, None))
            assert (await call("GET", f"/learners/{learner}/recommendations", "app")).status_code == 403
            await until(lambda: _none_left(held, "erasures"))
            await until(lambda: _none_left(held, "receipts"))
        (receipt,) = [r for t, s, r in await received(held, topics.RECEIPTS) if (t, s) == (call.tenant, learner)]
        assert isinstance(receipt, Receipt)
        assert (receipt.service, receipt.kind, receipt.version) == ("recommendation", "consent", 5)

    async def test_an_erasure_deletes_counts_and_drops_what_still_arrives(
        self, held: Connections, call: Caller, view: View, send: Sender, learner: str
    ) -> None:
        learners, other = Learners(held, call.tenant), str(uuid4())
        late = profile(9, evidence("urn:a:9", "maths/adding", 1.0))
        async with working(held):
            await send(topics.PROFILES, learner, profile(1, evidence("urn:a:1", "maths/adding", 1.0)))
            await until(lambda: _is(learners, learner, "urn:a:1/0"))
            await send(topics.REQUESTS, learner, Request(request_id="r1", type="erasure"))
            await until(lambda: _gone(learners, learner))
            await send(topics.PROFILES, learner, late)
            await send(topics.PROFILES, other, late)
            await until(lambda: _is(learners, other, late.reflects))
            await until(lambda: _none_left(held, "erasures"))
            await until(lambda: _none_left(held, "receipts"))
        found = [r for t, s, r in await received(held, topics.RECEIPTS) if (t, s) == (call.tenant, learner)]
        assert [(r.kind, r.request_id, r.counts) for r in found] == [("erasure", "r1", {"learners": 1})]
        assert (await call("GET", f"/learners/{learner}/recommendations", "app")).status_code == 403


class TestCatalog:
    async def test_changes_are_published_once(self, held: Connections, call: Caller, view: View) -> None:
        one = {"id": "https://x.example/1", "title": "One", "competencies": ["maths/adding"]}
        async with working(held):
            await call.load(one, {"id": "https://x.example/2", "title": "Two"})
            await until(lambda: _nothing_flagged(held))
            await call.load(one | {"title": "Another"}, {"id": "https://x.example/2", "title": "Two"})
            await until(lambda: _nothing_flagged(held))
        found = [(s, a.title) for t, s, a in await received(held, topics.ACTIVITIES) if t == call.tenant]
        assert sorted(found) == [
            ("https://x.example/1", "Another"),
            ("https://x.example/1", "One"),
            ("https://x.example/2", "Two"),
        ]


async def _is(learners: Learners, learner: str, reflects: str | None) -> bool:
    found = await learners.get(learner)
    return found is not None and found.reflects == reflects


async def _gone(learners: Learners, learner: str) -> bool:
    return await learners.get(learner) is None


async def _none_left(c: Connections, collection: str) -> bool:
    return await c.db[collection].count_documents({}) == 0


async def _nothing_flagged(c: Connections) -> bool:
    return await c.db["activities"].count_documents({"outbox": {"$exists": True}}) == 0


async def test_what_a_framework_no_longer_has_is_removed_and_kafka_is_told(held: Connections, call: Caller) -> None:
    await call("POST", IMPORT, "app", content=MATHS)
    shrunk = (await call("POST", IMPORT, "app", content=package(item("fractions"), item("halves")))).json()
    assert (shrunk["changed"], shrunk["removed"]) == (2, 1)
    assert len((await call("GET", "/catalog/competencies", "app")).json()["items"]) == 3
    documents = await held.db["competencies"].find({"tenant": call.tenant}).to_list(None)
    messages = {one.subject: one for one in await CompetencySource().messages(documents)}
    assert messages[CASE + "thirds"].payload is None
    assert messages[CASE + "halves"].payload is not None
    assert {one.topic for one in messages.values()} == {topics.COMPETENCIES}
    async with working(held):

        async def told() -> bool:
            flagged = {"tenant": call.tenant, "outbox": {"$exists": True}}
            return await held.db["competencies"].count_documents(flagged) == 0

        await until(told)
    again = (await call("POST", IMPORT, "app", content=package(item("fractions"), item("halves")))).json()
    assert (again["changed"], again["removed"]) == (0, 0)


async def test_a_teachers_word_and_the_framework_steer_what_is_offered(
    held: Connections, call: Caller, view: View, send: Sender, learner: str
) -> None:
    await call("POST", IMPORT, "app", content=MATHS)
    await call.load(
        {"id": "urn:x:halves", "competencies": [CASE + "halves"], "tags": ["maths"]},
        {"id": "urn:x:thirds", "competencies": [CASE + "thirds"], "tags": ["maths"]},
    )

    async def offered() -> list[str]:
        answer = (await call("GET", f"/learners/{learner}/recommendations", "app")).json()
        return [one["activity"]["id"] for one in answer["items"]]

    assert await offered() == ["urn:x:halves"]  # what comes before thirds is not known
    said = {CASE + "halves": TeacherEstimate(probability=0.95, at=datetime.now(UTC), evidence_count=1)}
    told = profile(1, evidence("urn:x:other", CASE + "halves", 0.0)).model_copy(update={"estimates": said})
    async with working(held):
        await send(topics.PROFILES, learner, told)

        async def follows() -> bool:
            return await offered() == ["urn:x:thirds"]

        await until(follows)
    document = await held.db["learners"].find_one({"_id": f"{call.tenant}/{learner}"})
    assert document is not None
    assert "estimates" not in document
    assert set(document["said"]) == {"data", "key"}
