"""MongoDB and Kafka for whoever needs them: given, in containers, or from local programs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from devstack.containers import KafkaInDocker, MongoInDocker
from devstack.kafka import KafkaBroker
from devstack.mongo import MongoServer
from devstack.process import Child
from devstack.ways import Way, Ways


class Server(Protocol):
    """A MongoDB or Kafka that we run: starting, waiting and stopping are apart so that two can start at once."""

    @property
    def child(self) -> Child | None: ...
    def ready(self) -> bool: ...
    def start(self) -> None: ...
    def wait(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def restart(self) -> None: ...


class Mongo(Server, Protocol):
    @property
    def url(self) -> str: ...


class Kafka(Server, Protocol):
    @property
    def bootstrap(self) -> str: ...


def mongo_server(way: Way, data: Path, *, log: Path | None = None) -> Mongo:
    """A MongoDB of our own with its data in that folder; not started."""
    return MongoInDocker(data) if way is Way.DOCKER else MongoServer(data, log=log)


def kafka_broker(way: Way, data: Path, *, log: Path | None = None) -> Kafka:
    """A Kafka of our own with its data in that folder; not started."""
    return KafkaInDocker(data) if way is Way.DOCKER else KafkaBroker(data, log=log)


@contextmanager
def running_mongodb(ways: Ways, data: Path) -> Iterator[str]:
    """The URL of a MongoDB: the given one, or one of our own that is stopped at the end."""
    if ways.mongodb_url is not None:
        yield ways.mongodb_url
        return
    server = mongo_server(ways.mongodb, data)
    server.start()
    try:
        server.wait()
        yield server.url
    finally:
        server.stop()


@contextmanager
def running_kafka(ways: Ways, data: Path) -> Iterator[str]:
    """The bootstrap address of a Kafka: the given one, or one of our own that is stopped at the end."""
    if ways.kafka_bootstrap is not None:
        yield ways.kafka_bootstrap
        return
    broker = kafka_broker(ways.kafka, data)
    broker.start()
    try:
        broker.wait()
        yield broker.bootstrap
    finally:
        broker.stop()
