"""What a retention rule that takes half of everything does to ingest: `python -m tests.load.retention`.

Statements are recorded, then single ones go on at a fixed rate: for a while with nothing else, then beside the run of
the rule, then with nothing else again. Each latency counts from when its statement was due, so that a pause shows.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from devstack.latency import XAPI_HEADERS, percentiles
from devstack.stack import Stack
from pymongo import MongoClient

from tests.load.flow import CpuMeter
from tests.load.machine import machine, say
from tests.load.sample import actor, batches, statements
from tests.support.driving import House, eventually

VERB = "https://trellis.invalid/verbs/outlived"
BATCH = 100
FILLERS = 4
EACH = 500
IN_A_ROW = 25  # statements of one learner; else the other services take an hour for a million
GOAL = 1.5
SETTLE_SECONDS = 5
TOLD_SECONDS = 30
TRIES = 30
POLL_SECONDS = 10  # to count a million is a second of mongod's time


@dataclass(frozen=True, slots=True)
class Plan:
    """`size` statements, half of them taken; `rate` a second measured, for `seconds` before and after the run."""

    size: int
    rate: float
    seconds: float
    records_per_second: float
    most_seconds: float


@dataclass
class Phase:
    """Latencies in seconds, of what was due while the phase lasted."""

    name: str
    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    def say(self) -> None:
        say(f"  {self.name:24} {percentiles(self.seconds)}" + (f", {self.failed} failed" if self.failed else ""))


def measure(plan: Plan) -> None:
    settings = {"TRELLIS_RETENTION_RECORDS_PER_SECOND": str(plan.records_per_second)}
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder), environment=settings) as stack,
        House.of(stack) as house,
    ):
        took = asyncio.run(fill(stack.description(), plan.size))
        say(f"{plan.size:,} statements recorded in {took:.0f} s; waiting for the other services")
        eventually(lambda: _caught_up(house, plan.size), seconds=3600, what="the other services")
        say("they have caught up; measuring")
        asyncio.run(_phases(stack, plan))


def _caught_up(house: House, size: int) -> bool:
    time.sleep(POLL_SECONDS)
    return house.stats("ingest")["outbox"] == 0 and house.stats("learner_profile")["evidence"] >= size


async def fill(description: dict[str, Any], size: int) -> float:
    """Seconds. However many there are, a learner has 500 of them."""
    chance, learners = random.Random(2), max(20, size // EACH)
    began = time.perf_counter()
    async with _http(description) as http:
        waiting = batches(BATCH, size // BATCH)

        async def posting() -> None:
            for batch in waiting:
                for start in range(0, BATCH, IN_A_ROW):
                    someone = actor(chance.randrange(learners))
                    for one in batch[start : start + IN_A_ROW]:
                        one["actor"] = someone
                for one in batch[::2]:
                    one["verb"] = {"id": VERB}
                await _recorded(http, batch)

        await asyncio.gather(*(posting() for _ in range(FILLERS)))
    return time.perf_counter() - began


async def _recorded(http: httpx2.AsyncClient, batch: list[dict[str, Any]]) -> None:
    """Again while ingest asks to wait, as an LMS does."""
    for _ in range(TRIES):
        answer = await http.post("statements", json=batch)
        if answer.status_code != 503:
            break
        await asyncio.sleep(1)
    answer.raise_for_status()


async def _phases(stack: Stack, plan: Plan) -> None:
    description = stack.description()
    async with _http(description) as http, _officer(description) as officer:
        load = _Load(http, plan.rate, statements(seed=1))
        warm, before, beside, after = (Phase(name) for name in ("warm-up", "normal, before", "beside the run", "after"))
        load.phase = warm
        task = asyncio.create_task(load.run())
        await asyncio.sleep(SETTLE_SECONDS)
        load.phase = before
        with _cost(stack, before):
            await asyncio.sleep(plan.seconds)
        load.phase = beside
        with _cost(stack, beside):
            run, took = await _run(officer, plan.most_seconds)
        load.phase = Phase("settling")
        await asyncio.sleep(SETTLE_SECONDS)
        load.phase = after
        await asyncio.sleep(plan.seconds)
        load.stop = True
        await task
    counts = {service: sum(one.values()) for service, one in run["counts"].items()}
    say(f"the run is {run['status']} after {took:.0f} s: {counts}, left: {run['kept']}")
    for phase in (before, beside, after):
        phase.say()
    normal = percentiles(before.seconds + after.seconds).p99
    ratio = percentiles(beside.seconds).p99 / normal
    say(f"  p99 beside the run is {ratio:.2f} × the normal one of {normal * 1000:.0f} ms (goal: at most {GOAL})")


@contextmanager
def _cost(stack: Stack, phase: Phase) -> Iterator[None]:
    """What the phase costs each program, and how many transactions of mongod began anew."""
    with MongoClient[dict[str, Any]](stack.mongodb_url) as client:
        meter, already = CpuMeter(stack), _conflicts(client)
        yield
        conflicts = _conflicts(client) - already
    say(f"  {phase.name}: {conflicts:,} write conflicts")
    meter.report(max(1, len(phase.seconds)))


def _conflicts(client: MongoClient[dict[str, Any]]) -> int:
    return int(client.admin.command("serverStatus")["metrics"]["operation"]["writeConflicts"])


async def _run(officer: httpx2.AsyncClient, most_seconds: float) -> tuple[dict[str, Any], float]:
    """The run as it ended, and how long it took; after `most_seconds` it is cancelled."""
    rule = {"name": "half", "reason": "a measurement", "action": "delete", "verbs": [VERB], "stored_for": "PT0M"}
    made = (await officer.post("/retention-rules", json=rule)).raise_for_status().json()
    began = time.perf_counter()
    run: dict[str, Any] = (await officer.post(f"/retention-rules/{made['id']}/runs")).raise_for_status().json()
    say(f"the run of the rule has begun; {run['portions']} portions")
    told = began
    while run["status"] == "running":
        await asyncio.sleep(1)
        if time.perf_counter() - told > TOLD_SECONDS:
            told = time.perf_counter()
            say(f"  after {told - began:.0f} s: {run['portions_done']} done, {run['counts']}")
        if time.perf_counter() - began > most_seconds:
            await officer.post(f"/retention-runs/{run['id']}/cancel")
        run = (await officer.get(f"/retention-runs/{run['id']}")).raise_for_status().json()
    return run, time.perf_counter() - began


class _Load:
    """Open loop: single statements at a fixed rate, whatever comes of them, each noted in the phase it was due in."""

    def __init__(self, http: httpx2.AsyncClient, rate: float, waiting: Iterator[dict[str, Any]]) -> None:
        self._http = http
        self._rate = rate
        self._waiting = waiting
        self.phase = Phase("none")
        self.stop = False

    async def run(self) -> None:
        began, sent = time.perf_counter(), 0
        posts: set[asyncio.Task[None]] = set()
        while not self.stop:
            due = began + sent / self._rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            task = asyncio.create_task(self._post(next(self._waiting), due, self.phase))
            posts.add(task)
            task.add_done_callback(posts.discard)
            sent += 1
        await asyncio.gather(*posts)

    async def _post(self, statement: dict[str, Any], due: float, phase: Phase) -> None:
        try:
            answer = await self._http.post("statements", json=statement)
            phase.failed += not answer.is_success
        except httpx2.HTTPError:
            phase.failed += 1
        phase.seconds.append(time.perf_counter() - due)


def _http(description: dict[str, Any]) -> httpx2.AsyncClient:
    ingest = description["ingest"]
    limits = httpx2.Limits(max_connections=64, max_keepalive_connections=64)
    auth = (ingest["key"], ingest["secret"])
    return httpx2.AsyncClient(base_url=f"{ingest['xapi']}/", auth=auth, headers=XAPI_HEADERS, timeout=60, limits=limits)


def _officer(description: dict[str, Any]) -> httpx2.AsyncClient:
    headers = {"Authorization": f"Bearer {description['operator_token']}"}
    return httpx2.AsyncClient(base_url=description["privacy"]["url"], headers=headers, timeout=60)


def arguments(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--size", type=int, default=1_000_000, help="statements recorded before, half of them taken")
    parser.add_argument("--posts", type=float, default=50, help="statements a second, one a POST, that are measured")
    parser.add_argument("--normal-seconds", type=float, default=60, help="before the run, and after it")
    parser.add_argument("--records-per-second", type=float, default=200, help="as the setting of that name")
    parser.add_argument("--most-seconds", type=float, default=7200, help="then the run is cancelled")


def plan_of(given: argparse.Namespace) -> Plan:
    return Plan(given.size, given.posts, given.normal_seconds, given.records_per_second, given.most_seconds)


if __name__ == "__main__":
    own = argparse.ArgumentParser(description=__doc__)
    arguments(own)
    say(machine())
    measure(plan_of(own.parse_args()))
