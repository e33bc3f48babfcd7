"""How much memory a tree of processes takes: the sum of proportional set sizes, in which shared pages count once."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType

import psutil

_SAMPLE_SECONDS = 0.5


def tree_bytes(pid: int | None = None) -> int:
    """Of a process (this one by default) and everything below it."""
    top = psutil.Process(pid or os.getpid())
    return sum(_bytes(process) for process in [top, *top.children(recursive=True)])


def _bytes(process: psutil.Process) -> int:
    try:
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


class PeakMemory:
    """The greatest `tree_bytes` seen while it is open.

    >>> with PeakMemory() as memory:
    ...     work()
    >>> memory.peak_bytes
    """

    def __init__(self, pid: int | None = None) -> None:
        self.peak_bytes = 0
        self._pid = pid
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory", daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            self.peak_bytes = max(self.peak_bytes, tree_bytes(self._pid))
            if self._closed.wait(_SAMPLE_SECONDS):
                return
