"""What the stack tells the outside: one trace from the POST to the profile, and nothing about anybody."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from devstack.latency import XAPI_HEADERS, account, answered
from devstack.stack import Stack
from devstack.ways import ways_here
from events import topics

from tests.support import cleanup
from tests.support.canaries import Canaries
from tests.support.collecting import Collector, collecting
from tests.support.driving import House, eventually

XAPI = "X-Experience-API-Version"


@dataclass
class Told:
    """A stack of this module's own, and whoever collects what it tells."""

    stack: Stack
    house: House
    collector: Collector


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    ways = ways_here()
    shared = f"t{secrets.token_hex(4)}-" if ways.mongodb_url or ways.kafka_bootstrap else ""
    with collecting() as (collector, url):
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        }
        folder = tmp_path_factory.mktemp("told")
        with Stack(folder, ways=ways, namespace=shared, environment=environment) as stack, House.of(stack) as house:
            yield Told(stack, house, collector)
    if shared and ways.mongodb_url:
        cleanup.drop_databases(ways.mongodb_url, shared)
    if shared and ways.kafka_bootstrap:
        cleanup.delete_topics(ways.kafka_bootstrap, shared)


def test_one_trace_from_the_post_to_the_profile(told: Told) -> None:
    house, collector = told.house, told.collector
    trace_id, actor = uuid4().hex, account("canary-of-a-name")
    statement = answered(actor, "https://trellis.invalid/a", scaled=1.0, seconds=3)
    ingest = house.description["ingest"]
    house.http.post(
        f"{house.xapi}/statements",
        json=statement,
        headers={XAPI: "1.0.3", "traceparent": f"00-{trace_id}-{'1' * 16}-01"},
        auth=(ingest["key"], ingest["secret"]),
    ).raise_for_status()
    eventually(
        lambda: (
            {service for service, _ in collector.traces.get(trace_id, set())}
            >= {"ingest", "learner_profile", "recommendation"}
        ),
        seconds=60,
        what=f"the trace; seen: {collector.spans()}",
    )
    names = {name for service, name in collector.traces[trace_id] if service == "ingest"}
    assert any(name.startswith("POST") for name in names)
    assert not any(b"canary-of-a-name" in body for body in collector.bodies)
    assert not any("health" in name for _, name in collector.spans())


# What a reason has to name, so that its reader finds the place: the field of the sender's own document.
NAMED_IN_REASONS = frozenset({"broken.property", "broken.extension.key"})


