"""What crosses the wire."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from events.payloads import CatalogActivity
from learner_model import CompetencyView, EvidenceKind, view
from learner_model.outcomes import outcome
from learner_model.regularity import EngagementView
from learner_model.regulation import RegulationView
from learner_model.state import EPOCH
from learner_model.views import ActivityView, InterestView, PaceView
from pydantic import BaseModel, Field

from learner_profile.estimates.said import Aside, Signal
from learner_profile.estimates.schemas import SetAsideOut, TeacherOut
from learner_profile.evidence.counting import counted
from learner_profile.evidence.mapping import evidence_of, mapped
from learner_profile.evidence.reading import Reading
from learner_profile.evidence.repository import Row
from learner_profile.judgements.judgement import Act, is_set_aside, ruling
from learner_profile.judgements.schemas import JudgementOut
from learner_profile.learners.placing import Placed
from learner_profile.learners.profiles import Profile
from learner_profile.learners.rolled import RolledUpOut, teacher_of
from learner_profile.learners.wording import title_of

Flag = Literal["late", "clock_ahead", "group", "group_unnamed", "set_aside", "overridden", "imported"]


class CompetencyOut(BaseModel):
    """One competency as of the time asked for."""

    id: str
    title: str
    probability: float = Field(description="that the next response to a typical item is right, forgetting reckoned in")
    mastery: float = Field(description="the probability of being above the threshold")
    threshold: float = Field(description="the probability from which it counts as mastered, as the curriculum says")
    uncertainty: float = Field(description="standard deviation of the probability")
    evidence_count: int
    exposures: int = Field(description="how often it was seen without a response")
    last_seen: datetime
    half_life_days: float
    due_at: datetime | None = Field(description="when the probability falls under the threshold by forgetting")
    provisional: bool = Field(description="made from a course or section, until the catalog maps its activities")
    teacher: TeacherOut | None = Field(description="a teacher's last word, beside the model's own figure above")

    @classmethod
    def seen(cls, seen: CompetencyView, placed: Placed) -> "CompetencyOut":
        return cls(
            id=seen.id,
            title=title_of(seen.id, placed.titles),
            probability=seen.probability,
            mastery=seen.mastery,
            threshold=seen.threshold,
            uncertainty=seen.uncertainty,
            evidence_count=seen.evidence_count,
            exposures=seen.exposures,
            last_seen=seen.last_seen,
            half_life_days=seen.half_life_days,
            due_at=seen.due_at,
            provisional=seen.provisional,
            teacher=teacher_of(seen.id, placed),
        )


class TeacherOnOut(TeacherOut):
    """A teacher's last word on a competency of which nothing else is known."""

    id: str
    title: str

    @classmethod
    def all(cls, placed: Placed) -> "list[TeacherOnOut]":
        placement = placed.placement
        return [
            cls(id=name, title=title_of(name, placed.titles), **one.model_dump())
            for name in sorted(placed.said)
            if name not in placement.state.competencies and name not in placement.rolled
            if (one := teacher_of(name, placed)) is not None
        ]


class StrengthOut(BaseModel):
    """By how many logits a competency stands above the learner's other ones; 90 % interval."""

    id: str
    title: str
    above: float
    low: float
    high: float


class CollaborationOut(BaseModel):
    """What was reached in groups: a measure of working together, and weak evidence (0.3) of what each one knows."""

    acts: int = Field(description="results that a group reached with this learner in it")
    share: float = Field(description="of all evidence")
    group_size: float | None = Field(description="members of those groups, on the mean")
    correctness: float | None = Field(description="of those results, on the mean")
    last_at: datetime | None

    @classmethod
    def of(cls, profile: Profile) -> "CollaborationOut":
        together = profile.collaboration
        statements = profile.statements
        return cls(
            acts=together.acts,
            share=round(together.acts / statements, 4) if statements else 0.0,
            group_size=round(together.members / together.acts, 2) if together.acts else None,
            correctness=round(together.correct / together.scored, 4) if together.scored else None,
            last_at=EPOCH + timedelta(microseconds=together.last_us) if together.acts else None,
        )


class SignalOut(BaseModel):
    """One signal: the model's figure, and what teachers say of it."""

    signal: Signal
    as_of: datetime
    figure: list[InterestView] | list[StrengthOut] | PaceView | EngagementView | RegulationView | CollaborationOut
    set_aside: list[SetAsideOut] = Field(description="what holds now: whatever stands here is used for nothing")
    history: list[SetAsideOut] = Field(description="all that teachers said of it, oldest first")

    @classmethod
    def of(cls, signal: Signal, profile: Profile, placed: Placed) -> "SignalOut":
        model = LearnerOut.of(profile, placed)
        return cls(
            signal=signal,
            as_of=model.as_of,
            figure=getattr(model, signal.value),
            set_aside=[one for one in model.set_aside if one.signal is signal],
            history=[SetAsideOut.of(one) for one in placed.history if isinstance(one, Aside) and one.signal is signal],
        )


