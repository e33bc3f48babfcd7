"""What is told of one competency, faded by time. Plain arithmetic on what the fold left in the state.

Forgetting is exponential in the half-life of the competency, which grows with spaced successes and shrinks with
failures, after Settles & Meeder 2016, "A trainable spaced repetition model for language learning", ACL 1848-1858.
A part of what was learnt stays. Time alone never raises probability or mastery.
"""

from datetime import datetime, timedelta
from math import exp, log, log2

from learner_model import parameters
from learner_model.belief import logistic, logit, probability_sd, share_above
from learner_model.state import EPOCH, Belief, CompetencyState

_DAY = 86_400.0
_MOST_GUESSING = 0.9
_TYPICAL_GUESSING = log(1.1 / 0.9)  # one in ten


def item_logit(difficulty: float | None) -> float:
    """The logit of an item whose difficulty is given from 0 to 1; the typical one where it is not."""
    return 0.0 if difficulty is None else (difficulty - 0.5) * parameters.DIFFICULTY_SPREAD


def guessing_logit(guessing: float | None) -> float:
    """By how many logits an item is answered rightly more often than a typical one, since it is guessed more often.

    Who knows in every second case is right in (1 + guessing) / 2 of all (the three-parameter logistic model, Birnbaum
    1968). The typical item is that of the learners from whom the library's own parameters are learnt.
    """
    if guessing is None:
        return 0.0
    chance = min(guessing, _MOST_GUESSING)
    return log((1.0 + chance) / (1.0 - chance)) - _TYPICAL_GUESSING


def fresh(ability: Belief) -> CompetencyState:
    """A competency of which nothing was seen, of a learner of such an ability."""
    return CompetencyState(
        mean=ability.mean,
        variance=ability.variance,
        evidence_count=0,
        successes=0.0,
        exposures=0,
        last_response=0,
        seen_after=0,
        half_life_days=parameters.HALF_LIFE_FIRST_DAYS,
        provisional=False,
        base=ability.mean,
    )


def probability(state: CompetencyState, as_of: datetime) -> float:
    """That the next response to a typical item is right, with what was forgotten until `as_of`."""
    return logistic(belief_at(state, as_of).mean)


def mastery(state: CompetencyState, as_of: datetime, threshold: float = parameters.MASTERY_THRESHOLD) -> float:
    """The probability that the learner is above the threshold at `as_of`: high where both level and evidence are."""
    return share_above(belief_at(state, as_of).mean, state.variance, logit(threshold))


def uncertainty(state: CompetencyState, as_of: datetime) -> float:
    """Standard deviation of the probability. The belief widens with the time since the last response."""
    belief = belief_at(state, as_of)
    return probability_sd(belief.mean, belief.variance)


def due_at(state: CompetencyState, threshold: float = parameters.MASTERY_THRESHOLD) -> datetime | None:
    """When the probability falls under the threshold by forgetting; None where it never was above or never will."""
    if state.evidence_count == 0:
        return None
    needed, floor = logit(threshold), _floor(state)
    if state.mean <= needed or needed <= floor:
        return None
    days = state.half_life_days * log2((state.mean - floor) / (needed - floor))
    return EPOCH + timedelta(seconds=state.last_response + round(days * _DAY))


def belief_at(state: CompetencyState, as_of: datetime) -> Belief:
    """The belief as time has left it. A time before the last response counts as that of the last response."""
    days = max(0.0, as_of.timestamp() - state.last_response) / _DAY if state.evidence_count else 0.0
    floor = _floor(state)
    mean = floor + (state.mean - floor) * exp(-days / state.half_life_days * log(2.0))
    return Belief(mean, min(_widest(state), state.variance + parameters.DRIFT_PER_DAY * days))


def _floor(state: CompetencyState) -> float:
    """Where forgetting leads: what the own responses told is in part the learner's level, which no time takes."""
    return min(state.mean, state.base + parameters.KEPT_BY_TIME * (state.mean - state.base))


def _widest(state: CompetencyState) -> float:
    return max(parameters.PRIOR_VARIANCE, state.variance)
