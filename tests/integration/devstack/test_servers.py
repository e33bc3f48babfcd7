"""mongod and Kafka as local programs: what they keep, and what is said when they cannot start."""

from __future__ import annotations

import asyncio
import os
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from devstack.errors import CannotStart, Missing, PortTaken
from devstack.kafka import KafkaBroker
from devstack.kafka import broker as broker_module
from devstack.kafka.jars import _resolve
from devstack.mongo import MongoServer
from devstack.ports import LOOPBACK, free_port
from pymongo import MongoClient


@pytest.fixture
def mongo(tmp_path: Path) -> Iterator[MongoServer]:
    server = MongoServer(tmp_path / "mongo")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[KafkaBroker]:
    broker = KafkaBroker(tmp_path / "kafka")
    broker.start()
    yield broker
    broker.stop()


@contextmanager
def somebody_else(port: int) -> Iterator[None]:
    """A program on that port that hangs up on whoever calls."""

    class Server(socketserver.TCPServer):
        allow_reuse_address = True

    with Server((LOOPBACK, port), socketserver.BaseRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield
        server.shutdown()
        thread.join()


def count(url: str) -> int:
    with MongoClient[dict[str, Any]](url) as client:
        return client.kept.things.count_documents({})


def insert(url: str) -> None:
    with MongoClient[dict[str, Any]](url) as client:
        client.kept.things.insert_one({})


def test_mongodb_keeps_what_it_has_through_sigkill_and_on_another_port(mongo: MongoServer) -> None:
    mongo.wait()
    insert(mongo.url)
    mongo.kill()
    mongo.restart()
    assert count(mongo.url) == 1
    mongo.stop()
    with somebody_else(mongo.port):
        moved = MongoServer(mongo.data)
        assert moved.port != mongo.port
        moved.start()
        try:
            moved.wait()
            insert(moved.url)
            assert count(moved.url) == 2
        finally:
            moved.stop()


def test_damaged_mongodb_data_get_one_line(mongo: MongoServer) -> None:
    mongo.wait()
    mongo.stop()
    for name in ("WiredTiger.turtle", "WiredTiger.wt"):
        (mongo.data / "db" / name).write_bytes(b"\0" * 4096)
    again = MongoServer(mongo.data)
    again.start()
    with pytest.raises(CannotStart, match=r"is damaged: restore it, or wipe it with `make clean`") as caught:
        again.wait()
    assert "\n" not in str(caught.value)


async def test_kafka_keeps_what_it_has_through_sigkill(kafka: KafkaBroker) -> None:
    await asyncio.to_thread(kafka.wait)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("kept", num_partitions=1, replication_factor=1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all") as producer:
        await producer.send_and_wait("kept", b"value")
    kafka.kill()
    kafka.restart()
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all") as producer:
        again = await producer.send_and_wait("kept", b"value")
    assert again.offset == 1


def test_damaged_kafka_data_get_one_line(kafka: KafkaBroker) -> None:
    kafka.wait()
    kafka.stop()
    (kafka.data / "log" / "meta.properties").unlink()
    with pytest.raises(CannotStart, match="is damaged") as caught:
        KafkaBroker(kafka.data).start()
    assert "\n" not in str(caught.value)
    (kafka.data / "log" / "meta.properties").write_text("nonsense")
    again = KafkaBroker(kafka.data)
    again.start()
    with pytest.raises(CannotStart, match="is damaged"):
        again.wait()


def test_a_taken_port_gets_one_line(tmp_path: Path) -> None:
    port = free_port()
    with socket.create_server((LOOPBACK, port)):
        with pytest.raises(PortTaken, match=str(port)):
            MongoServer(tmp_path, port=port).start()
        with pytest.raises(PortTaken, match=str(port)):
            KafkaBroker(tmp_path, port=port).start()


def test_missing_java_or_maven_get_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match=r"Java is missing .*apt-get install"):
        KafkaBroker(tmp_path / "kafka").start()
    with pytest.raises(Missing, match=r"Maven is missing .*apt-get install"):
        _resolve(tmp_path / "jars")


def test_an_old_java_gets_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_392\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert broker_module.java_version(str(java)) == 8
    with pytest.raises(Missing, match="Java 8 is too old"):
        KafkaBroker(tmp_path / "kafka").start()


def test_they_leave_no_process_when_stopped(mongo: MongoServer) -> None:
    mongo.wait()
    assert mongo.child is not None
    pid = mongo.child.pid
    assert pid is not None
    mongo.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
