"""The demo: a class at work, from statement to explained recommendation, on a stack of its own.

school, pupils, attempts   the simulated class: who they are, how they learn, what their LMS sends
simulated                  three weeks of it, over HTTP
stories                    what is told of it: three learners, an objection, an erasure, the equity report
probing                    how long it takes from a statement to the recommendation that reflects it
house, screen, played      the services over HTTP; what is shown; what a class leaves to be told
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2

from devstack.demo import simulated, stories
from devstack.demo.house import House
from devstack.demo.played import Person, Play, Played, mastered
from devstack.demo.probing import Measured, probing
from devstack.demo.screen import Advance, Screen
from devstack.memory import PeakMemory
from devstack.paths import data_dir
from devstack.running import ended_by_signals
from devstack.stack import Stack, wipe
from devstack.ways import ways_here

__all__ = ["Advance", "House", "Person", "Play", "Played", "Screen", "Show", "mastered", "run"]

REPORT: Final = "report.html"
STACK: Final = "stack"
QUIET_SECONDS: Final = 8.0


@dataclass(frozen=True)
class Show:
    """What is played. `measured_beside`: whether its pace leaves room to measure; else that is done afterwards."""

    play: Play
    sample_catalog: bool = True
    measured_beside: bool = True


SIMULATED: Final = Show(simulated.play)


def run(show: Show = SIMULATED) -> bool:
    """Start a stack of its own, let the class work, tell of it, stop all; False where a signal ended it early."""
    screen = Screen()
    started = time.monotonic()
    folder = data_dir() / "demo"
    measured: Measured | None = None
    with ended_by_signals(), PeakMemory() as memory, _stack(folder, screen, show) as stack:
        screen.line(f"Everything is ready after {time.monotonic() - started:.0f} s")
        measured = asyncio.run(_tell(stack, show, screen, folder / REPORT))
    if measured is None:
        return False
    wipe(folder / STACK)  # where something went wrong it stays, with its logs
    screen.heading("From a statement's acknowledgement to the recommendation that reflects it")
    screen.line(f"  {measured}, {'while the class was at work' if show.measured_beside else 'on a quiet stack'}")
    screen.line(f"Peak memory of everything: {memory.peak_bytes / 1e9:.2f} GB")
    screen.line(f"Everything is stopped. It took {time.monotonic() - started:.0f} s.")
    return True


def _stack(folder: Path, screen: Screen, show: Show) -> Stack:
    """With empty data on free ports. On a MongoDB or Kafka that others use too, under a name of its own."""
    data = folder / STACK
    wipe(data)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ways = ways_here()
    shared = bool(ways.mongodb_url or ways.kafka_bootstrap)
    namespace = f"demo-{secrets.token_hex(4)}-" if shared else ""
    return Stack(data, ways=ways, namespace=namespace, catalog=show.sample_catalog, progress=screen.line)


async def _tell(stack: Stack, show: Show, screen: Screen, page: Path) -> Measured:
    async with httpx2.AsyncClient(timeout=30) as http:
        house = House(stack.description(), http)
        if show.measured_beside:
            async with probing(house) as measured:
                played = await show.play(house, screen)
        else:
            played = await show.play(house, screen)
            async with probing(house) as measured:
                await asyncio.sleep(QUIET_SECONDS)
        await stories.learners(house, screen, played)
        *_, objecting, leaving = played.people
        await stories.objection(house, screen, objecting)
        await stories.erasure(house, screen, leaving, stack.issuer)
        await stories.report(house, screen, played, page)
    return measured
