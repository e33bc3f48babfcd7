"""A child process that writes to a log file and dies with whoever started it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from devstack.errors import CannotStart

_PR_SET_PDEATHSIG = 1
_LOG_BYTES = 20 * 2**20  # beyond it a start begins a new log and keeps one old one
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent() -> None:
    """In the child, before exec: own session (a Ctrl-C reaches the supervisor alone), end with the parent."""
    os.setsid()
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Handle(Protocol):
    """The part of subprocess.Popen that a child needs."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, signal: int) -> None: ...


Launch = Callable[[str, Sequence[str], Path, dict[str, str]], Handle]


def launch(name: str, command: Sequence[str], log: Path, environment: dict[str, str]) -> Handle:
    """Start a program whose output is appended to the log."""
    del name
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            preexec_fn=die_with_parent,
        )


class Child:
    """A named program with its log file.

    Start it from a thread that outlives it: the kernel ends a child with the *thread* that started it.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        launch: Launch = launch,
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.log = log
        self._environment = dict(os.environ if env is None else env)
        self._launch = launch
        self._process: Handle | None = None
        self._log_start = 0

    def start(self) -> None:
        """Start the program; its output is appended to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".old.log"))
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        self._process = self._launch(self.name, self.command, self.log, self._environment)

    @property
    def pid(self) -> int | None:
        """Of the running program, or None."""
        return self._process.pid if self._process is not None and self.running else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll() if self._process is not None else None

    def signal(self, number: int) -> None:
        """Send a signal, if there is still someone to receive it."""
        if self._process is not None and self.running:
            self._process.send_signal(number)

    def wait(self, timeout_seconds: float) -> bool:
        """Whether the program ended within that time."""
        if self._process is None:
            return True
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def terminate(self) -> None:
        """SIGTERM, without waiting."""
        self.signal(signal.SIGTERM)

    def stop(self, grace_seconds: float = 20) -> None:
        """SIGTERM, and SIGKILL after the grace."""
        self.terminate()
        if not self.wait(grace_seconds):
            self.kill()

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.signal(signal.SIGKILL)
        self.wait(20)

    def output(self) -> str:
        """What the program wrote since its last start."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def wait_until(self, ready: Callable[[], bool], timeout_seconds: float, *, poll_seconds: float = 0.1) -> None:
        """Wait for readiness; CannotStart when the program ends or the time is over."""
        deadline = time.monotonic() + timeout_seconds
        while not ready():
            if not self.running:
                raise CannotStart(f"{self.name} ended with code {self.exit_code}: see {self.log}")
            if time.monotonic() > deadline:
                raise CannotStart(f"{self.name} was not ready within {timeout_seconds:.0f} s: see {self.log}")
            time.sleep(poll_seconds)
