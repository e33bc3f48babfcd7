"""Which of the three ways provides MongoDB and Kafka: given, in a container, or a local program."""

from __future__ import annotations

import http.client
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

MONGODB_URL = "TRELLIS_MONGODB_URL"
KAFKA_BOOTSTRAP = "TRELLIS_KAFKA_BOOTSTRAP"


class Way(StrEnum):
    """Where a MongoDB or a Kafka comes from."""

    GIVEN = "given"
    DOCKER = "docker"
    LOCAL = "local"


@dataclass(frozen=True)
class Ways:
    """The way of each, and the address where it is given."""

    mongodb: Way
    kafka: Way
    mongodb_url: str | None = None
    kafka_bootstrap: str | None = None


def choose(environment: Mapping[str, str], *, docker: bool) -> Ways:
    """Given addresses first (each on its own), then a Docker engine that answers, then local programs."""
    mongodb_url = environment.get(MONGODB_URL) or None
    kafka_bootstrap = environment.get(KAFKA_BOOTSTRAP) or None
    otherwise = Way.DOCKER if docker else Way.LOCAL
    return Ways(
        mongodb=Way.GIVEN if mongodb_url else otherwise,
        kafka=Way.GIVEN if kafka_bootstrap else otherwise,
        mongodb_url=mongodb_url,
        kafka_bootstrap=kafka_bootstrap,
    )


def ways_here() -> Ways:
    """The choice for this machine; the engine is only asked where its answer matters."""
    if os.environ.get(MONGODB_URL) and os.environ.get(KAFKA_BOOTSTRAP):
        return choose(os.environ, docker=False)
    return choose(os.environ, docker=docker_answers())


def docker_answers(timeout_seconds: float = 2) -> bool:
    """Whether a Docker engine answers its ping: an installed client alone says nothing."""
    address = urlsplit(os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock")
    if address.scheme == "unix":
        return _ping(_UnixConnection(address.path, timeout_seconds))
    if address.scheme == "tcp" and address.hostname:
        return _ping(http.client.HTTPConnection(address.hostname, address.port or 2375, timeout=timeout_seconds))
    return False


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over the engine's socket file."""

    def __init__(self, path: str, timeout_seconds: float) -> None:
        super().__init__("localhost", timeout=timeout_seconds)
        self._path = path

    def connect(self) -> None:
        if not Path(self._path).exists():
            raise FileNotFoundError(self._path)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _ping(connection: http.client.HTTPConnection) -> bool:
    try:
        connection.request("GET", "/_ping")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
