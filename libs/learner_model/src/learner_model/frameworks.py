"""A framework of competencies, and what evidence in one place says of others: rolled up, and informed from above.

Pure functions over what a reader sees of each competency (`Estimate`), reckoned when somebody looks: no fold knows of
frameworks, so that a framework can change without a state being built anew.

Upward, a competency that has children is the mean of its children, each counted alike, and of what was answered
on it directly as one more. The probability is the mean over those of which something is known. The mastery is the
expected share that is mastered: a child of which nothing is known counts as not mastered, so that a parent is mastered
when what it consists of is.

Downward, evidence on a parent says something of a child that has none of its own, and weakly: two normal beliefs about
the child's probability, what a new competency begins with and the parent's figure made less certain by `APART` for each
step, are weighed by their precisions (a normal hierarchy; Gelman et al., Bayesian Data Analysis, 3rd ed., 5.4). A
child with responses of its own keeps its own figure: that one is measured for its calibration.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import sqrt
from typing import Final

from learner_model.parameters import MASTERY_THRESHOLD

APART: Final = 0.25
"""By how much a child's probability differs from its parent's (standard deviation)."""
UNKNOWN_SD: Final = 0.25
"""Standard deviation of a probability of which nothing is known."""
DEEPEST: Final = 12
"""Steps from a competency to its farthest ancestor that are followed."""

Ids = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What is thought of a competency at a time. `uncertainty`: standard deviation of the probability."""

    probability: float
    mastery: float
    uncertainty: float
    evidence_count: int = 0
    last_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class Frameworks:
    """Which competencies are parts of which, each with its parents, and from which probability on each counts as
    mastered where the curriculum says so. Children stand by id; circles are not followed.
    """

    parents: Mapping[str, Ids] = field(default_factory=dict)
    children: Mapping[str, Ids] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, parents: Mapping[str, Iterable[str]], thresholds: Mapping[str, float] | None = None) -> "Frameworks":
        """From each competency's parents, and its threshold where that is another than usual."""
        up = {one: tuple(dict.fromkeys(p for p in above if p != one)) for one, above in parents.items()}
        down: dict[str, list[str]] = {}
        for child in sorted(up):
            for parent in up[child]:
                down.setdefault(parent, []).append(child)
        return cls(up, {parent: tuple(children) for parent, children in down.items()}, thresholds or {})

    def threshold(self, competency: str) -> float:
        """The probability of a right response from which on it counts as mastered."""
        return self.thresholds.get(competency, MASTERY_THRESHOLD)

    def levels_above(self, competency: str) -> Iterator[Ids]:
        """The parents, their parents, and so on; each ancestor once, where it is nearest."""
        seen = {competency}
        level: Ids = (competency,)
        for _ in range(DEEPEST):
            level = tuple(dict.fromkeys(p for one in level for p in self.parents.get(one, ()) if p not in seen))
            if not level:
                return
            seen.update(level)
            yield level

    def above(self, competencies: Iterable[str]) -> set[str]:
        """All ancestors of all of these."""
        return {one for competency in competencies for level in self.levels_above(competency) for one in level}


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledUp:
    """A parent's estimate and what it is made of. `known`: children of which something is known; `children`: all."""

    estimate: Estimate
    own: Estimate | None
    parts: Mapping[str, Estimate]
    known: int
    children: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Informed:
    """The estimate of a competency without evidence, from the ancestors named; `weight`: of what they say."""

    estimate: Estimate
    ancestors: Ids
    weight: float


def rolled_up(frameworks: Frameworks, own: Mapping[str, Estimate], start: Estimate) -> dict[str, RolledUp]:
    """Every competency above one with evidence, by id.

    `own`: those with responses; `start`: what a new one begins with.
    """
    found: dict[str, RolledUp] = {}
    for parent in sorted(frameworks.above(own)):
        _roll(parent, frameworks, own, start, found, frozenset())
    return found


def informed(frameworks: Frameworks, own: Mapping[str, Estimate], start: Estimate, competency: str) -> Informed | None:
    """What the nearest ancestors with responses of their own say of a competency that has none.

    None where there are no such ancestors.
    """
    for steps, level in enumerate(frameworks.levels_above(competency), start=1):
        known = {one: own[one] for one in level if one in own}
        if known:
            return _from_above(known, start, steps)
    return None


def _roll(
    parent: str,
    frameworks: Frameworks,
    own: Mapping[str, Estimate],
    start: Estimate,
    found: dict[str, RolledUp],
    way: frozenset[str],
) -> RolledUp | None:
    """None where nothing is known below, or the way comes back to where it was."""
    if parent in found:
        return found[parent]
    children = frameworks.children.get(parent, ())
    if parent in way or not children or len(way) > DEEPEST:
        return None
    parts: dict[str, Estimate] = {}
    for child in children:
        below = _roll(child, frameworks, own, start, found, way | {parent})
        estimate = own.get(child) if below is None else below.estimate
        if estimate is not None:
            parts[child] = estimate
    if not parts:
        return None
    itself = own.get(parent)
    unknown = 0.0 if itself is None else _from_above({parent: itself}, start, 1).estimate.mastery
    result = RolledUp(
        estimate=_mean(parts, itself, len(children), unknown),
        own=itself,
        parts=parts,
        known=len(parts),
        children=len(children),
    )
    found[parent] = result
    return result


def _mean(parts: Mapping[str, Estimate], itself: Estimate | None, children: int, unknown: float) -> Estimate:
    known = [*parts.values(), *([itself] if itself is not None else [])]
    of = children + (itself is not None)
    share = len(known) / of
    spread = sum(one.uncertainty**2 for one in known) / len(known) ** 2
    seen = [one.last_seen for one in known if one.last_seen is not None]
    mastered = sum(one.mastery for one in known) + unknown * (of - len(known))
    return Estimate(
        probability=round(sum(one.probability for one in known) / len(known), 4),
        mastery=round(mastered / of, 4),
        uncertainty=round(sqrt(share**2 * spread + (1.0 - share) ** 2 * UNKNOWN_SD**2), 4),
        evidence_count=sum(one.evidence_count for one in known),
        last_seen=max(seen, default=None),
    )


def _from_above(known: Mapping[str, Estimate], start: Estimate, steps: int) -> Informed:
    precision = sum(1.0 / (one.uncertainty**2 + steps * APART**2) for one in known.values())
    level = sum(one.probability / (one.uncertainty**2 + steps * APART**2) for one in known.values()) / precision
    mastery = sum(one.mastery for one in known.values()) / len(known)
    before = 1.0 / max(start.uncertainty, 0.01) ** 2
    weight = precision / (precision + before)
    return Informed(
        estimate=Estimate(
            probability=round(start.probability + weight * (level - start.probability), 4),
            mastery=round(start.mastery + weight * (mastery - start.mastery), 4),
            uncertainty=round(1.0 / sqrt(precision + before), 4),
        ),
        ancestors=tuple(sorted(known)),
        weight=round(weight, 4),
    )
