"""Bounded memories: `Cache`, whose least recently used entry goes first, and `Seen`, which holds no values."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Cache(Generic[K, V]):
    def __init__(self, size: int, ttl_seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._ttl = ttl_seconds
        self._now = now
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[0] <= self._now():
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return entry[1]

    def put(self, key: K, value: V) -> None:
        self._entries[key] = (self._now() + self._ttl, value)
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def drop(self, key: K) -> None:
        self._entries.pop(key, None)

    def drop_where(self, matches: Callable[[V], bool]) -> None:
        """Looks at every entry."""
        for key in [key for key, (_, value) in self._entries.items() if matches(value)]:
            del self._entries[key]

    def __len__(self) -> int:
        return len(self._entries)


class Seen:
    """What was seen lately: at least the last half of `size` things and of `seconds`, at most all of either.

    Two sets that take turns: a look costs a tenth of one into a `Cache`. Call `turn` before a series of looks.
    """

    def __init__(self, size: int, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._half = size // 2
        self._seconds = seconds / 2
        self._now = now
        self._young: set[Hashable] = set()
        self._old: set[Hashable] = set()
        self._until = now() + self._seconds

    def __contains__(self, thing: Hashable) -> bool:
        return thing in self._young or thing in self._old

    def add(self, thing: Hashable) -> None:
        self._young.add(thing)

    def turn(self) -> None:
        """Forget what is old, if it is time."""
        now = self._now()
        if now < self._until and len(self._young) < self._half:
            return
        late = now >= self._until + self._seconds
        self._old, self._young = (set() if late else self._young), set()
        self._until = now + self._seconds
