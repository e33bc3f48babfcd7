"""Forked programs behave as started ones: own environment, log, exit code, random numbers."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from devstack.forking import Nursery
from devstack.process import Child

PROGRAM = """
import atexit, os, random, sys, time, uuid
import uuid_utils.compat
atexit.register(lambda: print("at exit"))
print("name", __name__, "arguments", sys.argv[1:], "word", os.environ.get("WORD"), "home", os.environ.get("HOME"))
print("random", random.random(), uuid.uuid4(), uuid_utils.compat.uuid7(), flush=True)
if sys.argv[1] == "sleep":
    time.sleep(600)
if sys.argv[1] == "raise":
    raise ValueError("no luck")
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def nursery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nursery]:
    (tmp_path / "seedling.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    nursery = Nursery(tmp_path / "nursery.log")
    nursery.start()
    yield nursery
    nursery.stop()


def planted(nursery: Nursery, folder: Path, name: str, *arguments: str) -> Child:
    command = [sys.executable, "-m", "seedling", *arguments]
    child = Child(name, command, log=folder / f"{name}.log", env={"WORD": name}, launch=nursery.launch)
    child.start()
    return child


def wait_for(child: Child, word: str) -> None:
    deadline = time.monotonic() + 20
    while word not in child.output() and time.monotonic() < deadline:
        time.sleep(0.02)


def test_environment_log_and_exit_code_are_its_own(nursery: Nursery, tmp_path: Path) -> None:
    one, two = planted(nursery, tmp_path, "one", "0"), planted(nursery, tmp_path, "two", "3")
    assert one.wait(20)
    assert two.wait(20)
    assert (one.exit_code, two.exit_code) == (0, 3)
    assert "name __main__ arguments ['0'] word one home None" in one.output()
    assert "word two" in two.output()
    assert one.output().splitlines()[-1] == "at exit"
    assert not set(one.output().splitlines()[1].split()[1:]) & set(two.output().splitlines()[1].split()[1:])


def test_an_exception_is_told_in_the_log(nursery: Nursery, tmp_path: Path) -> None:
    child = planted(nursery, tmp_path, "unlucky", "raise")
    assert child.wait(20)
    assert child.exit_code == 1
    assert "ValueError: no luck" in child.output()


def test_a_killed_one_is_noticed_and_starts_again(nursery: Nursery, tmp_path: Path) -> None:
    child = planted(nursery, tmp_path, "sleeper", "sleep")
    first = child.pid
    child.kill()
    assert child.exit_code == -signal.SIGKILL
    child.start()
    assert child.running
    assert child.pid != first
    child.stop(grace_seconds=5)
    assert child.exit_code == -signal.SIGTERM


def test_programs_end_with_the_nursery_and_can_be_started_again(nursery: Nursery, tmp_path: Path) -> None:
    child = planted(nursery, tmp_path, "sleeper", "sleep")
    wait_for(child, "random")
    pid = child.pid
    assert pid is not None
    os.kill(psutil.Process(pid).ppid(), signal.SIGKILL)
    assert child.wait(10)
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not psutil.pid_exists(pid)
    child.start()
    assert child.running
