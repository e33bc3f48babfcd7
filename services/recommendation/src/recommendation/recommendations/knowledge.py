"""What a learner knows at a time, in the terms that ranking needs. All figures are the learner model's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from learner_model import MASTERY_THRESHOLD, LearnerState, Outcome, due_at, empty, probability
from learner_model.belief import logistic, logit
from learner_model.competency import belief_at, item_logit
from learner_model.frameworks import Frameworks
from learner_model.interests import strength_at
from learner_model.outcomes import activity_key, done_keys
from learner_model.overruling import Overruling
from learner_model.placement import Placement
from learner_model.state import EPOCH

from recommendation.recommendations.offers import Offer

READY: Final = 0.6
"""The probability from which a competency bears what is built on it: sooner right than wrong, with some room."""

_NONE: Final = ""
_NO_FRAMEWORKS: Final = Frameworks()
_NOTHING_SAID: Final[Mapping[str, Overruling]] = {}


@dataclass(frozen=True, slots=True)
class Level:
    """A competency at a time. `before`: where it is not mastered, the probability right after the last response;
    `threshold`: the probability from which on it counts as mastered.
    """

    probability: float
    before: float
    tried: bool
    threshold: float = MASTERY_THRESHOLD

    @property
    def mastered(self) -> bool:
        return self.tried and self.probability >= self.threshold

    @property
    def ready(self) -> bool:
        return self.tried and self.probability >= self._bears

    @property
    def bound(self) -> float:
        """The bound that was reached at the last response: mastery, or enough to build on."""
        return self.threshold if self.before >= self.threshold else self._bears

    @property
    def due(self) -> bool:
        """It was above that bound and has faded below it."""
        return self.tried and self.before >= self._bears and self.probability < self.bound

    @property
    def _bears(self) -> float:
        """What is mastered can be built on, however little the curriculum asks for that."""
        return min(READY, self.threshold)


class Knowledge:
    """A learner's state read at `as_of`; each competency is reckoned once."""

    def __init__(
        self,
        state: LearnerState | None,
        as_of: datetime,
        frameworks: Frameworks = _NO_FRAMEWORKS,
        said: Mapping[str, Overruling] = _NOTHING_SAID,
    ) -> None:
        self.known = state is not None
        self.state = state or empty()
        self.as_of = as_of
        self._placed = Placement(self.state, as_of, frameworks, said)
        self._levels: dict[str, Level] = {}
        self._logits: dict[str, float] = {}
        self._placements: dict[str, float | None] = {}
        self._chances: dict[tuple[str, float | None], float] = {}
        self._done = done_keys(self.state)
        self._outcomes = {recent.activity: Outcome(recent.outcome) for recent in self.state.recent}
        self.interests = {
            tag: strength
            for tag, interest in self.state.interests.items()
            if (strength := strength_at(interest, as_of.timestamp())) > 0
        }

    def level(self, competency: str) -> Level:
        found = self._levels.get(competency)
        if found is None:
            found = self._levels[competency] = self._reckon(competency)
        return found

    def overruled(self, competency: str) -> float | None:
        """A teacher's figure, where it stands in the place of the model's."""
        return self._placed.overruled(competency)

    def success(self, competencies: Sequence[str], difficulty: float | None) -> float:
        """The probability of a right response to an item of this difficulty: the mean over its competencies."""
        chances = [self._chance(c, difficulty) for c in competencies or (_NONE,)]
        return sum(chances) / len(chances)

    def met(self, offer: Offer) -> bool:
        """Whether all prerequisites are met: competencies ready, activities done."""
        return all(self.level(c).ready for c in offer.needs) and all(
            activity_key(activity) in self._done for activity in offer.needs_done
        )

    def done(self, offer: Offer) -> bool:
        return offer.key in self._done

    def outcome(self, offer: Offer) -> Outcome | None:
        """The last outcome, where the activity is among the recent ones."""
        return self._outcomes.get(offer.key)

    def due_since(self, competency: str) -> datetime | None:
        """When a competency fell below the bound it had reached."""
        state = self.state.competencies.get(competency)
        return due_at(state, self.level(competency).bound) if state else None

    def tried_disciplines(self, offers: Iterable[Offer]) -> frozenset[str]:
        """Disciplines (first tags) of which the learner has chosen or answered something."""
        return frozenset(
            offer.discipline
            for offer in offers
            if offer.discipline in self.state.interests
            or any(c in self.state.competencies for c in offer.activity.competencies)
        )

    def _reckon(self, competency: str) -> Level:
        said, threshold = self.overruled(competency), self._placed.frameworks.threshold(competency)
        if said is not None:
            return Level(said, said, tried=True, threshold=threshold)
        below = self._placed.rolled.get(competency)
        if below is not None and below.known * 2 >= below.children:
            level = below.estimate.probability  # its own responses are one part of that
            return Level(level, level, tried=True, threshold=threshold)
        state = self.state.competencies.get(competency)
        if state is None or state.evidence_count == 0:
            return Level(self._chance(competency, None), 0.0, tried=False, threshold=threshold)
        now = probability(state, self.as_of)
        mastered = now >= threshold
        before = now if mastered else probability(state, EPOCH + timedelta(seconds=state.last_response))
        return Level(now, before, tried=True, threshold=threshold)

    def _chance(self, competency: str, difficulty: float | None) -> float:
        """All unseen competencies are alike, so that one reckoning serves them all."""
        key = (competency if self._stands_out(competency) else _NONE, difficulty)
        found = self._chances.get(key)
        if found is None:
            found = self._chances[key] = logistic(self._logit(key[0]) - item_logit(difficulty))
        return found

    def _logit(self, competency: str) -> float:
        """Of an unseen competency: what is believed of a new one."""
        found = self._logits.get(competency)
        if found is None:
            state, placed = self.state.competencies.get(competency), self._elsewhere(competency)
            mean = self.state.ability.mean if state is None else belief_at(state, self.as_of).mean
            found = self._logits[competency] = mean if placed is None else logit(placed)
        return found

    def _stands_out(self, competency: str) -> bool:
        return competency in self.state.competencies or self._elsewhere(competency) is not None

    def _elsewhere(self, competency: str) -> float | None:
        """A probability that is not from the competency's own responses: a teacher's, or from parts or ancestors."""
        if competency not in self._placements:
            said = self.overruled(competency)
            if said is not None:
                self._placements[competency] = min(0.99, max(0.01, said))
            elif competency == _NONE or self._answered_alone(competency):
                self._placements[competency] = None
            else:
                placed = self._placed.of(competency)
                self._placements[competency] = None if placed is None else placed.probability
        return self._placements[competency]

    def _answered_alone(self, competency: str) -> bool:
        """Whether its own responses say all of it: nothing that it consists of has any."""
        state = self.state.competencies.get(competency)
        return state is not None and state.evidence_count > 0 and competency not in self._placed.rolled
