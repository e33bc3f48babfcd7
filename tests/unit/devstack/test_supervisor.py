"""Programs are started again when they end unasked, and end with whoever started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from devstack.errors import CannotStart
from devstack.process import Child
from devstack.supervisor import LONGEST_PAUSE_SECONDS, Supervisor, pause_seconds

FOREVER = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
]


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    supervisor = Supervisor()
    supervisor.open()
    yield supervisor
    supervisor.stop(*supervisor.names(), grace_seconds=1)
    supervisor.close()


def eventually(holds: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


def watched(supervisor: Supervisor, folder: Path, name: str = "sleeper", command: list[str] = FOREVER) -> Child:
    child = Child(name, command, log=folder / f"{name}.log")
    child.start()
    supervisor.add(child)
    return child


def test_a_killed_program_is_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    watched(supervisor, tmp_path)
    first = supervisor.pids()["sleeper"]
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: supervisor.pids().get("sleeper", first) != first)
    assert supervisor.restarts("sleeper") == 1


def test_a_program_killed_for_good_stays_away_until_it_is_started(supervisor: Supervisor, tmp_path: Path) -> None:
    watched(supervisor, tmp_path)
    supervisor.kill("sleeper", restart=False)
    assert not eventually(lambda: "sleeper" in supervisor.pids(), seconds=1.5)
    supervisor.start("sleeper")
    assert "sleeper" in supervisor.pids()


def test_who_does_not_stop_is_killed(supervisor: Supervisor, tmp_path: Path) -> None:
    child = watched(supervisor, tmp_path, "deaf", STUBBORN)
    assert eventually(lambda: "deaf" in child.output())
    supervisor.stop("deaf", grace_seconds=0.5)
    assert supervisor.pids() == {}


def test_the_pause_grows_to_a_bound() -> None:
    assert [pause_seconds(failures) for failures in (1, 2, 3)] == [0.5, 1.0, 2.0]
    assert pause_seconds(50) == LONGEST_PAUSE_SECONDS


def test_a_program_ends_with_whoever_started_it(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from devstack.process import Child\n"
        f"child = Child('x', {FOREVER!r}, log=Path({str(tmp_path / 'x.log')!r})); child.start()\n"
        "print(child.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    assert eventually(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_waiting_ends_when_the_program_does(tmp_path: Path) -> None:
    child = Child("brief", [sys.executable, "-c", "print('no luck'); raise SystemExit(3)"], log=tmp_path / "brief.log")
    child.start()
    with pytest.raises(CannotStart, match="brief ended with code 3"):
        child.wait_until(lambda: False, timeout_seconds=10)
    assert child.output().strip() == "no luck"
