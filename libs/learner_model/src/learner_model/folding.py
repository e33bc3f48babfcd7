"""The fold: evidence in, state out. The same set of evidence gives the same state, byte for byte."""

from collections.abc import Iterable
from dataclasses import replace

from learner_model import parameters
from learner_model.belief import logistic
from learner_model.competency import expose, fresh, item_logit, respond
from learner_model.evidence import Evidence, EvidenceKind
from learner_model.interests import choice, interests_after
from learner_model.outcomes import activity_key, completed_after, is_done, last_outcome, outcome, recent_after
from learner_model.pacing import pace_after
from learner_model.regularity import days_after
from learner_model.regulation import regulation_after
from learner_model.state import Activity, Belief, CompetencyState, LastKey, LearnerState, empty, microseconds

_DAY = 86_400


class OutOfOrderError(ValueError):
    """The evidence does not come after what was folded: the state must be built anew from all rows."""


def fold_all(rows: Iterable[Evidence]) -> LearnerState:
    """The state of a learner from all rows, in any order; a statement that stands there twice counts once."""
    state = empty()
    for evidence in sorted({row.statement_id: row for row in rows}.values(), key=lambda row: row.key):
        state = fold(state, evidence)
    return state


def fold(state: LearnerState, evidence: Evidence) -> LearnerState:
    """The state with one piece of evidence more, which comes after all that was folded (else OutOfOrderError)."""
    last = LastKey(microseconds(evidence.at), evidence.statement_id)
    if state.last is not None and last <= state.last:
        raise OutOfOrderError(f"statement {evidence.statement_id} does not come after the last one folded")
    at = last.at_us // 1_000_000
    folded = replace(state, last=last, activity=_activity_after(state.activity, at), days=days_after(state.days, at))
    if evidence.activity_id:
        key, result = activity_key(evidence.activity_id), outcome(evidence)
        folded = replace(
            folded,
            recent=recent_after(state.recent, key, at, result),
            completed=completed_after(state.completed, key, result),
        )
    if evidence.kind == EvidenceKind.SUMMARY:
        return folded
    before = last_outcome(state, evidence.activity_id)
    done = is_done(state, evidence.activity_id)
    strength = choice(evidence, before[0] if before else None)
    return replace(
        folded,
        regulation=regulation_after(state.regulation, before, outcome(evidence), at, done=done),
        ability=_ability_after(state.ability, evidence),
        competencies=_competencies_after(state, evidence, at),
        interests=interests_after(state.interests, evidence.tags, strength, at),
        pace=pace_after(state.pace, evidence.duration_seconds, evidence.expected_seconds),
    )


def _competencies_after(state: LearnerState, evidence: Evidence, at: int) -> dict[str, CompetencyState]:
    if not evidence.competencies:
        return state.competencies
    result = dict(state.competencies)
    for competency_id, weight in evidence.competencies:
        before = result.get(competency_id) or fresh(state.ability, at, provisional=evidence.provisional)
        if evidence.kind == EvidenceKind.RESPONSE and evidence.correctness is not None:
            shared = weight * evidence.weight
            after = respond(before, at, evidence.correctness, shared, evidence.difficulty)
        else:
            after = expose(before, at)
        result[competency_id] = after._replace(provisional=evidence.provisional)
    return result


def _ability_after(ability: Belief, evidence: Evidence) -> Belief:
    """The learner's general level, from all responses alike (Elo with a falling gain, Pelánek 2016)."""
    if evidence.kind != EvidenceKind.RESPONSE or evidence.correctness is None:
        return ability
    gain = max(
        parameters.ABILITY_VARIANCE_FLOOR, 1.0 / (1.0 / ability.variance + evidence.weight * parameters.INFORMATION)
    )
    surprise = evidence.correctness - logistic(ability.mean - item_logit(evidence.difficulty))
    return Belief(round(ability.mean + evidence.weight * gain * surprise, 4), round(gain, 4))


def _activity_after(activity: Activity, at: int) -> Activity:
    first = activity.first if activity.statements else at
    new_day = not activity.statements or at // _DAY != activity.last // _DAY
    return Activity(activity.statements + 1, first, at, activity.active_days + new_day)
