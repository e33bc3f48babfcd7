"""One of many learners is erased under load; then everything that is left is read, and every key is tried."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import bson
import httpx2
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from devstack.kafka import KafkaBroker
from devstack.latency import HOME_PAGE, XAPI_HEADERS, answered
from devstack.mongo import MongoServer
from devstack.stack import Stack
from devstack.ways import Way, Ways
from service_kit.keys.file import FileKeyProvider
from service_kit.keys.provider import BucketGone

from tests.support import multipart_mixed as multipart
from tests.support.driving import House, Load, eventually
from tests.support.searching import Blobs, Documents, EveryKey, databases, files_holding, holding

EXTENSION = "https://example.org/extension/note"
UNCOMPRESSED = ("--wiredTigerCollectionBlockCompressor", "none", "--wiredTigerJournalCompressor", "none")
SERVERS_OWN = ("admin.", "config.", "local.")


def canary(what: str) -> str:
    return f"canary-{what}-{secrets.token_hex(8)}"


@dataclass
class Victim:
    """A learner with a canary in every personal field."""

    name: str = field(default_factory=lambda: canary("name"))
    account: str = field(default_factory=lambda: canary("account"))
    response: str = field(default_factory=lambda: canary("response"))
    extension: str = field(default_factory=lambda: canary("extension"))
    state: str = field(default_factory=lambda: canary("state"))
    attachment: str = field(default_factory=lambda: canary("attachment"))
    registration: str = field(default_factory=lambda: str(uuid4()))
    learner_id: str = ""
    last: str = ""

    @property
    def agent(self) -> dict[str, Any]:
        return {"objectType": "Agent", "account": {"homePage": HOME_PAGE, "name": self.account}}

    @property
    def canaries(self) -> list[str]:
        said = [self.name, self.account, self.response, self.extension, self.state, self.attachment]
        return [*said, self.registration]

    def statements(self, activities: Sequence[str]) -> list[dict[str, Any]]:
        return [self._statement(activity, number) for number, activity in enumerate(activities)]

    def _statement(self, activity: str, number: int) -> dict[str, Any]:
        said = answered({**self.agent, "name": self.name}, activity, scaled=number % 2, seconds=20)
        said["result"] |= {"response": self.response, "extensions": {EXTENSION: self.extension}}
        return {**said, "context": {"registration": self.registration}}

    def live(self, house: House) -> None:
        """Learn, keep a state document, hand in a file."""
        house.post_statements(self.statements(house.activities())).raise_for_status()
        data = self.attachment.encode()
        said = self._statement(house.activities(1)[0], 1) | {"attachments": [multipart.attachment(data)]}
        self.last = said["id"]
        body = multipart.body(multipart.statements_part(said), multipart.part(data))
        headers = XAPI_HEADERS | {"Content-Type": multipart.CONTENT_TYPE}
        xapi(house, "POST", "statements", content=body, headers=headers).raise_for_status()
        where = {"activityId": "https://example.org/a", "agent": json.dumps(self.agent), "stateId": "bookmark"}
        document = {"content": json.dumps({"at": self.state}).encode(), "headers": XAPI_HEADERS}
        document["headers"] = XAPI_HEADERS | {"Content-Type": "application/json"}
        xapi(house, "PUT", "activities/state", params=where, **document).raise_for_status()
        self.learner_id = house.learner_id(self.agent)


def xapi(house: House, method: str, path: str, **more: Any) -> httpx2.Response:
    return house.http.request(method, f"{house.xapi}/{path}", auth=house._auth, **more)


def erase(house: House, learner_id: str) -> tuple[str, float]:
    """The request, and the seconds to `completed`."""
    begun = time.monotonic()
    made = house.http.post(
        house.url("privacy", "/requests"), json={"type": "erasure", "learner_id": learner_id}, headers=house.token
    )
    request = str(made.raise_for_status().json()["id"])
    eventually(lambda: house.get("privacy", f"/requests/{request}").json()["status"] == "completed", what="closing")
    return request, time.monotonic() - begun


def destroyed(documents: Documents, request: str) -> bool:
    [requests] = [raw for place, raw in documents.items() if place.endswith("privacy.requests")]
    return any(d["_id"] == request and d.get("key_destroyed_at") for d in map(bson.decode, requests))


def own(documents: Documents) -> Documents:
    return {place: raw for place, raw in documents.items() if not place.startswith(SERVERS_OWN)}


def learner_keys(documents: Documents) -> list[dict[str, Any]]:
    [raw] = [raw for place, raw in documents.items() if place.endswith("privacy.learner_keys")]
    return [bson.decode(one) for one in raw]


async def records(bootstrap: str, prefix: str) -> list[tuple[bytes | None, bytes | None]]:
    """Key and value of every record of every topic, from the beginning."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        names = [name for name in await consumer.topics() if name.startswith(prefix) and not name.startswith("__")]
        found = await topics(bootstrap, names)
        places = [TopicPartition(one["topic"], part["partition"]) for one in found for part in one["partitions"]]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        read = []
        while any([await consumer.position(place) < ends[place] for place in places]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                read += [(record.key, record.value) for record in batch]
        return read
    finally:
        await consumer.stop()


async def topics(bootstrap: str, names: Sequence[str]) -> list[dict[str, Any]]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        described: list[dict[str, Any]] = await admin.describe_topics(list(names))
        return described
    finally:
        await admin.close()


@pytest.fixture
def searchable(tmp_path: Path) -> Iterator[Stack]:
    """A stack on a MongoDB whose files are not compressed, and a Kafka of its own."""
    mongod = MongoServer(tmp_path / "mongodb", options=UNCOMPRESSED)
    kafka = KafkaBroker(tmp_path / "kafka")
    for server in (mongod, kafka):
        server.start()
    try:
        for server in (mongod, kafka):
            server.wait()
        ways = Ways(Way.GIVEN, Way.GIVEN, mongod.url, kafka.bootstrap)
        with Stack(tmp_path / "stack", ways=ways, namespace="") as stack:
            yield stack
            stack.stop()
    finally:
        kafka.stop()
        mongod.stop()


def check_nothing_is_left(house: House, stack: Stack, victim: Victim, files: Path | None) -> None:
    """Erase, then search. `files`: where mongod and Kafka have theirs."""
    prefix = stack.namespace
    profile = f"/learners/{victim.learner_id}"
    eventually(lambda: house.get("learner_profile", profile).json()["reflects"] == victim.last, what="the profile")
    before = own(databases(stack.mongodb_url, prefix))
    [lost] = [one for one in learner_keys(before) if one["learner"] == victim.learner_id]
    identity = [one for one in _ids(before, "ingest.identities") if one]
    request, _ = erase(house, victim.learner_id)
    eventually(lambda: destroyed(own(databases(stack.mongodb_url, prefix)), request), what="the end of the key")
    for _ in range(100):  # the last marks go with a message on Kafka
        if not holding(own(databases(stack.mongodb_url, prefix)), [victim.learner_id]):
            break
        time.sleep(0.1)
    after = own(databases(stack.mongodb_url, prefix))
    assert holding(after, [*victim.canaries, victim.learner_id]) == {}
    gone = [one for one in identity if one not in _ids(after, "ingest.identities")]
    assert gone, "the keyed digest of the identifier"
    assert holding(after, [one.partition("/")[2] for one in gone]) == {}
    _nothing_opens(stack, before, lost, asyncio.run(records(stack.kafka_bootstrap, prefix)), victim)
    assert house.learner_id(victim.agent) != victim.learner_id, "whoever comes back is someone new"
    if files is not None:
        canaries = [one for one in victim.canaries if one != victim.account]  # who has just come back
        assert files_holding(files, canaries) == {}


def _ids(documents: Documents, collection: str) -> list[str]:
    [raw] = [raw for place, raw in documents.items() if place.endswith(collection)]
    return [str(bson.decode(one)["_id"]) for one in raw]


def _nothing_opens(
    stack: Stack,
    before: Documents,
    lost: dict[str, Any],
    kafka: Sequence[tuple[bytes | None, bytes | None]],
    victim: Victim,
) -> None:
    """Neither what a dump of before holds nor what Kafka still does, with any key of today."""
    assert not [value for _, value in kafka if value and any(one.encode() in value for one in victim.canaries)]
    key_file = stack.data / "keys" / "buckets.json"
    today = own(databases(stack.mongodb_url, stack.namespace))
    keys = EveryKey.of(key_file, learner_keys(before) + learner_keys(today))
    assert keys.data_keys, "the others' keys open"
    assert lost["_id"] not in keys.data_keys
    blobs = Blobs.of(before)
    blobs.add_records(value for _, value in kafka)
    sealed = blobs.by_key[lost["_id"]]
    assert len(sealed) > 30
    assert keys.opening(lost["_id"], sealed) == 0
    other = next(name for name in blobs.by_key if name in keys.data_keys)
    assert keys.opening(other, blobs.by_key[other]) == len(blobs.by_key[other]), "the search itself can open"
    with pytest.raises(BucketGone):  # a restore of that dump beside today's provider
        asyncio.run(FileKeyProvider(key_file).unwrap(lost["bucket"], [(lost["_id"], bytes(lost["wrapped"]))]))


def test_an_erased_learner_is_nowhere(house: House, stack: Stack) -> None:
    victim, bystander = Victim(), Victim()
    for one in (victim, bystander):
        one.live(house)
    profile = f"/learners/{bystander.learner_id}"
    eventually(lambda: house.get("learner_profile", profile).json()["reflects"] == bystander.last, what="the bystander")
    as_of = {"as_of": "2040-01-01T00:00:00Z"}
    was = house.get("learner_profile", profile, **as_of).content
    check_nothing_is_left(house, stack, victim, None)
    assert house.get("learner_profile", profile, **as_of).content == was


@pytest.mark.long
def test_nor_in_the_files_of_mongodb_and_kafka(searchable: Stack, tmp_path: Path) -> None:
    victim = Victim()
    with House.of(searchable) as house, Load(searchable.description(), learners=30, batch=10, pause_seconds=0.2):
        victim.live(house)
        check_nothing_is_left(house, searchable, victim, tmp_path)
        for name in ("mongodb", "kafka"):
            assert files_holding(tmp_path / name, ["https://example.org/verbs", "adlnet.gov"]), "the search sees"
