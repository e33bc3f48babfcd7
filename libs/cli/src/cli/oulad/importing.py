"""`trellis import oulad` without its words: catalog, roster, statements, and what came of it."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol

import httpx2

from cli.oulad.catalog import catalog, rosters
from cli.oulad.dataset import Dataset, Refusal, load
from cli.oulad.errors import ImportStopped
from cli.oulad.posting import TIMEOUT_SECONDS, Patience, Poster, persistently, reason_of
from cli.oulad.progress import Delivery, Journal, journal
from cli.oulad.statements import Made, Mapper, count

BATCH: Final = 150
CONNECTIONS: Final = 4
MOST_REFUSED: Final = 10_000
_ROSTER_TIMEOUT_SECONDS: Final = 300.0


@dataclass(frozen=True)
class Target:
    """Where things go. Without `recommendation` no catalog is posted, without `insights` no roster."""

    xapi: str
    key: str
    secret: str
    token: str | None = None
    recommendation: str | None = None
    insights: str | None = None

    @classmethod
    def of(cls, stack: Mapping[str, Any]) -> Target:
        """From what stack.json holds."""
        ingest = stack["ingest"]
        return cls(
            xapi=ingest["xapi"],
            key=ingest["key"],
            secret=ingest["secret"],
            token=stack["operator_token"],
            recommendation=stack["recommendation"]["url"],
            insights=stack["insights"]["url"],
        )


@dataclass(frozen=True)
class Options:
    """`limit`: see `dataset.load`. `state`: the file that lets a broken import go on."""

    state: Path
    limit: int | None = None
    batch: int = BATCH
    connections: int = CONNECTIONS
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True)
class Outcome:
    """`read`: rows by file. Every statement is accepted, not recorded or refused; refused rows made none.

    `as_of`: the end of the last imported presentation, at which reports are to be reckoned.
    """

    read: Counter[str]
    statements: int
    accepted: int
    not_recorded: int
    refusals: tuple[Refusal, ...]
    as_of: date | None
    seconds: float
    resumed: int = 0

    @property
    def rate(self) -> float:
        """Statements a second, those of an earlier, broken run left out."""
        return (self.statements - self.resumed) / self.seconds if self.seconds else 0.0


class Watch(Protocol):
    """Who is told how it goes."""

    def says(self, line: str) -> None:
        """A step begins."""

    def total(self, statements: int) -> None:
        """So many statements will be posted."""

    def advanced(self, statements: int) -> None:
        """So many more were answered."""


def run(folder: Path, target: Target, options: Options, watch: Watch) -> Outcome:
    """Import the folder. Repeatable: the same rows give the same ids, so that nothing is stored twice.

    Raises `ImportStopped` (one line for a person); a further run with the same state goes on from there.
    """
    return asyncio.run(import_folder(folder, target, options, watch))


async def import_folder(folder: Path, target: Target, options: Options, watch: Watch) -> Outcome:
    """As `run`, within a loop."""
    watch.says(f"reading {folder}")
    data = await asyncio.to_thread(load, folder, limit=options.limit)
    if target.recommendation is not None:
        watch.says("posting the catalog")
        await _post_catalog(data, target, options.patience)
    if target.insights is not None:
        watch.says("posting the roster")
        await _post_rosters(data, target, options.patience)
    watch.says("posting statements")
    with journal(options.state, _fingerprint(data, target, options)) as kept:
        before = sum(delivery.statements for delivery in kept.done.values())
        watch.total(count(data))
        watch.advanced(before)
        started = time.monotonic()
        await _Run(data, target, options, watch, kept).all()
        seconds = time.monotonic() - started
        return _outcome(data, kept.done.values(), seconds, before)


class _Run:
    """Batches taken one after the other from a common queue by several connections.

    A batch holds whole learners, so that a learner's statements arrive in their order.
    """

    def __init__(self, data: Dataset, target: Target, options: Options, watch: Watch, kept: Journal) -> None:
        self._target = target
        self._options = options
        self._watch = watch
        self._kept = kept
        self._refused = sum(len(delivery.refused) for delivery in kept.done.values())
        self._batches = iter(enumerate(batches(Mapper(data).by_learner(), options.batch)))

    async def all(self) -> None:
        limits = httpx2.Limits(max_connections=self._options.connections)
        auth = (self._target.key, self._target.secret)
        async with httpx2.AsyncClient(limits=limits, auth=auth, timeout=TIMEOUT_SECONDS) as http:
            poster = Poster(http, self._target.xapi, self._options.patience)
            await _together(self._options.connections, lambda: self._connection(poster))

    async def _connection(self, poster: Poster) -> None:
        for number, batch in self._batches:
            if number in self._kept.done:
                continue
            delivery = await poster.deliver(batch)
            self._kept.add(number, delivery)
            self._watch.advanced(delivery.statements)
            self._refused += len(delivery.refused)
            if self._refused > MOST_REFUSED:
                last = delivery.refused[-1] if delivery.refused else "see above"
                raise ImportStopped(f"more than {MOST_REFUSED} statements are refused; the last: {last}")


def batches(learners: Iterable[list[Made]], size: int) -> Iterator[list[Made]]:
    """Whole learners together, up to `size` statements; a learner with more is a batch by itself."""
    batch: list[Made] = []
    for learner in learners:
        if batch and len(batch) + len(learner) > size:
            yield batch
            batch = []
        batch = batch + learner
    if batch:
        yield batch


async def _together(number: int, job: Callable[[], Any]) -> None:
    """Run so many of a job; the first to stop ends all, and its reason is raised by itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(number):
                group.create_task(job())
    except ExceptionGroup as group:
        if isinstance(first := group.exceptions[0], ImportStopped):
            raise first from None
        raise


async def _post_catalog(data: Dataset, target: Target, patience: Patience) -> None:
    body = catalog(data)
    if body:
        url = f"{target.recommendation}/catalog/import"
        await _post(url, [body], "application/x-ndjson", target, patience)


async def _post_rosters(data: Dataset, target: Target, patience: Patience) -> None:
    # merge: whoever else stands in the roster stays there
    await _post(f"{target.insights}/rosters/import?mode=merge", rosters(data), "text/csv", target, patience)


async def _post(url: str, bodies: Iterable[bytes], kind: str, target: Target, patience: Patience) -> None:
    headers = {"Authorization": f"Bearer {target.token}", "Content-Type": kind}
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx2.AsyncClient(timeout=_ROSTER_TIMEOUT_SECONDS, headers=headers))
        for body in bodies:

            async def send(body: bytes = body) -> httpx2.Response:
                return await http.post(url, content=body)

            answer = await persistently(send, url, patience)
            if not answer.is_success:
                raise ImportStopped(f"{url} answers {answer.status_code}: {reason_of(answer)}")


def _fingerprint(data: Dataset, target: Target, options: Options) -> str:
    """Of the rows, the way they are cut into batches, and where they go: a new LRS has a new key."""
    parts = (data.digest, str(options.batch), target.xapi, target.key)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _outcome(data: Dataset, deliveries: Iterable[Delivery], seconds: float, resumed: int) -> Outcome:
    refused = list(data.refusals)
    accepted = not_recorded = statements = 0
    for delivery in deliveries:
        accepted += delivery.accepted
        not_recorded += delivery.not_recorded
        statements += delivery.statements
        refused += delivery.refused
    return Outcome(
        read=data.read,
        statements=statements,
        accepted=accepted,
        not_recorded=not_recorded,
        refusals=tuple(sorted(refused)),
        as_of=data.end,
        seconds=seconds,
        resumed=resumed,
    )
