"""The one `seal`/`open` pair that every stored or published byte of a learner passes through.

`key` names the data key that sealed the bytes; None says that they are in the clear. For now all are: the keys come
with the privacy service's key provider, behind this same port.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Sealed:
    data: bytes
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose data key seals: a learner of a tenant."""

    tenant: str
    learner: str


class Sealer(Protocol):
    async def seal(self, items: Sequence[tuple[Owner, bytes]]) -> list[Sealed]:
        """Seal each item under its owner's key; same order. Keys are fetched once for all items."""
        ...

    async def open(self, items: Sequence[Sealed]) -> list[bytes]:
        """Open each item; same order. Raises `KeyGone` where the key is destroyed."""
        ...


class KeyGone(Exception):
    """The data key is destroyed: the learner is forgotten."""


class ClearSealer:
    """Leaves the bytes as they are (`key` is None)."""

    async def seal(self, items: Sequence[tuple[Owner, bytes]]) -> list[Sealed]:
        return [Sealed(data) for _, data in items]

    async def open(self, items: Sequence[Sealed]) -> list[bytes]:
        for item in items:
            if item.key is not None:
                raise KeyGone(item.key)
        return [item.data for item in items]
