"""Ingest beside Ralph and beside the limit, on one mongod, in alternating rounds; medians and ratios pair by pair."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import psutil
from devstack.latency import percentiles
from devstack.programs import programs_of
from devstack.stack import Stack

from tests.load import ralph, sample
from tests.load.closed_loop import Lrs, Outcome, drive
from tests.load.machine import say

OURS, PEER, LIMIT = "ingest", "Ralph 5.1.0", "bare insert_many"
_BATCH = 100
_AGENT_LIMIT = 50
_PAGE = 100
_GETS = 8  # connections


@dataclass(frozen=True)
class Size:
    """How much is measured; `make bench` takes the whole, a trial less."""

    rounds: int = 5
    seconds: float = 6.0
    stored: int = 200_000
    walked: int = 50_000


@dataclass(frozen=True)
class Run:
    """One contender in one round."""

    per_second: float
    seconds: Sequence[float]
    cpu: dict[str, float]  # CPU seconds for 1,000 units, by process


@dataclass
class Discipline:
    """One row of the table."""

    title: str
    unit: str
    runs: dict[str, list[Run]] = field(default_factory=dict)

    def ratios(self, over: str, under: str) -> list[float]:
        """Of the rates, round by round."""
        pairs = zip(self.runs[over], self.runs[under], strict=True)
        return [one.per_second / other.per_second for one, other in pairs]

    def show(self) -> None:
        say(f"{self.title}")
        for name, runs in self.runs.items():
            rate = statistics.median(run.per_second for run in runs)
            times = percentiles([second for run in runs for second in run.seconds])
            cpu = {who: statistics.median(run.cpu[who] for run in runs) for who in runs[0].cpu}
            spent = ", ".join(f"{who} {value:.2f}" for who, value in cpu.items())
            say(f"  {name:17} {rate:9,.0f} {self.unit}/s  {times}; CPU s per 1,000: {spent}")
        for under in (PEER, LIMIT):
            if under in self.runs:
                all_ratios = self.ratios(OURS, under)
                rest = " ".join(f"{ratio:.2f}" for ratio in sorted(all_ratios))
                say(f"  {OURS} ÷ {under}: {statistics.median(all_ratios):.2f}  (rounds: {rest})")


@dataclass
class Contender:
    lrs: Lrs
    process: psutil.Process
    mongod: psutil.Process
    seed: int

    def measured(self, act: Callable[[], Outcome], units: int, of: Callable[[Outcome], int] | None = None) -> Run:
        """`units` per answered request, or what `of` counts."""
        before = self._cpu()
        outcome = act()
        spent = {who: after - before[who] for who, after in self._cpu().items()}
        if outcome.failed:
            say(f"  {self.lrs.name}: {outcome.failed} requests failed, the first: {outcome.first_failure[:200]!r}")
        done = max(1, of(outcome) if of else units * len(outcome.seconds))
        return Run(done / outcome.took, outcome.seconds, {who: 1000 * one / done for who, one in spent.items()})

    def _cpu(self) -> dict[str, float]:
        return {"server": sum(self.process.cpu_times()[:2]), "mongod": sum(self.mongod.cpu_times()[:2])}

    def endless(self) -> Iterator[dict[str, object]]:
        self.seed += 1
        return sample.statements(self.seed)


QUICK = Size(rounds=2, seconds=3.0, stored=20_000, walked=4_000)


def measure(*, quick: bool) -> None:
    """The table for recording alone, which counts, and beside it with everything running."""
    tables = {}
    for roles in ("recording", "all"):
        say(f"-- roles: {roles} --")
        tables[roles] = race(roles, QUICK if quick else Size())
    say(f"-- {OURS} ÷ {PEER} and ÷ {LIMIT}, medians --")
    for alone, everything in zip(tables["recording"], tables["all"], strict=True):
        for under in (PEER, LIMIT):
            if under in alone.runs:
                pair = [statistics.median(row.ratios(OURS, under)) for row in (alone, everything)]
                say(f"  {alone.title} ÷ {under}: recording alone {pair[0]:.2f}, everything running {pair[1]:.2f}")


def race(roles: str, size: Size) -> list[Discipline]:
    """The whole table with one part of Trellis running (`ROLES`)."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder) / "stack", programs=programs_of(roles)) as stack,
        ralph.running(stack.mongodb_url, Path(folder)) as (peer, peer_process),
    ):
        pids = stack.pids()
        mongod = psutil.Process(pids["mongod"])
        described = stack.description()["ingest"]
        ours = Lrs(OURS, described["xapi"], described["key"], described["secret"])
        contenders = {
            OURS: Contender(ours, psutil.Process(pids["ingest"]), mongod, 1_000_000),
            PEER: Contender(peer, peer_process, mongod, 2_000_000),
        }
        writing = [_one_a_post(contenders, size), _batches(contenders, stack, size)]
        _fill(contenders, stack, size.stored)
        return [*writing, *_reading(contenders, size)]


def _rounds(title: str, unit: str, size: Size, acts: dict[str, Callable[[], Run]]) -> Discipline:
    row = Discipline(title, unit, {name: [] for name in acts})
    for act in acts.values():
        act()  # warm-up
    for number in range(size.rounds):
        order = list(acts) if number % 2 == 0 else list(reversed(acts))
        for name in order:
            row.runs[name].append(acts[name]())
    row.show()
    return row


def _one_a_post(contenders: dict[str, Contender], size: Size) -> Discipline:
    def act(one: Contender) -> Callable[[], Run]:
        def run() -> Run:
            requests = [one.lrs.post(s) for s in islice(one.endless(), int(1_500 * size.seconds))]
            return one.measured(lambda: drive(one.lrs, requests, connections=16, seconds=size.seconds), 1)

        return run

    acts = {name: act(one) for name, one in contenders.items()}
    return _rounds("One statement a POST, 16 connections", "statements", size, acts)


