"""Bytes that name several learners and cannot be cut: sealed for one within the seal of the next.

They are gone with the first of these learners who is: no key that is left opens them, wherever a copy lies.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from events.sealing import Owner, Sealed, Sealer

MOST_OWNERS: Final = 100


class Shared(NamedTuple):
    """Bytes and the names of their keys, the innermost first; no key: in the clear."""

    data: bytes
    keys: tuple[str | None, ...]


def owners_of(tenant: str, learners: Iterable[str]) -> list[Owner]:
    """Each once, in order."""
    return [Owner(tenant, learner) for learner in dict.fromkeys(learners)]


async def seal_shared(sealer: Sealer, items: Sequence[tuple[Sequence[Owner], bytes]]) -> list[Shared]:
    """In order; what has no owner stays in the clear."""
    sealed = [Shared(data, ()) for _, data in items]
    for depth in range(max((len(owners) for owners, _ in items), default=0)):
        due = [number for number, (owners, _) in enumerate(items) if depth < len(owners)]
        once = await sealer.seal([(items[number][0][depth], sealed[number].data) for number in due])
        for number, one in zip(due, once, strict=True):
            sealed[number] = Shared(one.data, (*sealed[number].keys, one.key))
    return sealed


async def open_shared(sealer: Sealer, items: Sequence[Shared]) -> list[bytes | None]:
    """In order; None where one of the keys is destroyed."""
    opened: list[bytes | None] = [item.data for item in items]
    for depth in reversed(range(max((len(item.keys) for item in items), default=0))):
        due = [
            (number, Sealed(data, items[number].keys[depth]))
            for number, data in enumerate(opened)
            if data is not None and depth < len(items[number].keys)
        ]
        for (number, _), data in zip(due, await sealer.open_each([one for _, one in due]), strict=True):
            opened[number] = data
    return opened
