"""Interest per tag: from what a learner chooses and stays with, not from success. It fades, by half in 30 days."""

from math import exp, log

from learner_model import parameters
from learner_model.evidence import Evidence, EvidenceKind
from learner_model.outcomes import Outcome
from learner_model.state import Interest

_DAY = 86_400.0
_CHOSEN_ANEW = 1.0
_CHOSEN_AGAIN = 0.3
_FINISHED = 0.7
_RETURNED_AFTER_FAILURE = 0.5


def choice(evidence: Evidence, before: Outcome | None) -> float:
    """How much of a choice an act is: taking up something new, staying until the end, coming back after a failure."""
    if evidence.kind == EvidenceKind.SUMMARY:
        return 0.0
    strength = _CHOSEN_ANEW if before is None else _CHOSEN_AGAIN
    if evidence.completion or evidence.kind == EvidenceKind.COMPLETION:
        strength += _FINISHED
    if before is Outcome.FAILED:
        strength += _RETURNED_AFTER_FAILURE
    return strength * evidence.weight


def score_at(interest: Interest, at: float) -> float:
    """The score as time has left it."""
    return interest.score * exp(-max(0.0, at - interest.at) / (_DAY * parameters.INTEREST_HALF_LIFE_DAYS) * log(2.0))


def strength_at(interest: Interest, at: float) -> float:
    """The interest from 0 to 1."""
    score = score_at(interest, at)
    return score / (score + parameters.INTEREST_HALFWAY)


def interests_after(
    interests: dict[str, Interest], tags: tuple[str, ...], strength: float, at: int
) -> dict[str, Interest]:
    """The interests with a choice added to each tag, the first of which is the discipline; past the bound the weakest
    goes.
    """
    if strength <= 0.0 or not tags:
        return interests
    result = dict(interests)
    for place, tag in enumerate(tags):
        before = result.get(tag, Interest(0.0, at))
        discipline = place == 0 or before.discipline
        result[tag] = Interest(round(score_at(before, at) + strength, 4), at, discipline)
    while len(result) > parameters.INTERESTS_KEPT:
        del result[min(result, key=lambda tag: (score_at(result[tag], at), tag))]
    return result
