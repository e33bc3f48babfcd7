"""What evidence says of a learner's habits: what was done, interests, pace, activity. Mastery is `folder`'s."""

from dataclasses import replace

from learner_model.evidence import Evidence, EvidenceKind
from learner_model.interests import choice, interests_after
from learner_model.outcomes import activity_key, completed_after, is_done, last_outcome, outcome, recent_after
from learner_model.pacing import pace_after
from learner_model.regularity import days_after
from learner_model.regulation import regulation_after
from learner_model.state import Activity, LastKey, LearnerState, microseconds

_DAY = 86_400


class OutOfOrderError(ValueError):
    """The evidence does not come after what was folded: the state must be built anew from all rows."""


def habits_after(state: LearnerState, evidence: Evidence) -> LearnerState:
    """The state with one piece of evidence more, which comes after all that was folded (else OutOfOrderError).

    Competencies and levels stay as they are.
    """
    last = LastKey(microseconds(evidence.at), evidence.statement_id)
    if state.last is not None and last <= state.last:
        raise OutOfOrderError(f"statement {evidence.statement_id} does not come after the last one folded")
    at = last.at_us // 1_000_000
    recent, completed = state.recent, state.completed
    if evidence.activity_id:
        key, result = activity_key(evidence.activity_id), outcome(evidence)
        recent, completed = recent_after(recent, key, at, result), completed_after(completed, key, result)
    interests, pace, regulation = state.interests, state.pace, state.regulation
    if evidence.kind != EvidenceKind.SUMMARY:
        before, done = last_outcome(state, evidence.activity_id), is_done(state, evidence.activity_id)
        interests = interests_after(interests, evidence.tags, choice(evidence, before[0] if before else None), at)
        pace = pace_after(pace, evidence.duration_seconds, evidence.expected_seconds)
        regulation = regulation_after(regulation, before, outcome(evidence), at, done=done)
    return replace(
        state,
        last=last,
        activity=_activity_after(state.activity, at),
        days=days_after(state.days, at),
        interests=interests,
        pace=pace,
        regulation=regulation,
        recent=recent,
        completed=completed,
    )


def _activity_after(activity: Activity, at: int) -> Activity:
    first = activity.first if activity.statements else at
    new_day = not activity.statements or at // _DAY != activity.last // _DAY
    return Activity(activity.statements + 1, first, at, activity.active_days + new_day)
