"""How often a caller may ask: a token bucket each, counted in this process alone."""

import time
from collections.abc import Callable
from typing import Final

from ingest.credentials.credential import Rate
from ingest.identities.cache import Cache

CALLERS: Final = 10_000
_FORGOTTEN_SECONDS: Final = 3600.0


class Buckets:
    """Buckets are full at first; one that nobody has asked for in an hour is forgotten, and so is full again."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._buckets: Cache[str, tuple[float, float]] = Cache(CALLERS, _FORGOTTEN_SECONDS, now)

    def take(self, caller: str, rate: Rate) -> float:
        """Seconds until the next request is welcome; 0 where this one is."""
        now = self._now()
        tokens, seen = self._buckets.get(caller) or (float(rate.burst), now)
        tokens = min(float(rate.burst), tokens + (now - seen) * rate.per_second)
        welcome = tokens >= 1
        self._buckets.put(caller, (tokens - 1 if welcome else tokens, now))
        return 0.0 if welcome else (1 - tokens) / rate.per_second
