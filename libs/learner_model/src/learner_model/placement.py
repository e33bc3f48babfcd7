"""A learner's competencies where frameworks and teachers place them: what a reader gets for any competency."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from learner_model.competency import fresh, mastery, probability, uncertainty
from learner_model.frameworks import Estimate, Frameworks, Informed, RolledUp, informed, rolled_up
from learner_model.overruling import Overruling, Standing, standing
from learner_model.parameters import MASTERY_THRESHOLD
from learner_model.state import CompetencyState, LearnerState
from learner_model.views import seen_at


@dataclass(frozen=True)
class Placement:
    """What is thought of each competency at `as_of`, reckoned as it is asked for. `said`: by teachers."""

    state: LearnerState
    as_of: datetime
    frameworks: Frameworks = field(default_factory=Frameworks)
    said: Mapping[str, Overruling] = field(default_factory=dict)

    @cached_property
    def own(self) -> dict[str, Estimate]:
        """Of every competency with responses of its own, but provisional ones, the model's estimate."""
        return {
            one: self._estimate(state, one)
            for one, state in self.state.competencies.items()
            if state.evidence_count > 0 and not state.provisional
        }

    @cached_property
    def start(self) -> Estimate:
        """What a competency begins with of which nothing is known."""
        return self.start_of(None)

    def start_of(self, competency: str | None) -> Estimate:
        """The same of one that may have a threshold of its own."""
        return self._estimate(fresh(self.state.ability), competency)

    @cached_property
    def rolled(self) -> dict[str, RolledUp]:
        """Every competency above one with responses."""
        return rolled_up(self.frameworks, self.own, self.start) if self.frameworks.parents else {}

    def informed(self, competency: str) -> Informed | None:
        """What the ancestors say of one with neither responses nor anything known below; None: nothing."""
        if not self.frameworks.parents.get(competency) or competency in self.own or competency in self.rolled:
            return None
        if competency not in self.frameworks.thresholds:
            return informed(self.frameworks, self.own, self.start, competency)
        above = self.frameworks.above([competency]) & self.own.keys()
        own = {one: self._estimate(self.state.competencies[one], competency) for one in above}
        return informed(self.frameworks, own, self.start_of(competency), competency)

    def of(self, competency: str) -> Estimate | None:
        """The one rolled up, which its own answers are a part of, else the own estimate, else what its ancestors say;
        None where nothing is known.
        """
        if competency in self.rolled:
            return self.rolled[competency].estimate
        state = self.state.competencies.get(competency)
        if state is not None and state.evidence_count > 0:
            return self._estimate(state, competency)
        above = self.informed(competency)
        return None if above is None else above.estimate

    def responses(self, competency: str) -> int:
        """On the competency and all that is below it."""
        if competency in self.rolled:
            return self.rolled[competency].estimate.evidence_count
        own = self.state.competencies.get(competency)
        return 0 if own is None else own.evidence_count

    def standing(self, competency: str) -> Standing | None:
        """How the teacher's word stands; None where no teacher has said anything."""
        said = self.said.get(competency)
        if said is None:
            return None
        state = self.state.competencies.get(competency)
        now = self.of(competency) or (self.start if state is None else self._estimate(state, competency))
        return standing(said, replace(now, evidence_count=self.responses(competency)), self.as_of)

    def overruled(self, competency: str) -> float | None:
        """The teacher's figure where it stands in the place of the model's."""
        return None if self.standing(competency) in (None, Standing.LAPSED) else self.said[competency].probability

    def _estimate(self, state: CompetencyState, measured_by: str | None) -> Estimate:
        """Mastery is reckoned by the threshold of the competency named; None: by the usual one."""
        threshold = MASTERY_THRESHOLD if measured_by is None else self.frameworks.threshold(measured_by)
        return Estimate(
            probability=round(probability(state, self.as_of), 4),
            mastery=round(mastery(state, self.as_of, threshold), 4),
            uncertainty=round(uncertainty(state, self.as_of), 4),
            evidence_count=state.evidence_count,
            last_seen=seen_at(state),
        )
