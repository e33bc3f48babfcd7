"""How a competency grew: the fold of the rows, looked at on its way. Plain functions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from learner_model import Evidence, EvidenceKind, LearnerState
from learner_model.folder import Folder
from learner_model.frameworks import Estimate, Frameworks
from learner_model.parameters import STRENGTH_Z
from learner_model.placement import Placement
from learner_model.reading import state_of

from learner_profile.evidence.mapping import Mapped
from learner_profile.evidence.repository import Row
from learner_profile.learners.explaining import evidence_of_rows
from learner_profile.learners.profiles import Base

MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Point:
    """`low`, `high`: the 90 % interval of the probability. `statement_id` None: time has passed, nothing more."""

    at: datetime
    estimate: Estimate
    statement_id: str | None

    @property
    def low(self) -> float:
        return round(max(0.0, self.estimate.probability - STRENGTH_Z * self.estimate.uncertainty), 4)

    @property
    def high(self) -> float:
        return round(min(1.0, self.estimate.probability + STRENGTH_Z * self.estimate.uncertainty), 4)


@dataclass(frozen=True, slots=True)
class Growth:
    """`total`: pieces of evidence that moved it; `shown`: how many of them have a point."""

    points: tuple[Point, ...]
    total: int
    shown: int
    rolled_up: bool


def growth(
    rows: Iterable[Row],
    catalog: Mapping[str, Mapped],
    competency: str,
    frameworks: Frameworks,
    as_of: datetime,
    most: int,
    folder: Folder,
    base: Base | None = None,
) -> Growth:
    """The competency after each piece of evidence on it or on its parts.

    At most `most` points with evidence, evenly spread, the first and the last among them. With a base it grows from
    there on.
    """
    evidence = [one for _, one in evidence_of_rows(rows, catalog, base)]
    names = {name for one in evidence for name, _ in one.competencies}
    below = {name for name in names if competency in frameworks.above([name])}
    steps, own = _on(evidence, below | {competency}), _on(evidence, {competency})
    chosen = set(_spread(steps, most))
    folded = base.folded if base else None
    points: list[Point] = []
    for start, end in pairwise([0, *(number + 1 for number in sorted(chosen)), len(evidence)]):
        if start == end:
            continue
        folded = folder.fold(folded, evidence[start:end])
        if end - 1 in chosen:
            one = evidence[end - 1]
            points += _point(state_of(folded), one.at, competency, frameworks, one.statement_id)
    if points and folded is not None:
        points += _point(state_of(folded), max(as_of, points[-1].at), competency, frameworks, None)
    return Growth(tuple(points), len(steps), len(chosen), rolled_up=len(steps) > len(own))


def _on(evidence: Sequence[Evidence], competencies: set[str]) -> list[int]:
    """The places of the responses on any of these."""
    return [
        number
        for number, one in enumerate(evidence)
        if one.kind == EvidenceKind.RESPONSE and any(name in competencies for name, _ in one.competencies)
    ]


def _spread(steps: Sequence[int], most: int) -> list[int]:
    if len(steps) <= most:
        return list(steps)
    if most == 1:
        return [steps[-1]]
    return [steps[round(n * (len(steps) - 1) / (most - 1))] for n in range(most)]


def _point(
    state: LearnerState, at: datetime, competency: str, frameworks: Frameworks, statement_id: str | None
) -> list[Point]:
    found = Placement(state, at, frameworks).of(competency)
    return [] if found is None else [Point(at, found, statement_id)]
