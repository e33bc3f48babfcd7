"""What a statement costs and how soon it shows, with everything running."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2
import psutil
from devstack.latency import Probe, account, answered, percentiles
from devstack.stack import Stack

from tests.load.machine import say


def measure(*, rate: float, seconds: float, probes: int) -> None:
    """From the acknowledgement to the recommendation at `rate` statements/s, then batches."""
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        description = stack.description()
        asyncio.run(reflected(description, rate=rate, seconds=10, probes=2))
        say("(that was the warm-up)")
        meter = CpuMeter(stack)
        sent = asyncio.run(reflected(description, rate=rate, seconds=seconds, probes=probes))
        meter.report(sent)
        asyncio.run(batches(description, count=100, size=100, connections=4))


class CpuMeter:
    """CPU seconds of each program of the stack, and of this one, since it was made."""

    def __init__(self, stack: Stack) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in stack.pids().items()}
        self._processes["(this load)"] = psutil.Process()
        self._before = self._read()
        self._started = time.perf_counter()

    def _read(self) -> dict[str, float]:
        return {name: sum(process.cpu_times()[:2]) for name, process in self._processes.items()}

    def report(self, statements: int) -> None:
        """Share of a core, and milliseconds a statement."""
        took = time.perf_counter() - self._started
        used = {name: after - self._before[name] for name, after in self._read().items()}
        for name, spent in sorted(used.items(), key=lambda item: -item[1]):
            say(f"  {name:24} {spent / took:6.1%} of a core, {1000 * spent / statements:6.3f} ms a statement")
        say(f"  {'all':24} {sum(used.values()) / took:6.1%} of a core")


async def reflected(description: dict[str, Any], *, rate: float, seconds: float, probes: int) -> int:
    """Open loop: `rate` statements/s, one a POST, by 300 learners; `probes` further learners measure on the way.

    Returns how many statements were posted in all.
    """
    limits = httpx2.Limits(max_connections=64, max_keepalive_connections=64)
    async with httpx2.AsyncClient(timeout=30, limits=limits) as http:
        probe = Probe(description, http)
        catalog = await http.get(
            f"{description['recommendation']['url']}/catalog/activities",
            params={"limit": 50},
            headers={"Authorization": f"Bearer {description['operator_token']}"},
        )
        activities = [item["id"] for item in catalog.json()["items"]]
        actors = [account(f"bench-{number}") for number in range(300)]
        stop = asyncio.Event()

        async def measuring(number: int) -> None:
            actor = account(f"probe-{number}")
            learner_id = await probe.learner_id(actor)
            while not stop.is_set():
                await probe.measure(answered(actor, random.choice(activities), scaled=1.0, seconds=20), learner_id)
                await asyncio.sleep(0.5)

        measurers = [asyncio.create_task(measuring(number)) for number in range(probes)]
        posts: set[asyncio.Task[None]] = set()
        started = time.perf_counter()
        sent = 0
        while (now := time.perf_counter() - started) < seconds:
            while sent < now * rate:
                statement = answered(
                    random.choice(actors), random.choice(activities), scaled=random.random(), seconds=20
                )
                task = asyncio.create_task(probe.post(statement))
                posts.add(task)
                task.add_done_callback(posts.discard)
                sent += 1
            await asyncio.sleep(0.002)
        stop.set()
        await asyncio.gather(*measurers, *posts)
        took = time.perf_counter() - started
    say(f"offered {rate:.0f} statements/s, one a POST: {sent} in {took:.1f} s, {sent / took:.0f}/s acknowledged")
    say(f"  acknowledgement          {percentiles(probe.acknowledgements)}")
    say(f"  to the recommendation    {percentiles(probe.seconds)}")
    return len(probe.acknowledgements)


async def batches(description: dict[str, Any], *, count: int, size: int, connections: int) -> None:
    """Closed loop: `count` batches of `size` over `connections` connections."""
    ingest = description["ingest"]
    async with httpx2.AsyncClient(timeout=60) as http:
        waiting = iter(range(count))
        seconds: list[float] = []

        async def posting() -> None:
            for number in waiting:
                body = [
                    answered(account(f"batch-{number}"), f"https://trellis.invalid/{i}", scaled=0.5, seconds=9)
                    for i in range(size)
                ]
                began = time.perf_counter()
                answer = await http.post(
                    f"{ingest['xapi']}/statements",
                    json=body,
                    auth=(ingest["key"], ingest["secret"]),
                    headers={"X-Experience-API-Version": "1.0.3"},
                )
                answer.raise_for_status()
                seconds.append(time.perf_counter() - began)

        started = time.perf_counter()
        await asyncio.gather(*(posting() for _ in range(connections)))
        took = time.perf_counter() - started
    say(f"{size} a POST, {connections} connections: {count * size / took:.0f} statements/s; {percentiles(seconds)}")