def _batches(contenders: dict[str, Contender], stack: Stack, size: Size) -> Discipline:
    def act(one: Contender) -> Callable[[], Run]:
        def run() -> Run:
            one.seed += 1
            loads = sample.batches(_BATCH, int(120 * size.seconds), one.seed)
            requests = [one.lrs.post(load) for load in loads]
            return one.measured(lambda: drive(one.lrs, requests, connections=4, seconds=size.seconds), _BATCH)

        return run

    acts = {name: act(one) for name, one in contenders.items()}
    acts[LIMIT] = lambda: _limit(stack, count=int(10_000 * size.seconds))
    return _rounds(f"{_BATCH} statements a POST, 4 connections", "statements", size, acts)


def _limit(stack: Stack, *, count: int) -> Run:
    mongod = psutil.Process(stack.pids()["mongod"])
    before = sum(mongod.cpu_times()[:2])
    database = f"{stack.namespace}ingest"
    command = [sys.executable, "-m", "tests.load.limit", stack.mongodb_url, database, "--count", str(count)]
    printed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    spent = sum(mongod.cpu_times()[:2]) - before
    return Run(count / printed["took"], printed["seconds"], {"mongod": 1000 * spent / count})


def _fill(contenders: dict[str, Contender], stack: Stack, stored: int) -> None:
    """Until each holds at least as many statements."""
    for name, one in contenders.items():
        held = ralph.count(stack.mongodb_url) if name == PEER else count_ours(stack)
        missing = max(0, stored - held) // _BATCH
        one.seed += 1
        requests = (one.lrs.post(load) for load in sample.batches(_BATCH, missing, one.seed))
        drive(one.lrs, requests, connections=4)
    say(f"(both hold at least {stored:,} statements)")


def count_ours(stack: Stack) -> int:
    answer = httpx2.get(
        f"{stack.urls['ingest']}/stats", headers={"Authorization": f"Bearer {stack.operator_token}"}, timeout=60
    )
    return int(answer.raise_for_status().json()["statements"])


def _reading(contenders: dict[str, Contender], size: Size) -> list[Discipline]:
    chance = random.Random(7)
    ids = {name: _some_ids(one.lrs) for name, one in contenders.items()}

    def by_id(name: str) -> Iterator[str]:
        while True:
            yield f"/statements?statementId={chance.choice(ids[name])}"

    def by_agent(_: str) -> Iterator[str]:
        while True:
            agent = json.dumps(sample.actor(chance.randrange(sample.LEARNERS)))
            yield f"/statements?{urlencode({'agent': agent, 'limit': _AGENT_LIMIT})}"

    def by_activity(_: str) -> Iterator[str]:
        while True:
            asked = {"activity": sample.activity(chance.randrange(sample.ACTIVITIES)), "related_activities": "true"}
            yield f"/statements?{urlencode({**asked, 'limit': _AGENT_LIMIT})}"

    def act(one: Contender, paths: Iterator[str]) -> Callable[[], Run]:
        def run() -> Run:
            requests = [one.lrs.request("GET", path) for path in islice(paths, int(1_500 * size.seconds))]
            return one.measured(lambda: drive(one.lrs, requests, connections=_GETS, seconds=size.seconds), 1)

        return run

    rows = []
    for title, paths in (
        (f"GET by id, {_GETS} connections", by_id),
        (f"GET by agent, limit {_AGENT_LIMIT}, {_GETS} connections", by_agent),
        (f"GET by activity with related_activities, limit {_AGENT_LIMIT}, {_GETS} connections", by_activity),
    ):
        rows.append(_rounds(title, "requests", size, {name: act(one, paths(name)) for name, one in contenders.items()}))
    walks = {name: _walk(one, size.walked) for name, one in contenders.items()}
    short = Size(rounds=min(size.rounds, 3), seconds=size.seconds)
    rows.append(_rounds(f"A walk through `more` over {size.walked:,}, pages of {_PAGE}", "statements", short, walks))
    return rows


def _some_ids(lrs: Lrs) -> list[str]:
    page = json.loads(drive(lrs, [lrs.request("GET", f"/statements?limit={_PAGE}")], connections=1).body)
    return [statement["id"] for statement in page["statements"]]


def _walk(one: Contender, wanted: int) -> Callable[[], Run]:
    """By a verb that one statement in four has, until as many are seen or `more` ends; counts distinct statements."""

    def run() -> Run:
        seen: set[str] = set()
        return one.measured(lambda: _walked(one.lrs, wanted, seen), 1, lambda _: len(seen))

    return run


def _walked(lrs: Lrs, wanted: int, seen: set[str]) -> Outcome:
    whole = Outcome()
    path = f"/statements?{urlencode({'verb': sample.WALKED_VERB, 'limit': _PAGE})}"
    started = time.perf_counter()
    while path and len(seen) < wanted and len(whole.seconds) < 2 * wanted // _PAGE:
        page = drive(lrs, [lrs.request("GET", path)], connections=1)
        whole.seconds += page.seconds
        whole.failed += page.failed
        if page.failed:
            break
        result = json.loads(page.body)
        seen.update(statement["id"] for statement in result["statements"])
        path = result.get("more", "")
    whole.took = time.perf_counter() - started
    if len(seen) < wanted:
        say(f"  {lrs.name}: the walk ended after {len(seen):,} of {wanted:,} statements")
    return whole
