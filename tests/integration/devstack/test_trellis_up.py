"""`trellis up`, `down` and all services: what is there at the first start is there again at the next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from devstack.ports import free_port, is_free
from devstack.programs import all_programs

VERSION = {"X-Experience-API-Version": "1.0.3"}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A folder and a range of ports of our own, and programs of our own."""
    base = next(port for port in iter(free_port, None) if all(is_free(port + offset) for offset in range(5)))
    given = {"TRELLIS_MONGODB_URL": "", "TRELLIS_KAFKA_BOOTSTRAP": ""}
    return {**os.environ, **given, "TRELLIS_DATA": str(tmp_path), "TRELLIS_PORT_BASE": str(base)}


def trellis(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("trellis")), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


def lives(process: psutil.Process) -> bool:
    """A zombie has ended: whoever adopted it has yet to notice."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def statement_count(stack: dict[str, Any]) -> int:
    auth = httpx2.BasicAuth(stack["ingest"]["key"], stack["ingest"]["secret"])
    answer = httpx2.get(f"{stack['ingest']['xapi']}/statements", auth=auth, headers=VERSION)
    return len(answer.raise_for_status().json()["statements"])


def post_statement(stack: dict[str, Any]) -> None:
    auth = httpx2.BasicAuth(stack["ingest"]["key"], stack["ingest"]["secret"])
    statement = {
        "actor": {"mbox": "mailto:ada@example.org"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": "https://trellis.invalid/activities/maths/fractions/quiz"},
    }
    url = f"{stack['ingest']['xapi']}/statements"
    httpx2.post(url, json=statement, auth=auth, headers=VERSION).raise_for_status()


def test_up_twice_down_and_up_again(environment: dict[str, str], tmp_path: Path) -> None:
    started = trellis(environment, "up")
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        stack = json.loads((tmp_path / "stack.json").read_text())
        assert stack["ingest"]["url"] == f"http://127.0.0.1:{environment['TRELLIS_PORT_BASE']}"
        assert stack["ingest"]["secret"] in started.stdout
        post_statement(stack)

        again = trellis(environment, "up")
        assert (again.returncode, again.stdout.count("\n")) == (0, 1)
        assert "already running" in again.stdout

        token = trellis(environment, "token", "--role", "app").stdout.strip()
        catalog = httpx2.get(
            f"{stack['recommendation']['url']}/catalog/activities",
            params={"limit": 100},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert len(catalog.raise_for_status().json()["items"]) >= 50

        elsewhere = trellis({**environment, "TRELLIS_DATA": str(tmp_path / "other")}, "up")
        assert elsewhere.returncode == 1
        assert "TRELLIS_PORT_BASE" in elsewhere.stderr
        assert elsewhere.stderr.strip().count("\n") == 0

        supervisor = psutil.Process(int((tmp_path / "supervisor.lock").read_text()))
        family = [supervisor, *supervisor.children(recursive=True)]
        assert len(family) >= len(all_programs()) + 3
        assert trellis(environment, "down").returncode == 0
        assert not [process for process in family if lives(process)]
        assert not (tmp_path / "stack.json").exists()
        assert "no stack is running" in trellis(environment, "down").stdout

        assert trellis(environment, "up", "--roles", "recording").returncode == 0
        second = json.loads((tmp_path / "stack.json").read_text())
        assert second["ingest"] == stack["ingest"]
        assert "recommendation" not in second
        assert statement_count(second) == 1
    finally:
        trellis(environment, "down")
    assert trellis(environment, "clean").returncode == 0
    assert not tmp_path.exists()
