"""One of many learners is erased under load; then everything that is left is read, and every key is tried."""

from __future__ import annotations

import asyncio
import hmac
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import bson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from devstack.kafka import KafkaBroker
from devstack.mongo import MongoServer
from devstack.stack import Stack
from devstack.ways import Way, Ways
from ingest.statements.indexing import tokens_to_forget
from pymongo import MongoClient
from service_kit.keys.file import FileKeyProvider
from service_kit.keys.provider import BucketGone
from xapi import canonical_ifi

from tests.support.driving import House, Load, eventually
from tests.support.searching import Blobs, Documents, EveryKey, databases, files_holding, holding
from tests.support.victim import Victim

UNCOMPRESSED = ("--wiredTigerCollectionBlockCompressor", "none", "--wiredTigerJournalCompressor", "none")
SERVERS_OWN = ("admin.", "config.", "local.")


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
    agents = agents_of(before, lost["_id"])
    request, _ = erase(house, victim.learner_id)
    eventually(lambda: destroyed(own(databases(stack.mongodb_url, prefix)), request), what="the end of the key")
    names = [*victim.canaries, victim.learner_id, *agents]
    for _ in range(100):  # the last marks go with a message on Kafka
        if not holding(own(databases(stack.mongodb_url, prefix)), names):
            break
        time.sleep(0.1)
    after = own(databases(stack.mongodb_url, prefix))
    assert holding(after, names) == {}
    tokens = [token for agent in agents for token in tokens_to_forget(agent)]
    assert any(token in raw for place in before.values() for raw in place for token in tokens), "the search can see"
    assert not any(token in raw for place in after.values() for raw in place for token in tokens)
    kafka = asyncio.run(records(stack.kafka_bootstrap, prefix))
    digest = check_no_way_to_an_id(stack, before, after, lost, victim)
    in_values = [*victim.canaries, victim.learner_id, *agents, digest]
    assert [one for one in in_values for _, value in kafka if value and one.encode() in value] == []
    assert [one for one in [*victim.canaries, digest] for key, _ in kafka if key and one.encode() in key] == []
    check_nothing_opens(stack, before, lost, kafka)
    if files is not None:
        hits = {hit for found in files_holding(files, victim.canaries).values() for hit in found}
        assert [place for place, value in victim.canary.sent.items() if value in hits] == []
    assert house.learner_id(victim.agent) != victim.learner_id, "whoever comes back is someone new"


def agents_of(documents: Documents, key: str) -> list[str]:
    """The agent_ids under which someone's documents lie, sealed under that key."""
    [raw] = [raw for place, raw in documents.items() if place.endswith("ingest.documents")]
    found = [d["_id"].split("/")[2] for d in map(bson.decode, raw) if d["key"] == key]
    assert len(found) == 2, "a state and a profile"
    return sorted(set(found))


def check_no_way_to_an_id(
    stack: Stack, before: Documents, after: Documents, lost: dict[str, Any], victim: Victim
) -> str:
    """With every key of today the digest of the identifier can be made, and what it finds in a dump of before does not
    open; nothing of today has it. The digest.
    """
    keys = keys_of_today(stack, before, after)
    [raw] = [raw for place, raw in after.items() if place.endswith("ingest.tenant_keys")]
    of_tenant = bson.decode(raw[0])
    secret = keys.opened(of_tenant["key"], bytes(of_tenant["bytes"]))
    digest = hmac.new(secret, str(canonical_ifi(victim.agent)).encode(), "sha256").hexdigest()
    [identities] = [raw for place, raw in before.items() if place.endswith("ingest.identities")]
    [found] = [d for d in map(bson.decode, identities) if d["_id"].endswith(f"/{digest}")]
    assert found["key"] == lost["_id"]
    assert victim.learner_id not in str(found)
    assert keys.opening(found["key"], [found["bytes"], found["names"]["bytes"]]) == 0
    assert holding(after, [digest]) == {}
    return digest


def keys_of_today(stack: Stack, before: Documents, after: Documents) -> EveryKey:
    return EveryKey.of(stack.data / "keys" / "buckets.json", learner_keys(before) + learner_keys(after))


