"""What is believed of one competency: updated by responses, faded by time.

The estimate is a normal belief about the logit of a right response to a typical item, updated as in Glicko (Glickman
1999, "Parameter estimation in large dynamic paired comparison experiments", Applied Statistics 48:377-394) with the
response in the place of a game and the item in the place of the opponent; that Elo-like updates suit education is
argued in Pelánek 2016, "Applications of the Elo rating system in adaptive educational systems", Computers & Education
98:169-179. Forgetting is exponential in the half-life of the competency, which grows with spaced successes and shrinks
with failures, after Settles & Meeder 2016, "A trainable spaced repetition model for language learning", ACL 1848-1858.

Three laws hold and are tested: nothing leaves its bounds; a success in the place of a failure lowers no probability at
any later time; time alone never raises probability or mastery.
"""

from datetime import datetime, timedelta
from math import exp, log, log2

from learner_model import parameters
from learner_model.belief import expected_probability, logistic, logit, mean_for, probability_sd, share_above
from learner_model.state import EPOCH, Belief, CompetencyState

_DAY = 86_400.0


def fresh(ability: Belief, at: int, *, provisional: bool) -> CompetencyState:
    """A competency seen for the first time: it starts from what the learner can in general (partial pooling)."""
    return CompetencyState(
        mean=round(parameters.PRIOR_MEAN + parameters.POOLING * ability.mean, 4),
        variance=parameters.PRIOR_VARIANCE,
        evidence_count=0,
        successes=0.0,
        exposures=0,
        last_response=0,
        seen_after=at,
        half_life_days=parameters.HALF_LIFE_FIRST_DAYS,
        provisional=provisional,
    )


def respond(
    state: CompetencyState, at: int, correctness: float, weight: float, difficulty: float | None
) -> CompetencyState:
    """The belief after a response of the given correctness (0..1); a weight under 1 makes it weaker evidence."""
    days = _days_since_response(state, at)
    mean = _mean_after(state, days)
    variance = min(parameters.PRIOR_VARIANCE, state.variance + parameters.DRIFT_PER_DAY * days)
    variance = max(parameters.VARIANCE_FLOOR, 1.0 / (1.0 / variance + weight * parameters.INFORMATION))
    surprise = correctness - logistic(mean - item_logit(difficulty))
    mean += weight * (variance * surprise + parameters.LEARNING)
    return state._replace(
        mean=round(max(-parameters.MEAN_LIMIT, min(parameters.MEAN_LIMIT, mean)), 4),
        variance=round(variance, 4),
        evidence_count=state.evidence_count + 1,
        successes=round(state.successes + correctness, 3),
        last_response=at,
        seen_after=0,
        half_life_days=_half_life_after(state, days, correctness, weight),
    )


def expose(state: CompetencyState, at: int) -> CompetencyState:
    """Seen without a response: counted, and no news about mastery."""
    return state._replace(exposures=state.exposures + 1, seen_after=at - state.last_response)


def item_logit(difficulty: float | None) -> float:
    """The logit of an item whose difficulty is given from 0 to 1; the typical one where it is not."""
    return 0.0 if difficulty is None else (difficulty - 0.5) * parameters.DIFFICULTY_SPREAD


def probability(state: CompetencyState, as_of: datetime) -> float:
    """That the next response to a typical item is right, with what was forgotten until `as_of`."""
    return expected_probability(belief_at(state, as_of).mean, state.variance)


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
    needed = mean_for(threshold, state.variance)
    floor = parameters.FORGOTTEN_MEAN
    if state.mean <= needed or needed <= floor:
        return None
    days = state.half_life_days * log2((state.mean - floor) / (needed - floor))
    return EPOCH + timedelta(seconds=state.last_response + round(days * _DAY))


def belief_at(state: CompetencyState, as_of: datetime) -> Belief:
    """The belief as time has left it. A time before the last response counts as that of the last response."""
    days = _days_since_response(state, as_of.timestamp())
    variance = min(parameters.PRIOR_VARIANCE, state.variance + parameters.DRIFT_PER_DAY * days)
    return Belief(_mean_after(state, days), variance)


def _days_since_response(state: CompetencyState, at: float) -> float:
    return max(0.0, at - state.last_response) / _DAY if state.evidence_count else 0.0


def _mean_after(state: CompetencyState, days: float) -> float:
    floor = min(state.mean, parameters.FORGOTTEN_MEAN)
    return floor + (state.mean - floor) * _left(days, state.half_life_days)


def _left(days: float, half_life_days: float) -> float:
    return exp(-days / half_life_days * log(2.0))


def _half_life_after(state: CompetencyState, days: float, correctness: float, weight: float) -> float:
    forgotten = 1.0 - _left(days, state.half_life_days)
    grown = 1.0 + parameters.HALF_LIFE_GROWTH * forgotten * correctness * weight
    lost = exp(log(parameters.HALF_LIFE_LOSS) * (1.0 - correctness) * weight)
    half_life = state.half_life_days * grown * lost
    return round(max(parameters.HALF_LIFE_MIN_DAYS, min(parameters.HALF_LIFE_MAX_DAYS, half_life)), 2)
