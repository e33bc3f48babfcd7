"""Watches: for some seconds every process of ingest counts what one credential sends.

The collection `emitter_watches` holds `{_id: "tenant/watch", tenant, credential, until, expires_at}`, and
`emitter_tallies` what each process has counted, `{_id: "tenant/watch/process", tenant, watch, counts, expires_at}`.
Every second a process looks which watches there are, and writes down what it has counted: no request waits for either.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from events.cancellation import heed_cancellation
from service_kit.clock import Clock
from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, DriverError, Index, ReplaceOne
from xapi import Accepted

from ingest.credentials.credential import Credential
from ingest.emitters.observing import Tally, tally_of
from ingest.emitters.quarantine import Reason

log = logging.getLogger(__name__)

_EXPIRES: Final = Index((("expires_at", ASCENDING),), expire_after_seconds=0)
WATCHES: Final = CollectionSpec("emitter_watches", "derived", (Index((("until", ASCENDING),)), _EXPIRES))
TALLIES: Final = CollectionSpec(
    "emitter_tallies", "derived", (Index((("tenant", ASCENDING), ("watch", ASCENDING))), _EXPIRES)
)
EVERY_SECONDS: Final = 1.0
KEPT_HOURS: Final = 1
MOST_WATCHES: Final = 20
"""A tenant's at once."""


@dataclass(frozen=True, slots=True)
class Watch:
    id: str
    tenant: str
    credential: str
    until: datetime


class WatchRepository:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._watches: Collection = db[WATCHES.name]
        self._tallies: Collection = db[TALLIES.name]
        self._clock = clock

    async def begin(self, tenant: str, credential: str, seconds: float) -> Watch | None:
        """None where the tenant has too many already."""
        now = self._clock()
        if await self._watches.count_documents({"tenant": tenant, "until": {"$gt": now}}) >= MOST_WATCHES:
            return None
        watch = Watch(uuid4().hex, tenant, credential, now + timedelta(seconds=seconds))
        await self._watches.insert_one(
            {
                "_id": f"{tenant}/{watch.id}",
                "tenant": tenant,
                "credential": credential,
                "until": watch.until,
                "expires_at": watch.until + timedelta(hours=KEPT_HOURS),
            }
        )
        return watch

    async def one(self, tenant: str, watch_id: str) -> Watch | None:
        found = await self._watches.find_one({"_id": f"{tenant}/{watch_id}", "tenant": tenant})
        return None if found is None else _watch(found)

    async def report(self, tenant: str, watch_id: str) -> Tally:
        found = await self._tallies.find({"tenant": tenant, "watch": watch_id}).to_list(None)
        return tally_of([document["counts"] for document in found])

    async def going(self) -> list[Watch]:
        """Those of every tenant, some seconds beyond their end: what came last is still to be written down."""
        since = self._clock() - timedelta(seconds=3 * EVERY_SECONDS)
        found = await self._watches.find({"until": {"$gt": since}}).to_list(None)
        return [_watch(document) for document in found]

    async def write(self, process: str, tallies: Sequence[tuple[Watch, Tally]]) -> None:
        changes: list[Any] = []
        for watch, tally in tallies:
            key = f"{watch.tenant}/{watch.id}/{process}"
            body: Document = {
                "tenant": watch.tenant,
                "watch": watch.id,
                "counts": tally.document(),
                "expires_at": watch.until + timedelta(hours=KEPT_HOURS),
            }
            changes.append(ReplaceOne({"_id": key}, body, upsert=True))
        await self._tallies.bulk_write(changes, ordered=False)


class Watcher:
    """What one process counts. Where nothing is watched a request costs one look into an empty dict."""

    def __init__(self, repository: WatchRepository, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock
        self._process = uuid4().hex[:12]
        self._going: dict[str, list[tuple[Watch, Tally]]] = {}
        self._changed: set[str] = set()

    def watches(self, credential: Credential) -> bool:
        return credential.key in self._going

    def seen(self, credential: Credential, version: str) -> list[Tally]:
        """The tallies that the request of this credential counts in; usually none."""
        going = self._going.get(credential.key)
        if not going:
            return []
        counting = [(watch, tally) for watch, tally in going if watch.tenant == credential.tenant]
        for watch, tally in counting:
            self._changed.add(watch.id)
            tally.request(version)
        return [tally for _, tally in counting]

    def statements(self, tallies: Iterable[Tally], accepted: Sequence[Accepted]) -> None:
        now = self._clock()
        for tally in tallies:
            for one in accepted:
                tally.see(one, now)

    def outcome(self, tallies: Iterable[Tally], *, stored: int, quarantined: int, not_recorded: int) -> None:
        for tally in tallies:
            tally.stored += stored
            tally.quarantined += quarantined
            tally.not_recorded += not_recorded

    def refused(self, tallies: Iterable[Tally], reasons: Sequence[Reason], *, request: bool = False) -> None:
        """A statement, or with it the whole request."""
        for tally in tallies:
            tally.refused_requests += request
            tally.refuse(reasons)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """`run`, as long as the block lasts."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        """Until cancelled. Where MongoDB is away, counting goes on and is written down later."""
        while True:
            heed_cancellation()
            with suppress(DriverError):
                await self.turn()
            await asyncio.sleep(EVERY_SECONDS)

    async def turn(self) -> None:
        """Write down what has changed, and look what is watched now."""
        changed, self._changed = self._changed, set()
        every = [pair for pairs in self._going.values() for pair in pairs]
        if counted := [(watch, tally) for watch, tally in every if watch.id in changed]:
            try:
                await self._repository.write(self._process, counted)
            except DriverError:
                self._changed |= changed
                raise
        known = {watch.id: tally for watch, tally in every}
        going: dict[str, list[tuple[Watch, Tally]]] = {}
        for watch in await self._repository.going():
            going.setdefault(watch.credential, []).append((watch, known.get(watch.id) or Tally()))
        self._going = going


def _watch(found: Document) -> Watch:
    return Watch(found["_id"].partition("/")[2], found["tenant"], found["credential"], found["until"])