def check_nothing_opens(
    stack: Stack, before: Documents, lost: dict[str, Any], kafka: Sequence[tuple[bytes | None, bytes | None]]
) -> None:
    """Neither what a dump of before holds nor what Kafka still does, with any key of today."""
    keys = keys_of_today(stack, before, own(databases(stack.mongodb_url, stack.namespace)))
    assert keys.data_keys, "the others' keys open"
    assert lost["_id"] not in keys.data_keys
    blobs = Blobs.of(before)
    blobs.add_records(value for _, value in kafka)
    sealed = blobs.by_key[lost["_id"]]
    assert len(sealed) > 50
    assert keys.opening(lost["_id"], sealed) == 0
    other = next(name for name in blobs.by_key if name in keys.data_keys)
    assert keys.opening(other, blobs.by_key[other]) == len(blobs.by_key[other]), "the search itself can open"
    key_file = FileKeyProvider(stack.data / "keys" / "buckets.json")
    with pytest.raises(BucketGone):  # a restore of that dump beside today's provider
        asyncio.run(key_file.unwrap(lost["bucket"], [(lost["_id"], bytes(lost["wrapped"]))]))


def replay(stack: Stack, learners: Sequence[str]) -> None:
    """Take away what was derived of these learners, and have all that is kept of them published once more."""
    ids = [f"demo/{one}" for one in learners]
    with MongoClient[dict[str, Any]](stack.mongodb_url) as client:
        derived = client[f"{stack.namespace}learner_profile"]
        for name in ("learners", "evidence"):
            derived[name].delete_many({"$or": [{"_id": {"$in": ids}}, {"learner": {"$in": list(learners)}}]})
        asked = [{"_id": f"demo/{one}", "tenant": "demo", "learner": one, "token": str(uuid4())} for one in learners]
        client[f"{stack.namespace}ingest"]["republications"].insert_many(asked)


def state(house: House, learner: str) -> bytes:
    """As it is at a time to come, byte for byte; only its version says how often it was written."""
    at = {"as_of": "2040-01-01T00:00:00Z"}
    found = house.get("learner_profile", f"/learners/{learner}", **at).raise_for_status().content
    return re.sub(rb'"version":\d+', b"", found, count=1)


def check_erased_among_others(house: House, stack: Stack, files: Path | None = None) -> None:
    """A learner whom another's statements name everywhere is erased; then all that is kept is replayed."""
    victim, other = Victim(), Victim()
    sent = victim.be_named(house, other.agent)
    for one in (victim, other):
        one.live(house)
        one.be_known(house)
        one.be_refused(house)
    victim.be_judged(house, stack)
    profile = f"/learners/{other.learner_id}"
    eventually(lambda: house.get("learner_profile", profile).json()["reflects"] == other.last, what="the other")
    was = state(house, other.learner_id)
    check_nothing_is_left(house, stack, victim, files)
    assert state(house, other.learner_id) == was
    for said in sent:  # they stay, and name an erased account
        kept = house.get_statement(said["id"]).raise_for_status().text
        assert [name for name in victim.canaries if name in kept] == []
        assert "https://trellis.invalid/erased" in kept or "authority" in said
    replay(stack, [other.learner_id, victim.learner_id])
    eventually(lambda: house.get("learner_profile", profile).json()["reflects"] == other.last, what="the replay")
    eventually(lambda: state(house, other.learner_id) == was, what="the same state, byte for byte")
    assert house.get("learner_profile", f"/learners/{victim.learner_id}").status_code == 404
    assert holding(own(databases(stack.mongodb_url, stack.namespace)), [victim.learner_id]) == {}


def test_an_erased_learner_is_nowhere(house: House, stack: Stack) -> None:
    check_erased_among_others(house, stack)


@pytest.mark.long
def test_nor_in_the_files_of_mongodb_and_kafka(searchable: Stack, tmp_path: Path) -> None:
    with House.of(searchable) as house, Load(searchable.description(), learners=30, batch=10, pause_seconds=0.2):
        check_erased_among_others(house, searchable, tmp_path)
        for name in ("mongodb", "kafka"):
            assert files_holding(tmp_path / name, ["https://example.org/verbs", "adlnet.gov"]), "the search sees"