class TestCanaries:
    """A value of its own in every field; then everything is searched that the stack has written."""

    def test_nothing_that_the_stack_writes_names_anybody(self, told: Told) -> None:
        canaries, errors = Canaries(), []
        actor = canaries.account("actor")
        activity = told.house.activities(1)[0]
        self._good(told, canaries, actor, activity)
        errors += self._refused(told, canaries, actor, activity)
        errors += self._elsewhere(told, canaries, actor)
        reasons = asyncio.run(self._poison(told, canaries))
        learner = told.house.learner_id(actor)
        eventually(lambda: told.house.get("learner_profile", f"/learners/{learner}").is_success, what="the profile")
        before = told.collector.metrics
        eventually(lambda: told.collector.metrics > before + 5, what="metrics")

        named = {place for body in errors for place in canaries.found_in(body)}
        assert named <= NAMED_IN_REASONS
        assert [place for reason in reasons for place in canaries.found_in(reason)] == []
        logs = {path.name: path.read_bytes() for path in told.stack.logs.glob("*.log")}
        assert len(logs) >= 11
        found = {name: places for name, data in logs.items() if (places := canaries.found_in(data))}
        assert found == {}
        assert told.collector.metrics > 0
        assert [place for body in told.collector.bodies for place in canaries.found_in(body)] == []
        topics = asyncio.run(written_to_kafka(told))
        assert len(topics) > 5
        on_kafka = {place for data in topics.values() for place in canaries.found_in(data)}
        assert on_kafka <= {"poison"}  # put there above
        in_dead_letters = [data for name, data in topics.items() if name.endswith(".dlq")]
        assert {place for data in in_dead_letters for place in canaries.found_in(data)} <= {"poison"}

    def _good(self, told: Told, canaries: Canaries, actor: dict[str, Any], activity: str) -> None:
        house = told.house
        key = house.description["ingest"]
        auth = (str(key["key"]), str(key["secret"]))
        one = canaries.statement(actor, "one", activity)
        house.post_statements([one, canaries.about_a_person(actor, "person")]).raise_for_status()
        for number, agent in enumerate(canaries.agents("actors")):
            house.post_statements([canaries.statement(agent, f"of-{number}", activity)]).raise_for_status()
        body, content_type = canaries.with_attachment(actor, "attached", activity)
        headers = {XAPI: "1.0.3", "Content-Type": content_type}
        house.http.post(f"{house.xapi}/statements", content=body, headers=headers, auth=auth).raise_for_status()
        named = json.dumps(actor)
        places: list[tuple[str, str, dict[str, str]]] = [
            ("activities/state", "stateId", {"activityId": activity, "registration": canaries.uuid("registration")}),
            ("agents/profile", "profileId", {}),
        ]
        for path, name, more in places:
            query: dict[str, str] = {"agent": named, name: canaries(f"{path}.name"), **more}
            document = {"note": canaries(f"{path}.document")}
            address = f"{house.xapi}/{path}"
            headers = {XAPI: "1.0.3", "If-None-Match": "*"}
            house.http.put(address, params=query, json=document, headers=headers, auth=auth).raise_for_status()
            house.http.get(address, params=query, headers=XAPI_HEADERS, auth=auth).raise_for_status()
        of_actor = {"agent": named, "limit": "1"}
        found = house.http.get(f"{house.xapi}/statements", params=of_actor, headers=XAPI_HEADERS, auth=auth)
        assert canaries.found_in(found.content)  # the LRS itself gives everything back

    def _refused(self, told: Told, canaries: Canaries, actor: dict[str, Any], activity: str) -> list[bytes]:
        """The answers to statements and queries that are wrong."""
        house, address = told.house, f"{told.house.xapi}/statements"
        key = house.description["ingest"]
        auth = (str(key["key"]), str(key["secret"]))
        answers = [house.post_statements([one]) for one in canaries.broken(actor, activity)]
        bodies = [f'{{"actor": "{canaries("broken.json")}', f'{{"{canaries("twice")}": 1, "a": 1, "a": 2}}', ""]
        for body in bodies:
            headers = {XAPI: "1.0.3", "Content-Type": "application/json"}
            answers.append(house.http.post(address, content=body, headers=headers, auth=auth))
        queries = [
            {"agent": canaries("query.agent")},
            {"agent": json.dumps({"mbox": canaries("query.mbox")})},
            {"registration": canaries("query.registration")},
            {"since": canaries("query.since")},
            {"statementId": canaries("query.statement")},
            {"more": canaries("query.more")},
        ]
        answers += [house.http.get(address, params=query, headers=XAPI_HEADERS, auth=auth) for query in queries]
        assert [one.status_code for one in answers if one.is_success] == []
        return [one.content for one in answers]

    def _elsewhere(self, told: Told, canaries: Canaries, actor: dict[str, Any]) -> list[bytes]:
        """The answers to wrong requests of other kinds, and to wrong credentials."""
        house = told.house
        wrong: list[httpx2.Response] = [
            house.http.get(
                f"{house.xapi}/statements", headers=XAPI_HEADERS, auth=(canaries("key"), canaries("secret"))
            ),
            house.http.get(house.url("privacy", f"/consents/{canaries('path')}"), headers=house.token),
            house.http.get(house.url("privacy", "/policy"), headers={"Authorization": f"Bearer {canaries('bearer')}"}),
            house.http.post(
                house.url("privacy", "/requests"),
                json={"type": canaries("request.type"), "learner_id": canaries("request.learner")},
                headers=house.token,
            ),
            house.http.post(
                house.url("insights", "/rosters/import"),
                content=f"account_home_page,account_name,role\nhttps://school.example,{canaries('roster.name')},king\n",
                headers={**house.token, "Content-Type": "text/csv"},
            ),
            house.http.get(
                house.url("ingest", "/identities"),
                params={"agent": json.dumps(canaries.account("stranger"))},
                headers=house.token,
            ),
            house.http.get(house.url("learner_profile", f"/learners/{uuid4()}"), headers=house.token),
        ]
        assert [one.status_code for one in wrong if one.is_success] == []
        return [one.content for one in wrong]

    async def _poison(self, told: Told, canaries: Canaries) -> list[bytes]:
        """What stands in the headers of dead letters, after messages that nobody can handle."""
        topic = f"{told.stack.namespace}xapi.statements.v1"
        envelope = {"id": "1", "type": "xapi.statements.v1", "tenant": "demo", "occurred_at": "2026-11-22T12:00:00Z"}
        poison = [
            canaries("poison").encode(),
            json.dumps({**envelope, "type": canaries("poison")}).encode(),
            json.dumps({**envelope, "data": canaries("poison")}).encode(),
            json.dumps({**envelope, "key": canaries("poison"), "data": canaries("poison")}).encode(),
        ]
        producer = AIOKafkaProducer(bootstrap_servers=told.stack.kafka_bootstrap)
        await producer.start()
        try:
            for value in poison:
                await producer.send_and_wait(topic, value, key=f"demo/{uuid4()}".encode())
        finally:
            await producer.stop()
        for _ in range(300):
            letters = await records(told, f"{topic}.dlq")
            if len(letters) >= len(poison):
                return [value for letter in letters for _, value in letter.headers]
            await asyncio.sleep(0.2)
        raise AssertionError("the poison does not arrive in the dead letters")


async def records(told: Told, topic: str) -> list[ConsumerRecord[bytes, bytes]]:
    """Every record of a topic, from the beginning."""
    consumer = AIOKafkaConsumer(bootstrap_servers=told.stack.kafka_bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        await consumer._client.force_metadata_update()
        places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        left = {place: end for place, end in (await consumer.end_offsets(places)).items() if end}
        found: list[ConsumerRecord[bytes, bytes]] = []
        while left:
            for place, batch in (await consumer.getmany(timeout_ms=1000)).items():
                found += batch
                if await consumer.position(place) >= left.get(place, 0):
                    left.pop(place, None)
            left = {place: end for place, end in left.items() if await consumer.position(place) < end}
        return found
    finally:
        await consumer.stop()


async def written_to_kafka(told: Told) -> dict[str, bytes]:
    """Keys and values of everything that the stack has written, by topic."""
    names = [name for topic in topics.ALL for name in (topic.name, topic.dead_letters)]
    found = {name: await records(told, f"{told.stack.namespace}{name}") for name in names}
    return {
        name: b"\n".join((record.key or b"") + (record.value or b"") for record in all_)
        for name, all_ in found.items()
        if all_
    }
