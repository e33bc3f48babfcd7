"""When statements are stored: microseconds since the epoch, strictly rising within a process, also within a batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from service_kit.clock import Clock

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    return _EPOCH + micros * _MICROSECOND


class Stamps:
    """Gives stamps out and knows which are still being written."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0
        self._writing: dict[int, None] = {}  # first stamps of writes under way, in rising order

    @contextmanager
    def reserve(self, count: int) -> Iterator[range]:
        """`count` stamps for one write; until the block ends they count as being written."""
        first = max(to_micros(self._clock()), self._last + 1)
        self._last = first + count - 1
        self._writing[first] = None
        try:
            yield range(first, first + count)
        finally:
            del self._writing[first]

    def consistent_through(self) -> int:
        """Everything that this process has stored up to here can be read, and nothing will be added.

        Other replicas are not heard yet: their leases come with the whole of the statements resource.
        """
        oldest = next(iter(self._writing), None)
        if oldest is not None:
            return oldest - 1
        self._last = max(self._last, to_micros(self._clock()))
        return self._last
