"""The demo: a class at work, from statement to explained recommendation, on a stack of its own.

school, pupils, attempts   the simulated class: who they are, how they learn, what their LMS sends
simulated                  four weeks of it, over HTTP
stories                    what is told of it: three learners, an objection, an erasure, the equity report
probing                    how long it takes from a statement to the recommendation that reflects it
house, screen, played      the services over HTTP; what is shown; what a class leaves to be told
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import time
from pathlib import Path

import httpx2

from devstack.demo import simulated, stories
from devstack.demo.house import House
from devstack.demo.played import Person, Play, Played, mastered
from devstack.demo.probing import probing
from devstack.demo.screen import Advance, Screen
from devstack.latency import Probe, percentiles
from devstack.memory import PeakMemory
from devstack.paths import data_dir
from devstack.running import ended_by_signals
from devstack.stack import Stack, wipe
from devstack.ways import ways_here

__all__ = ["Advance", "House", "Person", "Play", "Played", "Screen", "mastered", "run"]

REPORT = "report.html"


def run(play: Play = simulated.play, *, sample_catalog: bool = True) -> bool:
    """Start a stack of its own, let the class work, tell of it, stop all; False where a signal ended it early."""
    screen = Screen()
    started = time.monotonic()
    folder = data_dir() / "demo"
    finished = False
    with ended_by_signals(), PeakMemory() as memory:
        with _stack(folder, screen, sample_catalog=sample_catalog) as stack:
            screen.line(f"Everything is ready after {time.monotonic() - started:.0f} s")
            measured = asyncio.run(_show(stack, play, screen, folder / REPORT))
        finished = True
    if finished:
        screen.heading("From a statement's acknowledgement to the recommendation that reflects it")
        screen.line(f"  {percentiles(measured.seconds)}, while the class was at work")
        screen.line(f"Peak memory of everything: {memory.peak_bytes / 1e9:.2f} GB")
        screen.line(f"Everything is stopped. It took {time.monotonic() - started:.0f} s.")
    return finished


def _stack(folder: Path, screen: Screen, *, sample_catalog: bool) -> Stack:
    """With empty data on free ports. On a MongoDB or Kafka that others use too, under a name of its own."""
    data = folder / "stack"
    wipe(data)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ways = ways_here()
    shared = bool(ways.mongodb_url or ways.kafka_bootstrap)
    namespace = f"demo-{secrets.token_hex(4)}-" if shared else ""
    return Stack(data, ways=ways, namespace=namespace, catalog=sample_catalog, progress=screen.line)


async def _show(stack: Stack, play: Play, screen: Screen, page: Path) -> Probe:
    async with httpx2.AsyncClient(timeout=30) as http:
        house = House(stack.description(), http)
        async with probing(house) as probe:
            played = await play(house, screen)
        await stories.learners(house, screen, played)
        *_, objecting, leaving = played.people
        await stories.objection(house, screen, objecting)
        await stories.erasure(house, screen, leaving, stack.issuer)
        await stories.report(house, screen, played, page)
    return probe
