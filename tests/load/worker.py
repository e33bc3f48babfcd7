"""learner_profile's worker: what a fold costs, piece by piece, and how many events a second of its processor takes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson
import psutil
from devstack.stack import Stack
from devstack.tenant import TENANT
from learner_model import Evidence, EvidenceKind
from learner_model.additive import memory
from learner_model.additive.kernel import machine as machine_code
from learner_model.additive.kernel import plain
from learner_model.folded import Folded, pack, unpack
from learner_model.folder import Folder
from learner_model.folding import Habits
from learner_model.reading import state_of, told
from pymongo import MongoClient
from service_kit.runtime import connections
from service_kit.settings import ServiceSettings

from tests.load import crowd
from tests.load.machine import say
from tests.support.ports import free_port

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_WARM: Final = 1000


def measure(*, quick: bool) -> None:
    _fold(rounds=200 if quick else 2000)
    _process(learners=5_000 if quick else 100_000, acts=5_000 if quick else 15_000)


def _fold(rounds: int) -> None:
    """µs of CPU, of a learner with 20 competencies, all items, 128 things done."""
    kernel = machine_code()
    folder = Folder(kernel=kernel)
    history = [_evidence(number) for number in range(600)]
    before = unpack(pack(folder.fold(None, history[:500])))
    data, room = pack(before), memory.blank()
    habits, names = Habits.of(before), before.coded_names
    ids = list(names.identities)
    pieces: dict[str, Callable[[], Any]] = {
        "memory from bytes": lambda: memory.unpack(before.memory, ids, room, kernel.take_rows),
        "habits from bytes, and one event": lambda: Habits.of(before).take(history[500]),
        "memory to bytes": lambda: memory.pack(room, kernel.put_rows),
        "habits to bytes": lambda: habits.packed(names, before.memory),
        "the state that others are told": lambda: told(before),
        "the state that readers see": lambda: state_of(before),
    }
    for name, piece in pieces.items():
        say(f"{name:42} {_us(piece, rounds):7.1f} µs")
    for events in (1, 5, 25):
        took = _us(lambda n=events: _through(folder, data, history[500 : 500 + n]), rounds // events) / events  # type: ignore[misc]
        say(f"an event, {events:2} of a learner in a batch, with bytes {took:7.1f} µs")
    slow = Folder(kernel=plain())
    took = _us(lambda: _through(slow, data, history[500:525]), 4) / 25
    say(f"the same in plain Python, 25 in a batch {took:14.1f} µs")


def _through(folder: Folder, data: bytes, rows: list[Evidence]) -> bytes:
    before: Folded = unpack(data)
    return pack(folder.fold(before, rows))


def _us(piece: Callable[[], Any], rounds: int) -> float:
    piece()
    started = time.process_time()
    for _ in range(rounds):
        piece()
    return (time.process_time() - started) / rounds * 1e6


def _evidence(number: int) -> Evidence:
    at = _START + timedelta(minutes=17 * number)
    return Evidence(
        statement_id=f"{number:08d}-0000-4000-8000-000000000000",
        at=at,
        stored=at,
        activity_id=f"https://school.example/activities/{number * 7 % 180}",
        verb_id="http://adlnet.gov/expapi/verbs/answered",
        kind=EvidenceKind.RESPONSE,
        competencies=((f"https://school.example/items/{number * 13 % 20:08d}-1111-4111-8111-000000000000", 1.0),),
        correctness=float(number % 3 > 0),
        completion=True,
        duration_seconds=30.0 + number % 41,
        tags=(f"subject-{number % 12}",),
    )


def _process(*, learners: int, acts: int) -> None:
    """The whole process: fetch, load, fold, store, publish, commit; mongod and Kafka are not counted.

    Everything else runs beside it. First each act is another learner's, then each learner does ten things in a row, as
    when a quiz is handed in.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder)) as stack,
        MongoClient[dict[str, Any]](stack.mongodb_url) as client,
    ):
        profile = client[f"{stack.namespace}learner_profile"]
        stack.stop_program("learner_profile-work")
        say(f"{learners:,} learners settle, with half a year behind each")
        names = asyncio.run(_settled(stack, learners))
        for seed, run in enumerate((1, 10)):
            asyncio.run(_acted(stack, names, acts, run, seed))
            shares = Path(folder) / f"shares-{run}.json"
            say(f"{acts:,} statements wait")
            saved = _saved(profile)
            with _worker(stack, shares) as worker:
                _report(profile, worker, acts, run)
            say(f"    {(acts + _WARM) / (_saved(profile) - saved):.1f} of a learner in a batch")
            for part, share in _shares(shares):
                say(f"    {share:5.1%}  {part}")


async def _settled(stack: Stack, count: int) -> list[str]:
    """Learners whom privacy and learner_profile know, with half a year behind them."""
    with _environment(stack.environment("ingest")):
        async with connections("ingest", ServiceSettings()) as c:
            assert c.keys is not None
            drawn = [await c.keys.directory.draw(TENANT, 1000) for _ in range(0, count, 1000)]
    keys = [key for part in drawn for key in part][:count]
    with _environment(stack.environment("learner_profile")):
        async with connections("learner_profile", ServiceSettings()) as c:
            await crowd.settle(c, TENANT, keys)
    return [key.owner.learner for key in keys]


async def _acted(stack: Stack, learners: list[str], acts: int, run: int, seed: int) -> None:
    with _environment(stack.environment("learner_profile")):
        async with connections("learner_profile", ServiceSettings()) as c:
            await crowd.act(c, TENANT, learners, acts + _WARM, run=run, seed=seed)


@contextmanager
def _environment(found: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(found)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _worker(stack: Stack, shares: Path) -> Iterator[psutil.Process]:
    """The worker, sampled, with the stack's own settings."""
    environment = stack.environment("learner_profile", port=free_port()) | {"SHARES": str(shares)}
    command = [sys.executable, "-m", "tests.load.sampled", "work"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(30)


def _report(profile: Any, worker: psutil.Process, acts: int, run: int) -> None:
    """Of what is on Kafka the first so many warm up."""
    counted = profile["evidence"].estimated_document_count
    start = counted()
    _until(lambda: counted() >= start + _WARM)
    worker.send_signal(signal.SIGUSR1)
    begun, cpu, started = counted(), _cpu(worker), time.perf_counter()
    _until(lambda: counted() >= start + _WARM + acts)
    _until(lambda: profile["learners"].find_one({"outbox.token": {"$exists": True}}, {"_id": 1}) is None)
    events, used, took = start + _WARM + acts - begun, _cpu(worker) - cpu, time.perf_counter() - started
    say(
        f"{events:,} events, {run} of a learner in a row: {events / used:,.0f} a second of the worker's CPU, "
        f"{1e6 * used / events:.0f} µs each; {events / took:,.0f} a second by the clock, "
        f"{worker.memory_info().rss / 2**20:.0f} MB"
    )


def _saved(profile: Any) -> int:
    """How often the learners were folded: each batch raises a learner's version by one."""
    [found] = profile["learners"].aggregate([{"$group": {"_id": None, "versions": {"$sum": "$version"}}}])
    return int(found["versions"])


def _shares(path: Path) -> list[tuple[str, float]]:
    found: dict[str, int] = orjson.loads(path.read_bytes())
    return [(part, count / sum(found.values())) for part, count in found.items()]


def _until(check: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError("the stack has not come so far")
        time.sleep(0.1)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
