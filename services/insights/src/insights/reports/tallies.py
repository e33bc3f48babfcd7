"""Sums over the scopes on the way from the nation down to one scope, and over their parts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from insights.reports.figures import Pupil, Tally
from insights.rosters.places import TOP, Place

MOST_VALUES: Final = 50  # an attribute with more values names learners rather than groups
NOT_GIVEN: Final = ""


class Part(NamedTuple):
    """A part of a scope: one just below it, or (`direct`) those who are in it and in none below."""

    place: Place
    direct: bool = False


@dataclass
class Node:
    """A scope's sums and those of its parts."""

    place: Place
    total: Tally = field(default_factory=Tally)
    parts: dict[Part, Tally] = field(default_factory=dict)

    def ordered(self) -> list[Part]:
        return sorted(self.parts)


@dataclass
class Way:
    """The scopes from the nation down; the last is the one asked for. Attributes with their values in order."""

    nodes: list[Node]
    attributes: dict[str, list[str]]

    @property
    def last(self) -> Node:
        return self.nodes[-1]


@lru_cache(maxsize=100_000)
def chain(place: Place) -> tuple[Place, ...]:
    """The nation, then each scope down to this one."""
    return (TOP, *place.way())


def scopes(pupils: Iterable[Pupil]) -> dict[str, Place]:
    """Every scope of the roster by its id."""
    return {place.scope: place for place in {TOP}.union(*({*p.scopes} for p in pupils))}


def tally(place: Place, pupils: Sequence[Pupil], masteries: Mapping[str, float], as_of: datetime) -> Way:
    """Sum up along the way to `place`. `masteries` are needed for the learners of that scope alone."""
    attributes = _attributes(pupils)
    nodes = [Node(step) for step in chain(place)]
    for node in nodes:
        for pupil in pupils:
            if node.place in pupil.scopes:
                mastered = masteries.get(pupil.learner)
                _add(node.total, pupil, attributes, as_of, mastered)
                for part in _parts(node.place, pupil):
                    _add(node.parts.setdefault(part, Tally()), pupil, attributes, as_of, mastered)
    return Way(nodes, attributes)


def _attributes(pupils: Sequence[Pupil]) -> dict[str, list[str]]:
    """The attributes that make groups; where some learners lack one, "not given" is a group as well."""
    values: dict[str, set[str]] = {}
    for pupil in pupils:
        for name, value in pupil.attributes.items():
            values.setdefault(name, set()).add(value)
    for name, known in values.items():
        if any(name not in pupil.attributes for pupil in pupils):
            known.add(NOT_GIVEN)
    return {name: sorted(known, key=_order) for name, known in sorted(values.items()) if len(known) <= MOST_VALUES}


def _order(value: str) -> tuple[bool, list[tuple[int, int, str]]]:
    """By the numbers in them where there are, "not given" last: 5-10 before 10-20."""
    pieces: Iterator[str] = iter("".join(c if c.isdigit() else f" {c} " for c in value).split())
    return (value == NOT_GIVEN, [(0, int(p), "") if p.isdecimal() else (1, 0, p.casefold()) for p in pieces])


def _add(
    total: Tally, pupil: Pupil, attributes: Mapping[str, Sequence[str]], as_of: datetime, mastered: float | None
) -> None:
    total.add(pupil, as_of, mastered)
    for name in attributes:
        group = total.attributes.setdefault(name, {})
        value = pupil.attributes.get(name, NOT_GIVEN)
        if value not in group:
            group[value] = Tally()
        group[value].add(pupil, as_of, mastered)


def _parts(node: Place, pupil: Pupil) -> set[Part]:
    found: set[Part] = set()
    for place in pupil.places:
        steps = chain(place)
        if node == place:
            found.add(Part(node, direct=True))
        elif node in steps:
            found.add(Part(steps[steps.index(node) + 1]))
    return found
