"""What this machine has and lacks, and which way will provide MongoDB and Kafka."""

from __future__ import annotations

import ctypes.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from devstack.errors import Missing
from devstack.kafka.broker import MIN_JAVA, java_version
from devstack.kafka.jars import POM, version
from devstack.mongo.server import mongod
from devstack.paths import root, tools_dir
from devstack.ports import is_free
from devstack.ways import Way, Ways, choose, docker_answers

_GIB = 2**30
_DISK_GIB = 3
_MEMORY_GIB = 4


@dataclass(frozen=True)
class Finding:
    """One line of the report. `needed` says whether a stack can start without it."""

    name: str
    well: bool
    detail: str
    remedy: str = ""
    needed: bool = True


@dataclass(frozen=True)
class Machine:
    """What the verdict rests on."""

    system: str
    processor: str
    docker: bool
    local_mongodb: bool
    local_kafka: bool


@dataclass(frozen=True)
class Report:
    findings: list[Finding]
    ways: Ways
    verdict: str
    works: bool


def examine(ports: Iterable[int], data: Path, environment: dict[str, str] | None = None) -> Report:
    """Look at this machine."""
    docker = docker_answers()
    ways = choose(os.environ if environment is None else environment, docker=docker)
    mongo, kafka = [_mongod(ways), _openssl(ways)], [_java(ways), _maven(ways)]
    machine = Machine(
        system=platform.system(),
        processor=platform.machine(),
        docker=docker,
        local_mongodb=mongo[0].well,
        local_kafka=all(finding.well for finding in kafka),
    )
    engine = Finding("docker engine", docker, "answers" if docker else "does not answer", needed=False)
    findings = [_python(), _system(machine), *mongo, *kafka, engine, _ports(ports), _disk(data), _memory(), _chromium()]
    works, line = verdict(machine, ways)
    return Report(findings, ways, line, works)


def verdict(machine: Machine, ways: Ways) -> tuple[bool, str]:
    """Whether a stack can start here, and the one line that says which way."""
    lacking = []
    if ways.mongodb is Way.LOCAL and not machine.local_mongodb:
        lacking.append("MongoDB (start Docker, or set TRELLIS_MONGODB_URL)")
    if ways.kafka is Way.LOCAL and not machine.local_kafka:
        lacking.append("Kafka (install Java and Maven, start Docker, or set TRELLIS_KAFKA_BOOTSTRAP)")
    here = f"{machine.system} on {machine.processor}"
    if lacking:
        return False, f"{here}: there is no way yet to {' and to '.join(lacking)}"
    return True, f"{here}: MongoDB {_WORDS[ways.mongodb]}, Kafka {_WORDS[ways.kafka]}"


_WORDS = {
    Way.GIVEN: "at the given address",
    Way.DOCKER: "from its official image in Docker",
    Way.LOCAL: "from local binaries",
}


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", sys.version_info >= (3, 11), found, "install Python 3.11 or newer")


def _system(machine: Machine) -> Finding:
    usual = (machine.system, machine.processor) == ("Linux", "x86_64")
    remedy = "local mongod needs Linux on x86_64: here use Docker, or TRELLIS_MONGODB_URL"
    return Finding("system", usual, f"{machine.system} {machine.processor}", remedy, needed=False)


def _mongod(ways: Ways) -> Finding:
    needed = ways.mongodb is Way.LOCAL
    try:
        binary = mongod()
    except Missing as problem:
        return Finding("mongod", well=False, detail="none for this system", remedy=str(problem), needed=needed)
    said = _first_line([str(binary), "--version"])
    remedy = "mongod does not run here: start Docker, or set TRELLIS_MONGODB_URL"
    return Finding("mongod", said.startswith("db version"), said, remedy, needed)


def _openssl(ways: Ways) -> Finding:
    found = ctypes.util.find_library("crypto") or "not found"
    remedy = "mongod needs OpenSSL 3 (Debian: apt-get install libssl3)"
    return Finding("openssl 3", found.endswith(".so.3"), found, remedy, needed=ways.mongodb is Way.LOCAL)


def _java(ways: Ways) -> Finding:
    path = shutil.which("java")
    major = java_version(path) if path else None
    remedy = f"install Java {MIN_JAVA} or newer (Debian: apt-get install default-jre-headless)"
    detail = f"{major}" if major else "not found"
    return Finding("java", (major or 0) >= MIN_JAVA, detail, remedy, needed=ways.kafka is Way.LOCAL)


def _maven(ways: Ways) -> Finding:
    jars = tools_dir() / f"kafka-{version()}"
    if (jars / "pom.xml").exists() and (jars / "pom.xml").read_bytes() == POM.read_bytes():
        return Finding("maven", well=True, detail=f"not needed: Kafka {version()} is here already")
    path = shutil.which("mvn")
    remedy = "install Maven, which fetches Kafka (Debian: apt-get install maven)"
    return Finding("maven", path is not None, path or "not found", remedy, needed=ways.kafka is Way.LOCAL)


def _ports(ports: Iterable[int]) -> Finding:
    taken = [str(port) for port in ports if not is_free(port)]
    detail = f"taken: {', '.join(taken)}" if taken else "free"
    remedy = "a stack runs already, or another program does: TRELLIS_PORT_BASE moves ours"
    return Finding("ports", not taken, detail, remedy, needed=False)


def _disk(data: Path) -> Finding:
    folder = next(folder for folder in (data, *data.parents, root()) if folder.exists())
    free = shutil.disk_usage(folder).free / _GIB
    return Finding("disk", free >= _DISK_GIB, f"{free:.0f} GiB free", f"{_DISK_GIB} GiB are needed")


def _memory() -> Finding:
    free = psutil.virtual_memory().available / _GIB
    remedy = f"{_MEMORY_GIB} GiB are recommended"
    return Finding("memory", free >= _MEMORY_GIB, f"{free:.1f} GiB available", remedy, needed=False)


def _chromium() -> Finding:
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    remedy = "only for the browser tests (Debian: apt-get install chromium)"
    return Finding("chromium", found is not None, found or "not found", remedy, needed=False)


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except OSError as problem:
        return str(problem)
    return ((done.stdout or done.stderr).splitlines() or ["no answer"])[0]
