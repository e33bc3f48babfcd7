"""Kafka's jars, resolved by Maven from pom.xml once and kept."""

from __future__ import annotations

import fcntl
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from devstack.errors import CannotStart, Missing
from devstack.paths import tools_dir

POM = Path(__file__).with_name("pom.xml")


def version() -> str:
    """The version of kafka_2.13 that pom.xml names."""
    found = re.search(r"kafka_2\.13</artifactId>\s*<version>([^<]+)</version>", POM.read_text())
    if found is None:
        raise CannotStart(f"{POM} names no version of kafka_2.13")
    return found.group(1)


def jars() -> Path:
    """The folder with the jars; resolved by Maven where it is not there yet."""
    target = tools_dir() / f"kafka-{version()}"
    pom = target / "pom.xml"
    if pom.exists() and pom.read_bytes() == POM.read_bytes():
        return target
    tools_dir().mkdir(parents=True, exist_ok=True)
    with (tools_dir() / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two first starts at once: one downloads
        if not (pom.exists() and pom.read_bytes() == POM.read_bytes()):
            _resolve(target)
    return target


def _resolve(target: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise Missing("Maven is missing (it fetches Kafka): apt-get install maven, or set TRELLIS_KAFKA_BOOTSTRAP")
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        shutil.copy(POM, folder)
        command = [
            maven,
            "-q",
            "-B",
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            "-DoutputDirectory=jars",
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = next((line for line in done.stdout.splitlines() if "ERROR" in line), done.stderr.strip()[-300:])
            raise CannotStart(f"Maven could not fetch Kafka (is there a network?): {reason}")
        shutil.copy(POM, Path(folder) / "jars")
        shutil.rmtree(target, ignore_errors=True)
        (Path(folder) / "jars").rename(target)
