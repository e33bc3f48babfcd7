"""The one `seal`/`open` pair that every stored or published byte of a learner passes through.

`key` names the data key that sealed the bytes; None says that they are in the clear. Keys come from
`service_kit.keys`, behind this same port.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from events.errors import NotReady


class Sealed(NamedTuple):
    data: bytes
    key: str | None = None


class Owner(NamedTuple):
    """Whose data key seals: a learner of a tenant; the tenant itself where `learner` is empty."""

    tenant: str
    learner: str


class Sealer(Protocol):
    async def seal(self, items: Sequence[tuple[Owner, bytes]]) -> list[Sealed]:
        """Seal each item under its owner's key; same order. Keys are fetched once for all items.

        Raises `KeyGone` where an owner has no key (any more), `KeysAway` where it cannot be fetched now.
        """
        ...

    async def open(self, items: Sequence[Sealed]) -> list[bytes]:
        """Open each item; same order. Raises `KeyGone` where the key is destroyed, `KeysAway`."""
        ...

    async def open_each(self, items: Sequence[Sealed]) -> list[bytes | None]:
        """As `open`, with None where the key is destroyed. Raises `KeysAway`."""
        ...


class KeyGone(Exception):
    """The data key is destroyed, or never was: the learner is forgotten."""


class KeysAway(NotReady):
    """The keys cannot be fetched for now: wait, nothing is lost."""


class ClearSealer:
    """Leaves the bytes as they are (`key` is None)."""

    async def seal(self, items: Sequence[tuple[Owner, bytes]]) -> list[Sealed]:
        return [Sealed(data) for _, data in items]

    async def open(self, items: Sequence[Sealed]) -> list[bytes]:
        for item in items:
            if item.key is not None:
                raise KeyGone(item.key)
        return [item.data for item in items]

    async def open_each(self, items: Sequence[Sealed]) -> list[bytes | None]:
        return [item.data if item.key is None else None for item in items]
