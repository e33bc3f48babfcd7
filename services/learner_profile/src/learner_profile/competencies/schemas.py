"""What crosses the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from learner_model import view
from learner_model.frameworks import Estimate
from pydantic import BaseModel, Field

from learner_profile.competencies.growth import Growth
from learner_profile.estimates.said import on
from learner_profile.estimates.schemas import SaidOut, TeacherOut
from learner_profile.learners.placing import Placed
from learner_profile.learners.rolled import PartOut, RolledUpOut, teacher_of
from learner_profile.learners.schemas import CompetencyOut
from learner_profile.learners.wording import title_of


class AncestorOut(BaseModel):
    id: str
    title: str


class InformedOut(BaseModel):
    """A competency without evidence of its own, as evidence on what it is a part of suggests it: weakly."""

    ancestors: list[AncestorOut]
    weight: float = Field(description="of what the ancestors say, against what a new competency begins with; 0 to 1")


class PageOut(BaseModel):
    """One competency of a learner, from wherever something is known of it."""

    id: str
    title: str
    code: str | None = Field(description="what people call it, such as 5.NBT.1")
    framework: str | None = Field(description="IRI of the framework that it stands in")
    parents: list[AncestorOut]
    as_of: datetime
    source: Literal["own", "rolled_up", "informed", "nothing"] = Field(
        description="own: responses on it; rolled_up: responses on its parts, and those on it as one part more; "
        "informed: responses on what it is a part of; nothing: what a new competency begins with"
    )
    probability: float
    mastery: float
    threshold: float = Field(description="the probability from which it counts as mastered, as the curriculum says")
    uncertainty: float
    evidence_count: int
    own: CompetencyOut | None
    rolled_up: RolledUpOut | None
    parts: list[PartOut] = Field(description="children of which something is known")
    informed: InformedOut | None
    teacher: TeacherOut | None = Field(description="a teacher's last word, beside the model's own figure above")
    history: list[SaidOut] = Field(description="all that teachers said of it, oldest first")

    @classmethod
    def of(cls, competency: str, placed: Placed) -> "PageOut | None":
        """None where the competency is not known at all."""
        placement, known = placed.placement, placed.around.competencies.get(competency)
        state = placement.state.competencies.get(competency)
        history = on(placed.history, competency)
        if known is None and state is None and not history:
            return None
        above = placement.informed(competency)
        rolled = placement.rolled.get(competency)
        found = placement.of(competency)
        shown = found or placement.start_of(competency)
        own = next(
            (
                one
                for one in view(placement.state, placement.as_of, placement.frameworks).competencies
                if one.id == competency
            ),
            None,
        )
        return cls(
            id=competency,
            title=title_of(competency, placed.titles),
            code=known.code if known else None,
            framework=known.framework if known else None,
            parents=[_ancestor(one, placed.titles) for one in (known.parents if known else ())],
            as_of=placement.as_of,
            source=_source(found, answered=state is not None and state.evidence_count > 0, rolled=rolled is not None),
            probability=shown.probability,
            mastery=shown.mastery,
            threshold=placement.frameworks.threshold(competency),
            uncertainty=shown.uncertainty,
            evidence_count=shown.evidence_count,
            own=None if own is None else CompetencyOut.seen(own, placed),
            rolled_up=None if rolled is None else RolledUpOut.of(competency, rolled, placed),
            parts=[] if rolled is None else PartOut.all(rolled, placed.titles),
            informed=None
            if above is None
            else InformedOut(ancestors=[_ancestor(one, placed.titles) for one in above.ancestors], weight=above.weight),
            teacher=teacher_of(competency, placed),
            history=[SaidOut.of(one) for one in history],
        )


class PointOut(BaseModel):
    """The competency just after a piece of evidence; the last point is that of `as_of`, after no evidence."""

    at: datetime
    probability: float
    low: float = Field(description="of the 90 % interval of the probability")
    high: float
    mastery: float
    evidence_count: int
    statement_id: str | None


class GrowthOut(BaseModel):
    """How a competency grew. `thinned`: there was more evidence than points asked for; they are evenly spread."""

    competency: str
    title: str
    as_of: datetime
    rolled_up: bool = Field(description="it is followed through its parts, and what was answered on it as one more")
    evidence_total: int
    thinned: bool
    points: list[PointOut]

    @classmethod
    def of(cls, competency: str, found: Growth, titles: Mapping[str, str], as_of: datetime) -> "GrowthOut":
        return cls(
            competency=competency,
            title=title_of(competency, titles),
            as_of=as_of,
            rolled_up=found.rolled_up,
            evidence_total=found.total,
            thinned=found.total > found.shown,
            points=[
                PointOut(
                    at=one.at,
                    probability=one.estimate.probability,
                    low=one.low,
                    high=one.high,
                    mastery=one.estimate.mastery,
                    evidence_count=one.estimate.evidence_count,
                    statement_id=one.statement_id,
                )
                for one in found.points
            ],
        )


def _ancestor(one: str, titles: Mapping[str, str]) -> AncestorOut:
    return AncestorOut(id=one, title=title_of(one, titles))


def _source(
    found: Estimate | None, *, answered: bool, rolled: bool
) -> Literal["own", "rolled_up", "informed", "nothing"]:
    if found is None:
        return "nothing"
    if rolled:
        return "rolled_up"
    return "own" if answered else "informed"
