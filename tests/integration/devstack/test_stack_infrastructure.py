"""The supervisor around MongoDB and Kafka alone: locks, ports, order of the end, what is kept."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from devstack.errors import AlreadyRunning, PortTaken
from devstack.ports import LOOPBACK, free_port
from devstack.running import is_running
from devstack.stack import Stack, wipe
from devstack.ways import choose
from pymongo import MongoClient

LOCAL = choose({}, docker=False)


def bare(data: Path) -> Stack:
    return Stack(data, ways=LOCAL, programs=[])


def test_one_at_a_time_the_file_is_private_and_the_data_stay(tmp_path: Path) -> None:
    with bare(tmp_path / "a b") as stack:
        described = json.loads(stack.file.read_text())
        assert stat.S_IMODE(stack.file.stat().st_mode) == 0o600
        assert described["mongodb"] == stack.mongodb_url
        with MongoClient[dict[str, Any]](described["mongodb"]) as client:
            client.kept.things.insert_one({})
        with pytest.raises(AlreadyRunning, match="already running"):
            bare(stack.data).start()
        with pytest.raises(AlreadyRunning, match="make down"):
            wipe(stack.data)
        pids = stack.pids()
        assert set(pids) == {"mongod", "kafka"}
        stack.kill("mongod")
        stack.kill("kafka")
        stack.wait_ready("mongod", "kafka")
        assert set(pids.values()).isdisjoint(stack.pids().values())
        pids = stack.pids()
    assert not stack.file.exists()
    assert not any(psutil.pid_exists(pid) for pid in pids.values())
    with bare(stack.data) as again, MongoClient[dict[str, Any]](again.mongodb_url) as client:
        assert client.kept.things.count_documents({}) == 1
    wipe(stack.data)
    assert not stack.data.exists()


def test_a_taken_port_gets_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    port = free_port()
    stack = Stack(tmp_path, ways=LOCAL, programs=[], ports={"ingest": port})
    with socket.create_server((LOOPBACK, port)), pytest.raises(PortTaken, match=f"port {port} .ingest. is taken"):
        stack.start()
    assert stack.pids() == {}
    assert not is_running(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_leaves_no_process(tmp_path: Path, number: signal.Signals) -> None:
    script = (
        "import sys; from pathlib import Path; from devstack import running, stack; from devstack.ways import choose\n"
        "real = stack.Stack\n"
        "running.Stack = lambda data, **_: real(data, ways=choose({}, docker=False), programs=[])\n"
        "running.run(Path(sys.argv[1]), progress=print, ready=lambda s: print(*s.pids().values(), flush=True))\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        pids = [int(pid) for pid in supervisor.stdout.readline().split()]
        assert len(pids) == 2
        os.kill(supervisor.pid, number)
        supervisor.wait(60)
    assert supervisor.returncode == (-9 if number is signal.SIGKILL else 0)
    deadline = time.monotonic() + 30
    while any(psutil.pid_exists(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert (tmp_path / "stack.json").exists() == (number is signal.SIGKILL)
