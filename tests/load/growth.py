"""What a read costs as the store grows: the same store at 10,000 and at 1,000,000 statements; and ingest's memory."""

from __future__ import annotations

import json
import random
import statistics
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

import psutil
from devstack.programs import programs_of
from devstack.stack import Stack

from tests.load import sample
from tests.load.closed_loop import Lrs, drive
from tests.load.machine import say

_BATCH = 100
_READS = 2_000
_MEMORY_FROM = 50_000  # caches are full by then


def measure(*, quick: bool) -> None:
    stores = (10_000, 50_000) if quick else (10_000, 1_000_000)
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder), programs=programs_of("recording")) as stack:
        described = stack.description()["ingest"]
        lrs = Lrs("ingest", described["xapi"], described["key"], described["secret"])
        ingest = psutil.Process(stack.pids()["ingest"])
        p50 = {}
        written = 0
        memory: list[tuple[int, int]] = []
        for store in stores:
            while written < store:
                some = min(store - written, 10_000)
                drive(lrs, (lrs.post(b) for b in sample.batches(_BATCH, some // _BATCH, seed=written)), connections=4)
                written += some
                memory.append((written, ingest.memory_info().rss))
            p50[store] = {name: _median(lrs, path) for name, path in _paths(lrs).items()}
        for name in p50[stores[0]]:
            few, many = (p50[store][name] for store in stores)
            say(
                f"{name:32} p50 at {stores[0]:,}: {few * 1000:.2f} ms, at {stores[1]:,}: {many * 1000:.2f} ms, "
                f"ratio {many / few:.2f}"
            )
        settled = [rss for count, rss in memory if count >= min(_MEMORY_FROM, stores[1] // 2)]
        lowest, highest, middle = min(settled), max(settled), statistics.median(settled)
        say(
            f"memory of ingest from {_MEMORY_FROM:,} to {stores[1]:,} statements: {lowest / 2**20:.0f} to "
            f"{highest / 2**20:.0f} MiB, {lowest / middle - 1:+.1%} to {highest / middle - 1:+.1%} around the median"
        )


def _median(lrs: Lrs, path: Callable[[], str]) -> float:
    requests = (lrs.request("GET", path()) for _ in range(_READS))
    outcome = drive(lrs, requests, connections=1)
    if outcome.failed:
        say(f"  {outcome.failed} requests failed, the first: {outcome.first_failure[:200]!r}")
    return statistics.median(outcome.seconds)


def _paths(lrs: Lrs) -> dict[str, Callable[[], str]]:
    chance = random.Random(3)
    ids = list(islice(_ids(lrs), 1_000))

    def by_id() -> str:
        return f"/statements?statementId={chance.choice(ids)}"

    def listed(**asked: str) -> str:
        return f"/statements?{urlencode({'limit': 20, **asked})}"

    # Rare learners and activities have fewer than a page in the small store: whole pages are compared with whole pages.
    return {
        "by id": by_id,
        "newest": lambda: listed(),
        "by verb": lambda: listed(verb=sample.WALKED_VERB),
        "by activity": lambda: listed(activity=sample.activity(chance.randrange(sample.ACTIVITIES))),
        "by activity, related": lambda: listed(activity=sample.course(chance.randrange(20)), related_activities="true"),
        "by agent, 2 a page": lambda: listed(
            agent=json.dumps(sample.actor(chance.randrange(sample.LEARNERS))), limit="2"
        ),
        "by verb and activity, 2 a page": lambda: listed(
            verb=sample.WALKED_VERB, activity=sample.activity(chance.randrange(sample.ACTIVITIES)), limit="2"
        ),
    }


def _ids(lrs: Lrs) -> Iterator[str]:
    path = "/statements?limit=100"
    while path:
        page = json.loads(drive(lrs, [lrs.request("GET", path)], connections=1).body)
        yield from (statement["id"] for statement in page["statements"])
        path = page["more"]
