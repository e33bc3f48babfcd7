"""What crosses the wire of a competency that is rolled up from its parts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from learner_model.frameworks import Estimate, RolledUp
from pydantic import BaseModel, Field

from learner_profile.estimates.schemas import TeacherOut
from learner_profile.learners.languages import ENGLISH, Language
from learner_profile.learners.placing import Placed
from learner_profile.learners.wording import of_part, shared_points, title_of


class PartOut(BaseModel):
    """A child and what is known of it, with its share of the number: the points of all parts, and of what was answered
    on the whole directly, add up to it.
    """

    id: str
    title: str
    probability: float
    mastery: float
    evidence_count: int
    points: float
    words: str

    @classmethod
    def all(cls, rolled: RolledUp, titles: Mapping[str, str], language: Language = ENGLISH) -> "list[PartOut]":
        """Those of which something is known, the weakest first."""
        of = _parts_known(rolled)
        return [
            cls(
                id=name,
                title=title_of(name, titles),
                probability=one.probability,
                mastery=one.mastery,
                evidence_count=one.evidence_count,
                points=share,
                words=of_part(title_of(name, titles), one.probability, of, language),
            )
            for (name, one), share in zip(_weakest_first(rolled), shares_of_parts(rolled)[0], strict=True)
        ]


def shares_of_parts(rolled: RolledUp) -> tuple[list[float], float]:
    """The points of each part, the weakest first, and those of what was answered on it directly."""
    of = _parts_known(rolled)
    changes = [one.probability / of for _, one in _weakest_first(rolled)]
    if rolled.own is None:
        return shared_points(changes, rolled.estimate.probability), 0.0
    *parts, own = shared_points([*changes, rolled.own.probability / of], rolled.estimate.probability)
    return parts, own


def sum_of(shown: Sequence[float]) -> float:
    return round(sum(shown), 1)


def mean_of_parts(rolled: RolledUp) -> float:
    return sum(one.probability for one in rolled.parts.values()) / max(1, len(rolled.parts))


def _parts_known(rolled: RolledUp) -> int:
    return len(rolled.parts) + (rolled.own is not None)


def _weakest_first(rolled: RolledUp) -> list[tuple[str, Estimate]]:
    return sorted(rolled.parts.items(), key=lambda part: (part[1].probability, part[0]))


class RolledUpOut(BaseModel):
    """A competency as its parts, and what was answered on it directly, show it (docs/guides/frameworks.md)."""

    id: str
    title: str
    rolled_up: Literal[True] = True
    probability: float = Field(description="the mean over the parts of which something is known")
    mastery: float = Field(description="the expected share of the parts that is mastered; unknown ones are not")
    uncertainty: float
    evidence_count: int = Field(description="on the parts, and on it directly")
    last_seen: datetime | None
    known: int = Field(description="children of which something is known")
    children: int
    teacher: TeacherOut | None

    @classmethod
    def of(cls, competency: str, rolled: RolledUp, placed: Placed) -> "RolledUpOut":
        estimate = rolled.estimate
        return cls(
            id=competency,
            title=title_of(competency, placed.titles),
            probability=estimate.probability,
            mastery=estimate.mastery,
            uncertainty=estimate.uncertainty,
            evidence_count=estimate.evidence_count,
            last_seen=estimate.last_seen,
            known=rolled.known,
            children=rolled.children,
            teacher=teacher_of(competency, placed),
        )


def teacher_of(competency: str, placed: Placed, language: Language = ENGLISH) -> TeacherOut | None:
    """A teacher's last word on it, and how that stands."""
    said, standing = placed.said.get(competency), placed.placement.standing(competency)
    return None if said is None or standing is None else TeacherOut.beside(said, standing, language)
