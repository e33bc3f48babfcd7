"""Programs of a supervisor that was killed: they end by themselves (see `process`), which takes them a moment."""

from __future__ import annotations

import json
from pathlib import Path

import psutil

_GRACE_SECONDS = 30.0


class Leftovers:
    """The processes a stack started, kept in a file beside its data."""

    def __init__(self, data: Path) -> None:
        self._file = data / "processes.json"

    def remember(self, pids: dict[str, int]) -> None:
        """With the time of their start: a pid alone may come to belong to someone else."""
        started = {}
        for name, pid in pids.items():
            try:
                started[name] = [pid, psutil.Process(pid).create_time()]
            except psutil.NoSuchProcess:
                continue
        self._file.write_text(json.dumps(started))

    def forget(self) -> None:
        self._file.unlink(missing_ok=True)

    def wait(self) -> None:
        """Until those of the last supervisor are gone; what outlasts the grace is killed."""
        alive = self._alive()
        _, alive = psutil.wait_procs(alive, timeout=_GRACE_SECONDS) if alive else ([], [])
        for process in alive:
            process.kill()
        psutil.wait_procs(alive, timeout=10)
        self.forget()

    def _alive(self) -> list[psutil.Process]:
        try:
            known = json.loads(self._file.read_text())
        except (FileNotFoundError, ValueError):
            return []
        found = []
        for pid, created in known.values():
            try:
                process = psutil.Process(pid)
                if process.create_time() == created:
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found
