"""The outbox: how fast what waits is published, and how far behind it is under a steady load."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2
import psutil
from devstack.programs import Program, programs_of
from devstack.stack import Stack
from ingest.statements.repository import STATEMENTS
from pymongo import MongoClient

from tests.load import sample
from tests.load.closed_loop import Lrs, drive
from tests.load.machine import say

_BATCH = 100
_OFFERED_BATCH = 10
_WAITING = {"outbox.token": {"$exists": True}}


def measure(*, quick: bool) -> None:
    waiting, seconds = (20_000, 10.0) if quick else (200_000, 60.0)
    programs = [*programs_of("recording"), Program("ingest", "relay")]
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder), programs=programs) as stack,
        MongoClient[dict[str, Any]](stack.mongodb_url) as client,
    ):
        statements = client[f"{stack.namespace}ingest"][STATEMENTS.name]
        stack.stop_program("ingest-relay")
        described = stack.description()["ingest"]
        lrs = Lrs("ingest", described["xapi"], described["key"], described["secret"])
        drive(lrs, (lrs.post(load) for load in sample.batches(_BATCH, waiting // _BATCH)), connections=4)
        stack.start_program("ingest-relay")
        stack.wait_ready("ingest-relay")
        relay = psutil.Process(stack.pids()["ingest-relay"])
        before, cpu, started = statements.count_documents(_WAITING), _cpu(relay), time.perf_counter()
        while statements.find_one(_WAITING, {"_id": 1}) is not None:
            time.sleep(0.2)
        took = time.perf_counter() - started
        say(
            f"{before:,} waiting, no load: {before / took:,.0f} statements/s, "
            f"{1e6 * (_cpu(relay) - cpu) / before:.0f} µs CPU of the relay each"
        )
        for rate in (1_000, 4_000):
            lag, reached = asyncio.run(_offered(lrs, statements, rate, seconds))
            behind = statistics.quantiles(lag, n=100)
            say(
                f"{rate:,} statements/s offered in batches of {_OFFERED_BATCH}: {reached:,.0f}/s acknowledged, "
                f"the oldest that waits is p50 {behind[49]:.2f} s, p99 {behind[98]:.2f} s old"
            )


async def _offered(lrs: Lrs, statements: Any, rate: int, seconds: float) -> tuple[list[float], float]:
    """Open loop; the age of the oldest flag, looked at ten times a second, and how many a second were acknowledged."""
    lag: list[float] = []
    acknowledged = 0
    loads = sample.batches(_OFFERED_BATCH, int(rate * seconds / _OFFERED_BATCH), seed=rate)
    limits = httpx2.Limits(max_connections=64, max_keepalive_connections=64)
    headers = {"X-Experience-API-Version": "1.0.3"}
    async with httpx2.AsyncClient(timeout=60, limits=limits, auth=(lrs.key, lrs.secret), headers=headers) as http:

        async def post(load: list[dict[str, Any]]) -> None:
            nonlocal acknowledged
            answer = await http.post(f"{lrs.xapi}/statements", json=load)
            acknowledged += len(load) if answer.is_success else 0

        started, posts = time.perf_counter(), set[asyncio.Task[None]]()
        looked = 0.0
        for number, load in enumerate(loads):
            while (now := time.perf_counter() - started) < number * _OFFERED_BATCH / rate:
                if now - looked > 0.1:
                    looked = now
                    lag.append(await asyncio.to_thread(_oldest_seconds, statements))
                await asyncio.sleep(0.001)
            task = asyncio.create_task(post(load))
            posts.add(task)
            task.add_done_callback(posts.discard)
        await asyncio.gather(*posts)
        took = time.perf_counter() - started
    return lag or [0.0, 0.0], acknowledged / took


def _oldest_seconds(statements: Any) -> float:
    """By the time stamp in the token (UUIDv7)."""
    oldest = statements.find_one(_WAITING, {"outbox": 1}, sort=[("outbox.token", 1)])
    if oldest is None:
        return 0.0
    return max(0.0, time.time() - int(oldest["outbox"]["token"].replace("-", "")[:12], 16) / 1000)


def _cpu(process: psutil.Process) -> float:
    return sum(process.cpu_times()[:2])
