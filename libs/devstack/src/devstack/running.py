"""The one stack that `trellis run` keeps in the foreground and `trellis up` in the background."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from devstack.errors import AlreadyRunning, CannotStart, NotRunning, StackError
from devstack.programs import DEFAULT_PORT_BASE, fixed_ports, programs_of
from devstack.stack import Progress, Stack, last_line

_START_SECONDS = 300.0
_STOP_SECONDS = 120.0
_HIGHEST_PORT = 65_535


class Stopped(BaseException):
    """A signal asked for the end."""


def demanded_ports(environment: Mapping[str, str] = os.environ) -> dict[str, int]:
    """The services' ports, from TRELLIS_PORT_BASE on."""
    text = environment.get("TRELLIS_PORT_BASE") or str(DEFAULT_PORT_BASE)
    ports = fixed_ports(int(text)) if text.isdigit() else {}
    if not ports or max(ports.values()) > _HIGHEST_PORT or min(ports.values()) == 0:
        raise StackError(f"TRELLIS_PORT_BASE must be the number of a port, not {text!r}")
    return ports


def run(data: Path, *, roles: str = "all", progress: Progress, ready: Callable[[Stack], None]) -> None:
    """Start, call `ready`, stay until Ctrl-C, SIGTERM or a closed terminal, stop in order."""
    with ended_by_signals():
        stack = Stack(data, ports=demanded_ports(), programs=programs_of(roles), progress=progress)
        try:
            stack.start()
            ready(stack)
            threading.Event().wait()
        except Stopped:
            progress("stopping")
        finally:
            stack.stop()


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """The first signal raises Stopped; further ones are ignored, so that stopping is not torn apart."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    except Stopped:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def is_running(data: Path) -> bool:
    """Whether a supervisor holds this data directory."""
    return running_pid(data) is not None


def running_pid(data: Path) -> int | None:
    """Of the supervisor that holds this data directory."""
    try:
        with (data / "supervisor.lock").open("r+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                text = lock.read().strip()
                return int(text) if text.isdigit() else None
    except FileNotFoundError:
        return None
    return None


def up(data: Path, *, roles: str = "all", progress: Progress) -> None:
    """Start in the background, and wait until it is ready; CannotStart with the reason where it is not."""
    demanded_ports()
    programs_of(roles)
    if is_running(data):
        raise AlreadyRunning(
            f"a stack is already running: its addresses are in {data / 'stack.json'}; `make down` stops it"
        )
    (data / "stack.json").unlink(missing_ok=True)
    log = data / "logs" / "supervisor.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "devstack.background", str(data), roles],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await_file(data / "stack.json", supervisor, log, progress)
    except BaseException:
        if supervisor.poll() is None:
            supervisor.terminate()
            supervisor.wait()
        raise
    supervisor.returncode = 0  # it goes on without us: not ours to wait for


def _await_file(file: Path, supervisor: subprocess.Popen[bytes], log: Path, progress: Progress) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not file.exists():
        if supervisor.poll() is not None:
            raise CannotStart(last_line(log))
        if time.monotonic() > deadline:
            raise CannotStart(f"not ready within {_START_SECONDS:.0f} s: see {log}")
        progress(last_line(log))
        time.sleep(0.2)


def down(data: Path) -> None:
    """Stop the stack that runs on this data directory, in order, and wait for its end."""
    pid = running_pid(data)
    if pid is None:
        (data / "stack.json").unlink(missing_ok=True)
        raise NotRunning(f"no stack is running on {data}")
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while is_running(data):
        if time.monotonic() > deadline:
            raise StackError(f"the stack (process {pid}) did not stop within {_STOP_SECONDS:.0f} s")
        time.sleep(0.1)


def log_to_stderr() -> None:
    """What the supervisor has to say (restarts), one line each."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
