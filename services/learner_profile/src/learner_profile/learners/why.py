"""What crosses the wire of an explanation."""

from collections.abc import Mapping
from datetime import datetime

from events.payloads import CatalogActivity
from pydantic import BaseModel, Field

from learner_profile.learners.explaining import Explanation, Share, Step
from learner_profile.learners.schemas import EvidenceOut, title_of
from learner_profile.learners.wording import of_row_aside, of_share, of_step, points


class ShareOut(BaseModel):
    """A part of the number. The points of all shares add up to it."""

    name: Share
    points: float = Field(description="of 100; below 0: it lowers the number")
    count: int = Field(description="how often")
    words: str


class StepOut(EvidenceOut):
    """A piece of evidence and what it did to the number."""

    before: float
    after: float
    points: float
    words: str

    @classmethod
    def of_step(cls, step: Step, catalog: Mapping[str, CatalogActivity]) -> "StepOut":
        evidence = EvidenceOut.of(step.row, catalog).model_dump()
        words = of_step(step)
        return cls(**evidence, before=step.before, after=step.after, points=points(step.change), words=words)


class AsideOut(EvidenceOut):
    """A piece of evidence that does not count by itself, and why."""

    words: str


class WhyOut(BaseModel):
    """Why a competency's number is what it is."""

    competency: str
    title: str
    as_of: datetime
    probability: float
    mastery: float
    uncertainty: float
    words: str
    shares: list[ShareOut] = Field(description="in the order in which they are told; they add up to `probability`")
    evidence: list[StepOut] = Field(description="those that moved it most, first")
    evidence_total: int
    not_counted: list[AsideOut] = Field(description="the newest first")
    not_counted_total: int

    @classmethod
    def of(
        cls,
        found: Explanation,
        competency: str,
        titles: Mapping[str, str],
        catalog: Mapping[str, CatalogActivity],
        limit: int,
    ) -> "WhyOut | None":
        """None where nothing is known of the competency."""
        if found.now is None:
            return None
        shares = [
            ShareOut(
                name=share,
                points=points(found.shares[share]),
                count=found.counts[share],
                words=of_share(share, found.shares[share], found.counts[share]),
            )
            for share in Share
            if share in found.shares
        ]
        return cls(
            competency=competency,
            title=title_of(competency, titles),
            as_of=found.as_of,
            probability=found.now.probability,
            mastery=found.now.mastery,
            uncertainty=found.now.uncertainty,
            words=" ".join([*(share.words for share in shares), f"So it stands at {points(found.now.probability):g}."]),
            shares=shares,
            evidence=[StepOut.of_step(step, catalog) for step in found.most(limit)],
            evidence_total=len(found.steps),
            not_counted=[
                AsideOut(**EvidenceOut.of(row, catalog).model_dump(), words=of_row_aside(row))
                for row in found.newest_aside(limit)
            ],
            not_counted_total=len(found.aside),
        )
