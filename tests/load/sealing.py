"""What keys cost ingest: CPU for each statement, in the clear and sealed, in alternating rounds on one machine.

`python -m tests.load.sealing [rounds]`; MongoDB and Kafka as `trellis up` finds them.
"""

from __future__ import annotations

import os
import secrets
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

from devstack.latency import account, answered
from devstack.programs import Program
from devstack.stack import Stack

from tests.load.closed_loop import Lrs, drive
from tests.load.machine import machine, say

PROGRAMS = [
    Program("ingest", "serve"),
    Program("privacy", "serve"),
    Program("privacy", "work"),
    Program("ingest", "work"),
]
SHAPES = {"one a POST, 16 connections": (1, 16, 1500), "100 a POST, 4 connections": (100, 4, 60)}
LEARNERS = 300


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    say(machine())
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        stacks = {name: running.enter_context(_stack(Path(folder), name)) for name in ("none", "file")}
        for label, shape in SHAPES.items():
            took: dict[str, list[float]] = {name: [] for name in stacks}
            for number in range(rounds + 1):
                for name, stack in stacks.items():
                    spent = _round(stack, *shape)
                    if number:  # the first warms up
                        took[name].append(spent)
            clear, sealed = (statistics.median(took[name]) for name in ("none", "file"))
            ratios = [s / c for c, s in zip(took["none"], took["file"], strict=True)]
            say(
                f"{label}: in the clear {clear:.0f} µs CPU a statement, sealed {sealed:.0f} µs; "
                f"ratio {statistics.median(ratios):.3f} (of {', '.join(f'{r:.2f}' for r in ratios)})"
            )


def _stack(folder: Path, provider: str) -> Stack:
    return Stack(
        folder / provider,
        programs=PROGRAMS,
        namespace=f"seal{secrets.token_hex(3)}-",
        environment={"TRELLIS_KEY_PROVIDER": provider},
    )


def _round(stack: Stack, size: int, connections: int, posts: int) -> float:
    """CPU µs of ingest's process for each statement."""
    ingest = stack.description()["ingest"]
    lrs = Lrs("trellis", ingest["xapi"], ingest["key"], ingest["secret"])
    requests = list(islice(_posts(lrs, size), posts))
    pid = stack.pids()["ingest"]
    before = _cpu_seconds(pid)
    outcome = drive(lrs, requests, connections=connections)
    spent = _cpu_seconds(pid) - before
    if outcome.failed:
        raise RuntimeError(outcome.first_failure)
    return spent * 1e6 / (len(outcome.seconds) * size)


def _posts(lrs: Lrs, size: int) -> Iterator[bytes]:
    actors = [account(f"pupil-{number}") for number in range(LEARNERS)]
    while True:
        statements: list[dict[str, Any]] = [
            answered(secrets.choice(actors), "https://example.org/activities/1", scaled=1.0, seconds=30)
            for _ in range(size)
        ]
        yield lrs.post(statements if size > 1 else statements[0])


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
