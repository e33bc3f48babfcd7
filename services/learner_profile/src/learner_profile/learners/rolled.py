"""What crosses the wire of a competency that is rolled up from its parts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from learner_model.frameworks import RolledUp
from pydantic import BaseModel, Field

from learner_profile.estimates.schemas import TeacherOut
from learner_profile.learners.placing import Placed
from learner_profile.learners.wording import points, shared_points, title_of


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
    def all(cls, rolled: RolledUp, titles: Mapping[str, str]) -> "list[PartOut]":
        """Those of which something is known, the weakest first."""
        of = len(rolled.parts) + (rolled.own is not None)
        ordered = sorted(rolled.parts.items(), key=lambda part: (part[1].probability, part[0]))
        direct = [] if rolled.own is None else [rolled.own.probability / of]
        changes = [one.probability / of for _, one in ordered]
        shown = shared_points([*changes, *direct], rolled.estimate.probability)
        return [
            cls(
                id=name,
                title=title_of(name, titles),
                probability=one.probability,
                mastery=one.mastery,
                evidence_count=one.evidence_count,
                points=share,
                words=f"{title_of(name, titles)} stands at {points(one.probability):g} and is one of {of}.",
            )
            for (name, one), share in zip(ordered, shown, strict=False)
        ]


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


def teacher_of(competency: str, placed: Placed) -> TeacherOut | None:
    """A teacher's last word on it, and how that stands."""
    said, standing = placed.said.get(competency), placed.placement.standing(competency)
    return None if said is None or standing is None else TeacherOut.beside(said, standing)
