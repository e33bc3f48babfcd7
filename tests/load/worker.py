"""learner_profile's worker: what a fold costs, piece by piece, and how many events a second of its processor takes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psutil
from devstack.stack import Stack
from learner_model import Evidence, EvidenceKind
from learner_model.additive import memory
from learner_model.additive.kernel import machine as machine_code
from learner_model.additive.kernel import plain
from learner_model.folded import Folded, pack, unpack
from learner_model.folder import Folder
from learner_model.folding import habits_after
from learner_model.reading import state_of
from pymongo import MongoClient

from tests.load import sample
from tests.load.closed_loop import Lrs, drive
from tests.load.machine import say

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


def measure(*, quick: bool) -> None:
    _fold(rounds=200 if quick else 2000)
    _process(waiting=10_000 if quick else 50_000)


def _fold(rounds: int) -> None:
    """µs of CPU, of a learner with 20 competencies, all items, 128 things done."""
    folder = Folder(kernel=machine_code())
    history = [_evidence(number) for number in range(600)]
    before = unpack(pack(folder.fold(None, history[:500])))
    data, room = pack(before), memory.blank()
    pieces: dict[str, Callable[[], Any]] = {
        "state from bytes": lambda: unpack(data),
        "memory from bytes": lambda: memory.unpack(before.memory, before.names, room),
        "habits (interests, pace, what is done)": lambda: habits_after(before.habits, history[500]),
        "memory to bytes": lambda: memory.pack(room),
        "state to bytes": lambda: pack(before),
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


def _process(waiting: int) -> None:
    """The whole process: fetch, load, fold, store, publish, commit; mongod and Kafka are not counted."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder)) as stack,
        MongoClient[dict[str, Any]](stack.mongodb_url) as client,
    ):
        profile = client[f"{stack.namespace}learner_profile"]
        described = stack.description()["ingest"]
        lrs = Lrs("ingest", described["xapi"], described["key"], described["secret"])
        drive(lrs, (lrs.post(load) for load in sample.batches(10, 20, seed=7)), connections=1)
        _until(lambda: profile["evidence"].estimated_document_count() >= 200)
        stack.stop_program("learner_profile-work")
        drive(lrs, (lrs.post(load) for load in sample.batches(100, waiting // 100)), connections=4)
        published = client[f"{stack.namespace}ingest"]["statements"]
        _until(lambda: published.find_one({"outbox.token": {"$exists": True}}, {"_id": 1}) is None)
        stack.start_program("learner_profile-work")
        stack.wait_ready("learner_profile-work")
        time.sleep(6)  # its machine code is loaded meanwhile
        worker = psutil.Process(stack.pids()["learner_profile-work"])
        begun, cpu, started = profile["evidence"].estimated_document_count(), _cpu(worker), time.perf_counter()
        _until(lambda: profile["evidence"].estimated_document_count() >= 200 + waiting)
        _until(lambda: profile["learners"].find_one({"outbox.token": {"$exists": True}}, {"_id": 1}) is None)
        events, used = 200 + waiting - begun, _cpu(worker) - cpu
        say(
            f"{events:,} events: {events / used:,.0f} a second of the worker's CPU, {1e6 * used / events:.0f} µs each; "
            f"{events / (time.perf_counter() - started):,.0f} a second by the clock, "
            f"{worker.memory_info().rss / 2**20:.0f} MB"
        )


def _until(check: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError("the stack has not come so far")
        time.sleep(0.1)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