class LearnerOut(BaseModel):
    """A learner's open model."""

    learner_id: str
    as_of: datetime
    version: int
    reflects: str | None = Field(description="the id of the last statement (by stored time) folded in")
    competencies: list[CompetencyOut]
    rolled_up: list[RolledUpOut] = Field(description="what the competencies above are parts of, by their frameworks")
    by_teachers_alone: list[TeacherOnOut]
    interests: list[InterestView]
    pace: PaceView
    strengths: list[StrengthOut]
    activity: ActivityView
    engagement: EngagementView
    self_regulation: RegulationView
    collaboration: CollaborationOut
    set_aside: list[SetAsideOut] = Field(
        description="signals, or single interests and strengths, that a teacher has set aside: the figures above stay "
        "as the model's, and nothing is to rest on these"
    )

    @classmethod
    def of(cls, profile: Profile, placed: Placed) -> "LearnerOut":
        placement = placed.placement
        seen = view(placement.state, placement.as_of, placement.frameworks)
        return cls(
            learner_id=profile.learner,
            as_of=seen.as_of,
            version=profile.version,
            reflects=profile.reflects[1] if profile.reflects else None,
            competencies=[CompetencyOut.seen(one, placed) for one in seen.competencies],
            rolled_up=[RolledUpOut.of(name, one, placed) for name, one in sorted(placement.rolled.items())],
            by_teachers_alone=TeacherOnOut.all(placed),
            interests=list(seen.interests),
            pace=seen.pace,
            strengths=[
                StrengthOut(
                    id=one.id, title=title_of(one.id, placed.titles), above=one.above, low=one.low, high=one.high
                )
                for one in seen.strengths
            ],
            activity=seen.activity,
            engagement=seen.engagement,
            self_regulation=seen.self_regulation,
            collaboration=CollaborationOut.of(profile),
            set_aside=[SetAsideOut.of(one) for one in placed.aside.values()],
        )


class ActivityOut(BaseModel):
    id: str
    title: str


class EvidenceOut(BaseModel):
    """One piece of evidence: when, on what, what was done, and what came of it."""

    statement_id: str
    at: datetime
    stored: datetime
    activity: ActivityOut | None
    verb: str
    kind: EvidenceKind
    competencies: list[str]
    provisional: bool
    outcome: str = Field(
        description="seen, failed, partly, succeeded or completed: as it counts; of what is set aside, as it came"
    )
    correctness: float | None = Field(description="0 to 1, as it came, whatever a teacher has put in its place")
    completion: bool | None
    duration_seconds: float | None
    total: bool = Field(description="it sums up other evidence, which counts in its place")
    flags: list[Flag] = Field(
        description="late: stored long after it happened; clock_ahead: its time lay in the future, and the time of "
        "storing counts; group: a group's result, weak evidence; group_unnamed: a group of whom no one is known, kept "
        "and not counted; set_aside: contested and not decided yet, or not to count by a teacher's decision; "
        "overridden: a teacher's judgement stands in its place; imported: it came with a record of another issuer, and "
        "counts half"
    )
    imported_from: str | None = Field(description="the issuer of the record with which it came from elsewhere")
    judgements: list[JudgementOut] = Field(description="what the learner and teachers said of it, oldest first")

    @classmethod
    def of(cls, row: Row, catalog: Mapping[str, CatalogActivity]) -> "EvidenceOut":
        reading = row.reading if is_set_aside(row.judgements) else counted(row)
        evidence = evidence_of(reading, {key: mapped(activity) for key, activity in catalog.items()})
        return cls(
            statement_id=reading.statement_id,
            at=reading.at,
            stored=reading.stored,
            activity=_activity(reading, catalog.get(reading.activity_id)),
            verb=reading.verb_id,
            kind=reading.kind,
            competencies=[competency for competency, _ in evidence.competencies],
            provisional=evidence.provisional,
            outcome=outcome(evidence).name.lower(),
            correctness=row.reading.correctness,
            completion=row.reading.completion,
            duration_seconds=reading.duration_seconds,
            total=row.total,
            flags=_flags(row),
            imported_from=row.reading.imported,
            judgements=[JudgementOut.of(one) for one in row.judgements],
        )


def _flags(row: Row) -> list[Flag]:
    held = ruling(row.judgements)
    found: list[tuple[Flag, bool]] = [
        ("late", row.late),
        ("clock_ahead", row.reading.ahead),
        ("group", row.reading.group_members is not None and not row.reading.of_group),
        ("group_unnamed", row.reading.of_group),
        ("set_aside", is_set_aside(row.judgements)),
        ("overridden", held is not None and held.act is Act.OVERRIDDEN),
        ("imported", row.reading.imported is not None),
    ]
    return [flag for flag, holds in found if holds]


def _activity(reading: Reading, known: CatalogActivity | None) -> ActivityOut | None:
    if not reading.activity_id:
        return None
    title = known.title if known else reading.activity_title
    return ActivityOut(id=reading.activity_id, title=title or title_of(reading.activity_id, {}))
