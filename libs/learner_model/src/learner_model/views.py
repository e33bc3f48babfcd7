"""What a reader sees of a state at a time it names."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp, sqrt
from typing import Final

from learner_model import parameters
from learner_model.competency import belief_at, due_at, mastery, probability, uncertainty
from learner_model.frameworks import Frameworks
from learner_model.interests import strength_at
from learner_model.regularity import EngagementView, engagement
from learner_model.regulation import RegulationView, regulation
from learner_model.state import EPOCH, Activity, Belief, CompetencyState, Interest, LearnerState, Pace

_NO_FRAMEWORKS: Final = Frameworks()


@dataclass(frozen=True, slots=True, kw_only=True)
class CompetencyView:
    """One competency at a time. `half_life_days`: after so long half of what time takes (in logits) is gone.
    `threshold`: the probability from which on it counts as mastered.
    """

    id: str
    probability: float
    mastery: float
    uncertainty: float
    evidence_count: int
    exposures: int
    last_seen: datetime
    half_life_days: float
    threshold: float
    due_at: datetime | None
    provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestView:
    """An interest from 0 to 1, and its share among all. `discipline`: in a whole field, not in a topic of it."""

    tag: str
    discipline: bool
    strength: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceView:
    """Ratios of time taken: to the expected time; lately to the own usual one. Under 1: quicker; None: not known."""

    ratio_to_expected: float | None
    recent_to_usual: float | None
    evidence_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StrengthView:
    """By how many logits a competency stands above the learner's other ones, with its 90 % interval wholly above 0."""

    id: str
    above: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityView:
    """How much and how regularly."""

    statements: int
    active_days: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnerView:
    """A learner at a time."""

    as_of: datetime
    competencies: tuple[CompetencyView, ...]
    interests: tuple[InterestView, ...]
    pace: PaceView
    strengths: tuple[StrengthView, ...]
    activity: ActivityView
    engagement: EngagementView
    self_regulation: RegulationView


def view(state: LearnerState, as_of: datetime, frameworks: Frameworks = _NO_FRAMEWORKS) -> LearnerView:
    """The state as seen at `as_of`: competencies by id, interests and strengths strongest first.

    `frameworks` say from which probability on each competency counts as mastered.
    """
    return LearnerView(
        as_of=as_of,
        competencies=tuple(
            _competency(competency_id, state.competencies[competency_id], as_of, frameworks.threshold(competency_id))
            for competency_id in sorted(state.competencies)
        ),
        interests=_interests(state.interests, as_of),
        pace=_pace(state.pace),
        strengths=_strengths(state.competencies, as_of),
        activity=_activity(state.activity),
        engagement=engagement(state.days, as_of),
        self_regulation=regulation(state.regulation),
    )


def seen_at(state: CompetencyState) -> datetime:
    """When the competency was last seen."""
    return EPOCH + timedelta(seconds=state.last_seen)


def _competency(competency_id: str, state: CompetencyState, as_of: datetime, threshold: float) -> CompetencyView:
    return CompetencyView(
        id=competency_id,
        probability=round(probability(state, as_of), 4),
        mastery=round(mastery(state, as_of, threshold), 4),
        uncertainty=round(uncertainty(state, as_of), 4),
        evidence_count=state.evidence_count,
        exposures=state.exposures,
        last_seen=seen_at(state),
        half_life_days=state.half_life_days,
        threshold=threshold,
        due_at=due_at(state, threshold),
        provisional=state.provisional,
    )


def _interests(interests: dict[str, Interest], as_of: datetime) -> tuple[InterestView, ...]:
    strengths = {tag: strength_at(interest, as_of.timestamp()) for tag, interest in interests.items()}
    total = sum(strengths.values())
    ordered = sorted(strengths.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        InterestView(
            tag=tag,
            discipline=interests[tag].discipline,
            strength=round(strength, 4),
            share=round(strength / total, 4) if total > 0 else 0.0,
        )
        for tag, strength in ordered
    )


def _pace(pace: Pace) -> PaceView:
    own = pace.expected if pace.expected.samples >= pace.unexpected.samples else pace.unexpected
    return PaceView(
        ratio_to_expected=round(exp(pace.expected.usual), 3) if pace.expected.samples else None,
        recent_to_usual=round(exp(own.recent - own.usual), 3) if own.samples > 1 else None,
        evidence_count=pace.expected.samples + pace.unexpected.samples,
    )


def _strengths(competencies: dict[str, CompetencyState], as_of: datetime) -> tuple[StrengthView, ...]:
    """Each competency against the precision-weighted mean of the others: the learner is the own yardstick."""
    beliefs = {
        competency_id: belief_at(state, as_of)
        for competency_id, state in competencies.items()
        if state.evidence_count >= parameters.STRENGTH_MIN_EVIDENCE
    }
    if len(beliefs) < parameters.STRENGTH_MIN_COMPETENCIES:
        return ()
    precision = sum(1.0 / belief.variance for belief in beliefs.values())
    weighted = sum(belief.mean / belief.variance for belief in beliefs.values())
    found = (_strength(competency_id, belief, precision, weighted) for competency_id, belief in sorted(beliefs.items()))
    return tuple(sorted((s for s in found if s.low > 0.0), key=lambda s: (-s.above, s.id)))


def _strength(competency_id: str, belief: Belief, precision: float, weighted: float) -> StrengthView:
    others = precision - 1.0 / belief.variance
    above = belief.mean - (weighted - belief.mean / belief.variance) / others
    margin = parameters.STRENGTH_Z * sqrt(belief.variance + 1.0 / others)
    return StrengthView(
        id=competency_id, above=round(above, 3), low=round(above - margin, 3), high=round(above + margin, 3)
    )


def _activity(activity: Activity) -> ActivityView:
    known = activity.statements > 0
    return ActivityView(
        statements=activity.statements,
        active_days=activity.active_days,
        first_at=EPOCH + timedelta(seconds=activity.first) if known else None,
        last_at=EPOCH + timedelta(seconds=activity.last) if known else None,
    )
