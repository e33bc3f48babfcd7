"""Figures of a group of learners.

The denominator of every figure is the number of learners in the roster. Of a learner who does not allow `insights`, or
not `profile`, nothing but the place in the roster is used: counted in the denominator, adding to no value. `counted`
says of how many learners a value is made.

- active: learners with a statement in the 14 days before `as_of` (a statement after it counts as one: `as_of` takes no
  evidence away).
- share without a statement for 14 days: of those counted, who had none in that time or never any, over the roster.
- statements: their sum.
- mean mastery: the mean over learners of each one's mastery; that is the mean, over the competencies to which the
  learner has given at least one response, of the probability of being above the threshold that the curriculum sets,
  at `as_of` (`learner_model.mastery`). Learners without a response add nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from learner_model import CompetencyState, mastery
from learner_model.frameworks import Frameworks

from insights.rosters.places import Place
from insights.states.repository import Activity

IDLE_AFTER: Final = timedelta(days=14)
NOTHING: Final = Activity(0, None, evidenced=False)


@dataclass(frozen=True, slots=True)
class Pupil:
    """A learner of the roster with what may be used. `activity` None: nothing may be."""

    learner: str
    scopes: tuple[Place, ...]
    places: tuple[Place, ...]
    attributes: Mapping[str, str]
    activity: Activity | None


@dataclass(slots=True)
class Tally:
    """Sums over a group. `counted`: learners whose activity may be used; `evidenced`: those with a mastery."""

    learners: int = 0
    counted: int = 0
    evidenced: int = 0
    active: int = 0
    statements: int = 0
    mastery_sum: float = 0.0
    attributes: dict[str, dict[str, "Tally"]] = field(default_factory=dict)

    def add(self, pupil: Pupil, as_of: datetime, mastered: float | None) -> None:
        self.learners += 1
        activity = pupil.activity
        if activity is None:
            return
        self.counted += 1
        self.statements += activity.statements
        self.active += not idle(activity.last_statement_at, as_of)
        self.evidenced += activity.evidenced
        self.mastery_sum += mastered or 0.0


def idle(last_statement_at: datetime | None, as_of: datetime) -> bool:
    """Whether there was no statement in the 14 days before."""
    return last_statement_at is None or as_of - last_statement_at > IDLE_AFTER


def learner_mastery(
    competencies: Mapping[str, CompetencyState], as_of: datetime, frameworks: Frameworks
) -> float | None:
    """A learner's mean mastery over the competencies with a response; None where there is none."""
    found = [mastery(c, as_of, frameworks.threshold(id_)) for id_, c in competencies.items() if c.evidence_count > 0]
    return sum(found) / len(found) if found else None
