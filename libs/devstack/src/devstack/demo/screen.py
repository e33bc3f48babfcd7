"""What the demo shows: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_LINE_EVERY_SECONDS: Final = 5.0


class Advance(Protocol):
    def __call__(self, steps: int = 1) -> None:
        """So many steps more are done."""
        ...


class Screen:
    """Where the demo writes."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)

    def line(self, text: str = "") -> None:
        self.console.print(text, markup=False)

    def heading(self, text: str) -> None:
        self.line()
        self.console.print(text, style="bold", markup=False)

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator[Advance]:
        """A bar of `total` steps, and how long they took."""
        if not self.console.is_terminal:
            yield from self._lines(title, total)
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(title, total=total)
            yield lambda steps=1: progress.advance(task, steps)

    def _lines(self, title: str, total: int) -> Iterator[Advance]:
        done, started, told = 0, time.monotonic(), time.monotonic()

        def advance(steps: int = 1) -> None:
            nonlocal done, told
            done += steps
            if done < total and time.monotonic() - told > _LINE_EVERY_SECONDS:
                told = time.monotonic()
                self.line(f"{title}: {done} of {total}")

        yield advance
        self.line(f"{title}: {done} of {total} in {time.monotonic() - started:.1f} s")
