"""What the demo shows of: a class that has worked, simulated or real."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from devstack.demo.house import House
from devstack.demo.screen import Screen


@dataclass(frozen=True)
class Person:
    """One learner that is shown. `before`: the names of what was mastered at the beginning."""

    name: str
    learner_id: str
    about: str
    before: Sequence[str]


@dataclass(frozen=True)
class Played:
    """`as_of`: the time that the class's story ends at, None where that is now."""

    people: Sequence[Person]
    beginning: str
    as_of: datetime | None = None


Play = Callable[[House, Screen], Awaitable[Played]]
"""Fills a running stack with a class's work and says of whom to tell. Other work goes on beside it in the loop."""


def mastered(profile: dict[str, Any] | None) -> list[str]:
    """The titles of the competencies whose probability is above their threshold."""
    if profile is None:
        return []
    return [c["title"] for c in profile["competencies"] if c["evidence_count"] and c["probability"] >= c["threshold"]]
