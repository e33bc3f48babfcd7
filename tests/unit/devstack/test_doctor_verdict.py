"""One line says which way works here, on any processor and system."""

from __future__ import annotations

import pytest
from devstack.doctor import Machine, verdict
from devstack.ways import choose

ARM = {"system": "Linux", "processor": "aarch64"}
GIVEN = {"TRELLIS_MONGODB_URL": "mongodb://db", "TRELLIS_KAFKA_BOOTSTRAP": "broker:9092"}


@pytest.mark.parametrize(
    ("environment", "docker", "mongodb", "kafka", "works", "line"),
    [
        ({}, False, True, True, True, "MongoDB from local binaries, Kafka from local binaries"),
        (
            {},
            True,
            False,
            True,
            True,
            "MongoDB from its official image in Docker, Kafka from its official image in Docker",
        ),
        ({}, False, False, True, False, "there is no way yet to MongoDB (start Docker, or set TRELLIS_MONGODB_URL)"),
        (GIVEN, False, False, False, True, "MongoDB at the given address, Kafka at the given address"),
    ],
)
def test_verdict(environment: dict[str, str], docker: bool, mongodb: bool, kafka: bool, works: bool, line: str) -> None:
    machine = Machine(**ARM, docker=docker, local_mongodb=mongodb, local_kafka=kafka)
    assert verdict(machine, choose(environment, docker=docker)) == (works, f"Linux on aarch64: {line}")


def test_everything_that_lacks_is_named() -> None:
    machine = Machine(**ARM, docker=False, local_mongodb=False, local_kafka=False)
    works, line = verdict(machine, choose({}, docker=False))
    assert not works
    assert "MongoDB" in line
    assert "Java and Maven" in line
