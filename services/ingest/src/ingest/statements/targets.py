"""Whose keys a statement has besides its own: those of what its StatementRef points to, and on from there.

1.0.3 Communication 2.1.4: a statement that targets another is found by what the other is found by, recursively.
"""

from collections.abc import Mapping, Sequence
from typing import Final

MOST_KEYS: Final = 400
"""A statement with so many takes no more from others: a long chain of references would else make each link dearer."""
MOST_PASSED: Final = 10_000
"""So many statements at most are given the keys of one that comes late."""


def inherited(held: Mapping[str, Sequence[bytes]], targets: Mapping[str, str]) -> dict[str, list[bytes]]:
    """The keys of each statement in `targets` (each to what it targets), its target's included.

    `held` are the keys that each statement has by itself; a target that is not among them is not there. Those on a
    circle of references have all keys of the circle.
    """
    known: dict[str, list[bytes]] = {}
    for start in targets:
        path: dict[str, None] = {}
        one: str | None = start
        while one is not None and one not in known and one not in path:
            path[one] = None
            one = targets.get(one)
        links = list(path)
        if one in path:  # a circle: each of it has what all have
            circle = links[links.index(one) :]
            everyone = _union(*(held.get(link, ()) for link in circle))
            known.update((link, _union(held.get(link, ()), everyone)) for link in circle)
            del links[links.index(one) :]
        for link in reversed(links):
            above = targets.get(link)
            known[link] = _union(held.get(link, ()), known[above] if above is not None else ())
    return {one: known[one] for one in targets}


def _union(own: Sequence[bytes] = (), *more: Sequence[bytes]) -> list[bytes]:
    """One's own keys all, of the others' as many as there is room for."""
    keys = dict.fromkeys(own)
    for others in more:
        for key in others:
            if len(keys) >= MOST_KEYS:
                break
            keys[key] = None
    return list(keys)
