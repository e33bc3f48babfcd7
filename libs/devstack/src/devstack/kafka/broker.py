"""One Kafka broker and controller in one JVM."""

from __future__ import annotations

import re
import shutil
import socket
import struct
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from devstack.errors import CannotStart, Missing
from devstack.kafka.jars import jars
from devstack.ports import LOOPBACK, free_port
from devstack.server import Server

HEAP = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
_LOGGING = [
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
    "-Dorg.slf4j.simpleLogger.showThreadName=false",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
]
MIN_JAVA = 17
_DAMAGE = r"CorruptRecordException|KafkaStorageException|InconsistentClusterId|node ID not found|[^\n]*meta\.properties"


def java() -> str:
    """The path of a Java that can run Kafka."""
    found = shutil.which("java")
    remedy = f"install Java {MIN_JAVA}+ (Debian: apt-get install default-jre-headless), or set TRELLIS_KAFKA_BOOTSTRAP"
    if found is None:
        raise Missing(f"Java is missing (it runs Kafka): {remedy}")
    major = java_version(found)
    if major is None or major < MIN_JAVA:
        raise Missing(f"Java {major} is too old for Kafka: {remedy}")
    return found


def java_version(path: str) -> int | None:
    """The major version that `java -version` tells."""
    said = subprocess.run([path, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)(?:\.(\d+))?', said.stderr + said.stdout)
    if found is None:
        return None
    return int(found[2]) if found[1] == "1" and found[2] else int(found[1])


class KafkaBroker(Server):
    """A KRaft node on the loopback interface whose data and settings live in one folder."""

    name = "Kafka"
    program = "kafka"

    def __init__(self, data: Path, *, log: Path | None = None, port: int | None = None) -> None:
        super().__init__(data, port or free_port(), log=log, fixed=port is not None)
        self._controller_port = free_port()

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def command(self) -> list[str]:
        """Formats the storage at first."""
        runtime, classes = java(), f"{jars()}/*"
        logs = str(self.data / "log").replace("\\", "\\\\")
        properties = self.data / "server.properties"
        properties.write_text(settings(logs=logs, port=self.port, controller_port=self._controller_port))
        if not (self.data / "log" / "meta.properties").exists():
            self._format(runtime, classes, properties)
        return [runtime, *HEAP, *_LOGGING, "-cp", classes, "kafka.Kafka", str(properties)]

    def ready(self) -> bool:
        """Whether the broker answers with itself as a member of the cluster."""
        return brokers(LOOPBACK, self.port) > 0

    def explain(self, output: str, log: Path) -> str | None:
        if "Address already in use" in output:
            return f"Kafka's port was taken by another program while it started: start again (log: {log})"
        if "AccessDeniedException" in output or "Permission denied" in output:
            return f"Kafka may not write to {self.data}: it belongs to another user"
        if "No space left on device" in output:
            return f"the disk is full: Kafka could not write to {self.data}"
        if re.search(_DAMAGE, output):
            return f"Kafka's data in {self.data} is damaged: restore it, or wipe it with `make clean` (log: {log})"
        return None

    def _format(self, runtime: str, classes: str, properties: Path) -> None:
        if any((self.data / "log").glob("*")):
            raise CannotStart(
                f"Kafka's data in {self.data} is damaged (meta.properties is gone): restore it, or `make clean`"
            )
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = [runtime, *HEAP, *_LOGGING, "-cp", classes, "kafka.tools.StorageTool", "format"]
        command += ["--cluster-id", cluster.replace("-", "x", 1) if cluster.startswith("-") else cluster]
        done = subprocess.run([*command, "--config", str(properties)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CannotStart(
                f"Kafka could not format its storage in {self.data}: {(done.stderr + done.stdout).strip()[-300:]}"
            )


def settings(*, logs: str, port: int, controller_port: int, bind: str = LOOPBACK) -> str:
    """server.properties of one node that is broker and controller."""
    return f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{LOOPBACK}:{controller_port}
listeners=PLAINTEXT://{bind}:{port},CONTROLLER://{LOOPBACK}:{controller_port}
advertised.listeners=PLAINTEXT://{LOOPBACK}:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={logs}
auto.create.topics.enable=false
num.partitions=12
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# A killed broker may register again only when its old session is over: 4 s rather than 9.
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=1000
# A week, and 1 GiB a partition at most: enough for a machine on which people try things.
log.retention.hours=168
log.retention.bytes=1073741824
log.segment.bytes=67108864
log.index.size.max.bytes=1048576
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
log.cleaner.dedupe.buffer.size=16777216
"""


def brokers(host: str, port: int, timeout_seconds: float = 2) -> int:
    """How many brokers a Kafka at this address knows; 0 where nobody answers (Metadata request, version 1)."""
    request = struct.pack(">hhihi", 3, 1, 1, -1, 0)
    try:
        with socket.create_connection((host, port), timeout=timeout_seconds) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.recv(12, socket.MSG_WAITALL)
    except OSError:
        return 0
    return int(struct.unpack(">iii", answer)[2]) if len(answer) == 12 else 0
