"""The supervisor's side of the nursery: programs as children of a process that has its imports behind it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from devstack.errors import CannotStart
from devstack.process import Handle, die_with_parent

_BIRTH_SECONDS = 60.0


class Forked:
    """A program that the nursery forked, with the part of Popen's interface that `Child` uses."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None
        self._ended = threading.Event()

    def poll(self) -> int | None:
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        if not self._ended.wait(timeout) or self._code is None:
            raise subprocess.TimeoutExpired([str(self.pid)], timeout or 0)
        return self._code

    def send_signal(self, signal: int) -> None:
        if self._code is None:
            os.kill(self.pid, signal)

    def end(self, code: int) -> None:
        """The nursery says so."""
        self._code = code
        self._ended.set()


class Nursery:
    """Starts `python -m <module> …` commands by forking. Started again when it has died, and its programs with it."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._births: queue.Queue[Forked | None] = queue.Queue()
        self._living: dict[int, Forked] = {}
        self._lock = threading.Lock()
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """Begin to import; the first `launch` waits for it."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "devstack.nursery"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                preexec_fn=die_with_parent,
            )
        assert self._process.stdout is not None  # noqa: S101
        self._births = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), name="nursery", daemon=True)
        self._reader.start()

    def stop(self) -> None:
        """End it; programs that still run end with it."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            self._process.wait()
        if self._reader is not None:
            self._reader.join()
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def launch(self, name: str, command: Sequence[str], log: Path, environment: dict[str, str]) -> Handle:
        """Fork a program; the command must be `python -m <module> <arguments…>`."""
        order = {
            "name": name,
            "module": command[2],
            "arguments": list(command[3:]),
            "log": str(log),
            "environment": environment,
        }
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self.stop()
                self.start()
            assert self._process is not None  # noqa: S101
            assert self._process.stdin is not None  # noqa: S101
            try:
                self._process.stdin.write(json.dumps(order).encode() + b"\n")
                self._process.stdin.flush()
                born = self._births.get(timeout=_BIRTH_SECONDS)
            except (OSError, queue.Empty):
                born = None
        if born is None:
            raise CannotStart(f"{name} could not be forked: see {self._log}")
        return born

    def _read(self, lines: IO[bytes]) -> None:
        for line in lines:
            message = json.loads(line)
            if "born" in message:
                forked = Forked(message["born"])
                self._living[forked.pid] = forked
                self._births.put(forked)
            else:
                self._living.pop(message["dead"]).end(message["code"])
        self._births.put(None)
        for forked in self._living.values():  # the kernel ends them with the nursery
            forked.end(-1)
        self._living.clear()
