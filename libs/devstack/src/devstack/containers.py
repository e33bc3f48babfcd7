"""MongoDB and Kafka from their official images, through testcontainers."""

from __future__ import annotations

import os
import shlex
import signal
import time
from pathlib import Path
from typing import Any

from devstack.errors import CannotStart
from devstack.kafka.broker import brokers, settings
from devstack.kafka.jars import version
from devstack.mongo.server import HISTORY, REPLICA_SET, primary
from devstack.ports import LOOPBACK, free_port
from devstack.process import Child

MONGO_IMAGE = "mongo:7.0"
_DATA = "/trellis"
_READY_SECONDS = 120.0


class _InDocker:
    """A container whose data folder is ours and whose port is the same inside and outside."""

    name = ""
    child: Child | None = None  # the engine's, not ours

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self._container: Any = None

    def _run(self, image: str, command: list[str], **options: Any) -> None:
        from testcontainers.core.container import DockerContainer  # slow to import, and only needed here

        self.data.mkdir(parents=True, exist_ok=True)
        container = DockerContainer(image, command=shlex.join(command)).with_bind_ports(self.port, self.port)
        container = container.with_volume_mapping(str(self.data), _DATA, "rw")
        self._container = container.with_kwargs(user=f"{os.getuid()}:{os.getgid()}", **options)
        self._container.start()

    def ready(self) -> bool:
        raise NotImplementedError

    def wait(self) -> None:
        """Until it is ready."""
        deadline = time.monotonic() + _READY_SECONDS
        while not self.ready():
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"{self.name} in Docker was not ready within {_READY_SECONDS:.0f} s: see `docker logs`"
                )
            time.sleep(0.2)

    def stop(self) -> None:
        """In order, then remove the container; the data stay."""
        if self._container is not None:
            self._container.get_wrapped_container().stop(timeout=30)
            self._container.stop()

    def kill(self) -> None:
        """SIGKILL."""
        self._container.get_wrapped_container().kill(signal.SIGKILL)

    def restart(self) -> None:
        """Start again with the same data, and wait."""
        self._container.get_wrapped_container().start()
        self.wait()


class MongoInDocker(_InDocker):
    """The official MongoDB image as a single-node replica set."""

    name = "MongoDB"

    @property
    def url(self) -> str:
        return f"mongodb://{LOOPBACK}:{self.port}/?replicaSet={REPLICA_SET}"

    def start(self) -> None:
        command = ["mongod", "--dbpath", _DATA, "--port", str(self.port), "--bind_ip_all", "--replSet", REPLICA_SET]
        self._run(MONGO_IMAGE, [*command, *HISTORY, "--wiredTigerCacheSizeGB", "0.5"])

    def ready(self) -> bool:
        return primary(self.port)


class KafkaInDocker(_InDocker):
    """The official Kafka image with our settings."""

    name = "Kafka"

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def start(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        text = settings(logs=f"{_DATA}/log", port=self.port, controller_port=free_port(), bind="0.0.0.0")  # noqa: S104
        (self.data / "server.properties").write_text(text)
        script = (
            f"cd /opt/kafka/bin && ./kafka-storage.sh format --ignore-formatted -t $(cat {_DATA}/cluster 2>/dev/null ||"
            f" ./kafka-storage.sh random-uuid | tee {_DATA}/cluster) -c {_DATA}/server.properties"
            f" && exec ./kafka-server-start.sh {_DATA}/server.properties"
        )
        environment = {"LOG_DIR": f"{_DATA}/logs", "KAFKA_HEAP_OPTS": "-Xms128m -Xmx512m"}
        self._run(f"apache/kafka:{version()}", ["-c", script], entrypoint="/bin/bash", environment=environment)

    def ready(self) -> bool:
        return brokers(LOOPBACK, self.port) > 0
