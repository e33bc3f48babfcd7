"""When statements are stored: microseconds since the epoch, strictly rising within a replica, also within a batch.

Consistent-Through (1.0.3 Communication 2.1.3) is the greatest stamp up to which everything can be read and nothing will
be added, by any replica. Each replica keeps a lease with the lowest stamp it may still be writing (`writers`); the
least of the live ones ends what is consistent. A clock that runs wrong cannot break this: what a renewal gave out is
remembered by the database, and no replica stamps below it. A replica that cannot renew stops stamping long before its
lease ends: the lease outlives the longest write.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Protocol
from uuid import uuid4

from service_kit.clock import Clock
from service_kit.mongo import MongoAway, away

from ingest.gathering import NotBegun
from ingest.statements.writers import Renewed

log = logging.getLogger(__name__)

RENEW_SECONDS: Final = 0.25
GOOD_SECONDS: Final = 5.0
"""For so long after a renewal a replica may stamp."""
LONGEST_WRITE_SECONDS: Final = 20.0
"""After so long nothing comes of a write whose outcome its replica does not know."""
LEASE_SECONDS: Final = GOOD_SECONDS + LONGEST_WRITE_SECONDS
MOST_SKEW: Final = 1_000_000
"""Microseconds: a clock further from the database's than this is corrected by it."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    return _EPOCH + micros * _MICROSECOND


def rendered(micros: int) -> str:
    """RFC 3339 in UTC with six digits, as `xapi.timestamps.render`."""
    seconds, rest = divmod(micros, 1_000_000)
    return f"{_second(seconds)}.{rest:06d}Z"


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()[: -len("+00:00")]


class Registry(Protocol):
    """Where leases are kept (`writers.Writers`)."""

    async def renew(self, replica: str, bound: int) -> Renewed: ...
    async def leave(self, replica: str) -> None: ...


class Stamps:
    """Gives stamps out, knows which are still being written, and keeps the replica's lease.

    `async with stamps.kept()` renews in the background; without it `ready` renews when there is need.
    """

    def __init__(self, clock: Clock, registry: Registry, now: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._registry = registry
        self._now = now
        self._replica = uuid4().hex
        self._last = 0
        self._behind = 0  # what is added to a clock that runs wrong
        self._writing: dict[int, None] = {}  # first stamps of writes under way, in rising order
        self._unknown: dict[int, float] = {}  # first stamps of writes whose outcome is unknown, and until when
        self._good_until = -1.0
        self._through = 0
        self._turn = asyncio.Lock()
        self._begun = 0

    async def ready(self) -> None:
        """Return when stamps may be given out. Raises `MongoAway` and the like."""
        if self._now() > self._good_until:
            await self.confirmed()

    @contextmanager
    def reserve(self, count: int) -> Iterator[range]:
        """`count` stamps for one write; until the block ends they count as being written.

        Call it right after `ready`. Where the block ends without an answer of the database, the write may still come
        about: its stamps are held for as long as that.
        """
        if self._now() > self._good_until:
            raise MongoAway("the lease of this replica's stamps has ended")
        first = self._next()
        self._last = first + count - 1
        self._writing[first] = None
        try:
            yield range(first, first + count)
        except BaseException as error:
            if _may_come_about(error):
                self._unknown[first] = self._now() + LONGEST_WRITE_SECONDS
            raise
        finally:
            del self._writing[first]

    def consistent_through(self) -> int:
        """As the last renewal gave it: under a second old where MongoDB answers, and never wrong."""
        return self._through

    async def confirmed(self) -> int:
        """Consistent-Through of a renewal that began after this call; those who wait share one."""
        wanted = self._begun + 1
        async with self._turn:
            if self._begun < wanted:
                self._begun += 1
                await self._renew()
        return self._through

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keep the lease while the body runs, and give it back at the end."""
        over = asyncio.Event()
        task = asyncio.create_task(self._keep(over))
        try:
            yield
        finally:
            over.set()  # a renewal that is cancelled may still come about, after the lease was given back
            await asyncio.gather(task, return_exceptions=True)
            await self._leave()

    def bound(self) -> int:
        """No stamp below this is being written, or will be."""
        now = self._now()
        self._unknown = {first: until for first, until in self._unknown.items() if until > now}
        self._last = self._next() - 1
        return min([self._last + 1, *self._unknown, *list(self._writing)[:1]])

    def renewed(self, lease: Renewed, asked_at: float) -> None:
        """Take in what a renewal, asked for at that time of `now`, has given."""
        skew = to_micros(lease.now) - to_micros(self._clock())
        self._behind = skew if abs(skew) > MOST_SKEW else 0
        near = min(lease.highest, to_micros(lease.now) + MOST_SKEW)  # keep up with whose clock is a little ahead
        self._last = max(self._last, lease.through, near - 1)
        self._through = max(self._through, lease.through)
        self._good_until = asked_at + GOOD_SECONDS

    def _next(self) -> int:
        return max(to_micros(self._clock()) + self._behind, self._last + 1)

    async def _renew(self) -> None:
        asked_at = self._now()
        self.renewed(await self._registry.renew(self._replica, self.bound()), asked_at)

    async def _keep(self, over: asyncio.Event) -> None:
        while not over.is_set():
            try:
                await self.confirmed()
            except Exception as error:
                if not away(error):
                    raise
                log.warning("stamps wait: %s", type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(RENEW_SECONDS):
                    await over.wait()

    async def _leave(self) -> None:
        """Where something may still be written the lease ends by itself."""
        if self._writing or self._unknown:
            return
        self._good_until = -1.0
        try:
            await self._registry.leave(self._replica)
        except Exception as error:
            if not away(error):
                raise


def _may_come_about(error: BaseException) -> bool:
    """Whether the database may still carry out the write that ended so."""
    if isinstance(error, NotBegun):
        return False
    return isinstance(error, asyncio.CancelledError | TimeoutError) or away(error)
