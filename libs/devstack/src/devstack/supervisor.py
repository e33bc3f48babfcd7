"""Keeps programs running: one that ends unasked is started again, after a pause that grows."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

from devstack.process import Child

log = logging.getLogger("devstack")

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0
STEADY_SECONDS = 30.0
_POLL_SECONDS = 0.2


def pause_seconds(failures: int) -> float:
    """How long to wait before the start that follows so many failures in a row."""
    return min(FIRST_PAUSE_SECONDS * 2.0 ** (failures - 1), LONGEST_PAUSE_SECONDS)


@dataclass
class _Watched:
    child: Child
    wanted: bool = True
    started_at: float = field(default_factory=time.monotonic)
    failures: int = 0
    restart_at: float | None = None
    restarts: int = 0


class Supervisor:
    """Watches programs from a thread of its own, until it is closed.

    Its thread also starts them again, and the kernel ends a program with the thread that started it (see `Child`):
    so stop the programs before `close`.
    """

    def __init__(self) -> None:
        self._watched: dict[str, _Watched] = {}
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def open(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """No more restarts. The programs are left as they are."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def add(self, child: Child) -> None:
        """Watch a program that has just been started."""
        with self._lock:
            self._watched[child.name] = _Watched(child)

    def names(self) -> list[str]:
        return list(self._watched)

    def pids(self) -> dict[str, int]:
        """Of the programs that run now."""
        with self._lock:
            return {name: pid for name, watched in self._watched.items() if (pid := watched.child.pid) is not None}

    def restarts(self, name: str) -> int:
        """How often it was started again unasked."""
        return self._watched[name].restarts

    def failures(self, name: str) -> int:
        """How often in a row it ended by itself soon after a start."""
        return self._watched[name].failures

    def kill(self, name: str, *, restart: bool = True) -> None:
        """SIGKILL; it is started again after a pause, or (restart=False) when `start` is called."""
        with self._lock:
            self._watched[name].wanted = restart
            self._watched[name].failures = 0  # our doing, not its own
            self._watched[name].child.kill()

    def stop(self, *names: str, grace_seconds: float = 20) -> None:
        """SIGTERM to all at once, and wait; they stay stopped until `start`."""
        for name in names:
            with self._lock:
                self._watched[name].wanted = False
                self._watched[name].restart_at = None
                self._watched[name].child.terminate()
        deadline = time.monotonic() + grace_seconds
        for name in names:
            child = self._watched[name].child
            if not child.wait(max(0.0, deadline - time.monotonic())):
                log.warning("%s did not stop within %.0f s and is killed", name, grace_seconds)
                child.kill()

    def start(self, name: str) -> None:
        """Start a program that was stopped or killed."""
        with self._lock:
            watched = self._watched[name]
            if not watched.child.running:
                watched.child.start()
            watched.wanted, watched.restart_at, watched.started_at = True, None, time.monotonic()

    def _watch(self) -> None:
        while not self._closed.wait(_POLL_SECONDS):
            for name, watched in list(self._watched.items()):
                with self._lock:
                    self._look_at(name, watched)

    def _look_at(self, name: str, watched: _Watched) -> None:
        now = time.monotonic()
        if not watched.wanted or watched.child.running:
            return
        if watched.restart_at is None:
            watched.failures = 1 if now - watched.started_at > STEADY_SECONDS else watched.failures + 1
            pause = pause_seconds(watched.failures)
            watched.restart_at = now + pause
            code = watched.child.exit_code
            log.warning("%s ended with code %s: starting it again in %.1f s (%s)", name, code, pause, watched.child.log)
        elif now >= watched.restart_at:
            watched.child.start()
            watched.restarts += 1
            watched.started_at, watched.restart_at = now, None
