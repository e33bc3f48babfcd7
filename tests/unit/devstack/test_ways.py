"""Given addresses first, each on its own; then Docker, where an engine answers; then local programs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from devstack.ways import Way, choose, docker_answers

GIVEN_MONGODB = {"TRELLIS_MONGODB_URL": "mongodb://db/?replicaSet=rs"}
GIVEN_KAFKA = {"TRELLIS_KAFKA_BOOTSTRAP": "broker:9092"}


@pytest.mark.parametrize(
    ("environment", "docker", "mongodb", "kafka"),
    [
        ({}, False, Way.LOCAL, Way.LOCAL),
        ({}, True, Way.DOCKER, Way.DOCKER),
        (GIVEN_MONGODB, False, Way.GIVEN, Way.LOCAL),
        (GIVEN_MONGODB, True, Way.GIVEN, Way.DOCKER),
        (GIVEN_KAFKA, False, Way.LOCAL, Way.GIVEN),
        (GIVEN_KAFKA, True, Way.DOCKER, Way.GIVEN),
        (GIVEN_MONGODB | GIVEN_KAFKA, True, Way.GIVEN, Way.GIVEN),
        ({"TRELLIS_MONGODB_URL": "", "TRELLIS_KAFKA_BOOTSTRAP": ""}, False, Way.LOCAL, Way.LOCAL),
    ],
)
def test_choice(environment: dict[str, str], docker: bool, mongodb: Way, kafka: Way) -> None:
    ways = choose(environment, docker=docker)
    assert (ways.mongodb, ways.kafka) == (mongodb, kafka)


def test_given_addresses_are_kept() -> None:
    ways = choose(GIVEN_MONGODB | GIVEN_KAFKA, docker=False)
    assert (ways.mongodb_url, ways.kafka_bootstrap) == ("mongodb://db/?replicaSet=rs", "broker:9092")


@contextmanager
def engine(path: Path, answer: bytes) -> Iterator[None]:
    """Something that answers one request on a socket file."""
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK", True),
        (b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", False),
        (b"not HTTP at all\r\n", False),
    ],
)
def test_an_engine_counts_when_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, expected: bool
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    with engine(tmp_path / "docker.sock", answer):
        assert docker_answers() is expected


def test_a_socket_file_without_an_engine_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "docker.sock"
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    assert not docker_answers()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    assert not docker_answers()
