"""Interest per tag: from what a learner chooses and stays with, not from success. It fades, by half in 30 days."""

from math import exp, inf, log

from learner_model import parameters
from learner_model.coding import INTEREST, interest_bytes, told_interest
from learner_model.evidence import Evidence, EvidenceKind
from learner_model.outcomes import Outcome
from learner_model.state import Interest

_HALF_LIFE = 86_400.0 * parameters.INTEREST_HALF_LIFE_DAYS
_LN_2 = log(2.0)
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


def watching(evidence: Evidence, before: Outcome | None, new: float, *, goes_on: bool) -> float:
    """How much of a choice a piece of a video is: taken up once a sitting, and finished by the share that is new."""
    begun = 0.0 if goes_on else _CHOSEN_ANEW if before is None else _CHOSEN_AGAIN
    return (begun + _FINISHED * new) * evidence.weight


def score_at(interest: Interest, at: float) -> float:
    """The score as time has left it."""
    return _faded(interest.score, interest.at, at)


def _faded(score: float, since: float, at: float) -> float:
    return score * exp(-max(0.0, at - since) / _HALF_LIFE * _LN_2)


def strength_at(interest: Interest, at: float) -> float:
    """The interest from 0 to 1."""
    score = score_at(interest, at)
    return score / (score + parameters.INTEREST_HALFWAY)


class Interests:
    """A learner's interests while they are folded on; past the bound the weakest goes."""

    def __init__(self, coded: dict[bytes, bytes]) -> None:
        """`coded`: tag → interest, both as they stand in bytes."""
        self.coded = coded
        self._stands: dict[bytes, float] = {}

    def add(self, tags: tuple[str, ...], strength: float, at: int) -> None:
        """Add a choice to each tag, the first of which is the discipline."""
        if strength <= 0.0:
            return
        for place, name in enumerate(tags):
            tag = name.encode()
            coded = self.coded.get(tag)
            score, since, discipline = (0.0, at, False) if coded is None else told_interest(coded)
            score = round(_faded(score, since, at) + strength, 4)
            self.coded[tag] = new = interest_bytes(tag, Interest(score, at, place == 0 or discipline))
            if self._stands:
                self._stands[tag] = _stands(new)
        while len(self.coded) > parameters.INTERESTS_KEPT:
            self._drop_weakest()

    def _drop_weakest(self) -> None:
        """The weakest at any time, since all fade alike; among equals the first by name."""
        self._stands = self._stands or {tag: _stands(coded) for tag, coded in self.coded.items()}
        least = min(self._stands.values())
        weakest = min([tag for tag, stands in self._stands.items() if stands == least])
        del self.coded[weakest], self._stands[weakest]


def _stands(coded: bytes) -> float:
    """Logarithm of the score that would have faded to this one if it had begun in 1970."""
    _, score, since = INTEREST.unpack_from(coded)
    return log(score) + since / _HALF_LIFE * _LN_2 if score else -inf
