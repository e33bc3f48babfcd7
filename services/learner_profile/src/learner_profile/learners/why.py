"""What crosses the wire of an explanation."""

from collections.abc import Mapping
from datetime import datetime

from events.payloads import CatalogActivity
from learner_model import CompetencyView
from pydantic import BaseModel, Field

from learner_profile.estimates.said import Signal
from learner_profile.estimates.schemas import SetAsideOut, TeacherOut
from learner_profile.learners.explaining import Explanation, Share, Step
from learner_profile.learners.languages import Language
from learner_profile.learners.placing import Placed
from learner_profile.learners.rolled import PartOut, mean_of_parts, shares_of_parts, sum_of, teacher_of
from learner_profile.learners.schemas import EvidenceOut
from learner_profile.learners.wording import (
    of_number,
    of_own_part,
    of_parts,
    of_row_aside,
    of_share,
    of_step,
    points,
    shared_points,
    title_of,
)


class ShareOut(BaseModel):
    """A part of the number. The points of all shares add up to it."""

    name: Share
    points: float = Field(description="of 100; below 0: it lowers the number")
    words: str


class StepOut(EvidenceOut):
    """A piece of evidence and what it did to the number."""

    before: float
    after: float
    points: float
    words: str

    @classmethod
    def of_step(cls, step: Step, catalog: Mapping[str, CatalogActivity], language: Language) -> "StepOut":
        evidence = EvidenceOut.of(step.row, catalog).model_dump()
        words = of_step(step, language)
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
    threshold: float = Field(description="the probability from which it counts as mastered, as the curriculum says")
    uncertainty: float
    words: str
    rolled_up: bool = Field(
        description="the number is that of its parts, and what was answered on it directly counts as one more"
    )
    parts: list[PartOut] = Field(description="children of which something is known, the weakest first")
    teacher: TeacherOut | None
    set_aside: list[SetAsideOut] = Field(description="what a teacher says of it as a strength of the learner")
    shares: list[ShareOut] = Field(description="in the order in which they are told; they add up to `probability`")
    evidence: list[StepOut] = Field(
        description="those that moved it most, first; of what is rolled up, those on it directly: they move its own "
        "part, and each part has a `why` of its own"
    )
    evidence_total: int
    not_counted: list[AsideOut] = Field(description="the newest first")
    not_counted_total: int

    @classmethod
    def of(
        cls,
        found: Explanation,
        competency: str,
        placed: Placed,
        catalog: Mapping[str, CatalogActivity],
        limit: int,
        language: Language,
    ) -> "WhyOut | None":
        """None where nothing is known of the competency."""
        placement = placed.placement
        answered = found.now is not None and found.now.evidence_count > 0
        rolled = placement.rolled.get(competency)
        now = found.now if answered and rolled is None else placement.of(competency) or found.now
        if now is None:
            return None
        shares = _shares(found, found.now, language) if now is found.now else _from_around(competency, placed, language)
        teacher = teacher_of(competency, placed, language)
        told = [*(share.words for share in shares), of_number(now.probability, now.evidence_count, language)]
        return cls(
            competency=competency,
            title=title_of(competency, placed.titles),
            as_of=found.as_of,
            probability=now.probability,
            mastery=now.mastery,
            threshold=placement.frameworks.threshold(competency),
            uncertainty=now.uncertainty,
            words=" ".join([*told, *([teacher.words] if teacher else [])]),
            rolled_up=rolled is not None,
            parts=[] if rolled is None else PartOut.all(rolled, placed.titles, language),
            teacher=teacher,
            set_aside=[
                SetAsideOut.of(one, language)
                for (signal, about), one in placed.aside.items()
                if signal is Signal.STRENGTHS and about in (None, competency)
            ],
            shares=shares,
            evidence=[StepOut.of_step(step, catalog, language) for step in found.most(limit)],
            evidence_total=len(found.steps),
            not_counted=[
                AsideOut(**EvidenceOut.of(row, catalog).model_dump(), words=of_row_aside(row, language))
                for row in found.newest_aside(limit)
            ],
            not_counted_total=len(found.aside),
        )


def _shares(found: Explanation, now: CompetencyView, language: Language) -> list[ShareOut]:
    shown = shared_points(list(found.shares.values()), now.probability)
    return [
        _share(share, moved, of_share(share, moved, now.evidence_count, language))
        for share, moved in zip(found.shares, shown, strict=True)
        if share is Share.START or moved
    ]


def _from_around(competency: str, placed: Placed, language: Language) -> list[ShareOut]:
    """The shares of a number that is not made of responses on the competency itself."""
    rolled, above = placed.placement.rolled.get(competency), placed.placement.informed(competency)
    if rolled is not None:
        of_them, direct = shares_of_parts(rolled)
        words = of_parts(mean_of_parts(rolled), rolled.known, rolled.children, language)
        told = [_share(Share.PARTS, sum_of(of_them), words)]
        if rolled.own is None:
            return told
        words = of_own_part(rolled.own.probability, rolled.own.evidence_count, language)
        return [*told, _share(Share.OWN, direct, words)]
    if above is None:
        return []
    start, level = placed.placement.start.probability, above.estimate.probability
    begins, moved = shared_points([start, level - start], level)
    return [
        _share(Share.START, begins, of_share(Share.START, begins, 1, language)),
        _share(Share.ABOVE, moved, of_share(Share.ABOVE, moved, len(above.ancestors), language)),
    ]


def _share(name: Share, shown: float, words: str) -> ShareOut:
    return ShareOut(name=name, points=shown, words=words)
