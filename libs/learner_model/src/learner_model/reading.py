"""The state that readers see, from what is kept of a learner. No parameters are needed."""

from collections.abc import Iterable
from dataclasses import replace

from learner_model import parameters
from learner_model.additive.layout import (
    ABILITY_VARIANCE,
    FOR_ALL,
    GENERAL,
    LATELY,
    NEW_SKILL,
    S_BASE,
    S_COUNT,
    S_EVIDENCE,
    S_EXPOSED,
    S_HALF,
    S_OWN,
    S_PROVISIONAL,
    S_RIGHT,
    S_SEEN,
    S_TIME,
    S_VARIANCE,
)
from learner_model.additive.memory import skills_of, whole_of
from learner_model.evidence import Evidence
from learner_model.folded import Folded
from learner_model.folder import Folder
from learner_model.state import Belief, CompetencyState, LearnerState, Level


def state_of(folded: Folded) -> LearnerState:
    """With competencies in the order in which they were met first. Raises `MemoryVersionError`."""
    if not folded.memory:
        return folded.habits
    whole = whole_of(folded.memory)
    level = Level(*(round(float(whole[k]), 4) for k in (FOR_ALL, GENERAL, LATELY)))
    rows = skills_of(folded.memory, len(folded.names))
    learner = float(whole[ABILITY_VARIANCE])
    competencies = {
        name: _competency(row, level, learner) for name, row in zip(folded.names, rows.tolist(), strict=True)
    }
    new = Belief(
        round(sum(level) + float(whole[NEW_SKILL]), 4),
        round(learner + parameters.SKILL_VARIANCE + parameters.OPEN_VARIANCE, 4),
    )
    return replace(folded.habits, ability=new, level=level, competencies=competencies)


def fold_all(rows: Iterable[Evidence]) -> LearnerState:
    """The state of a learner from all rows, in any order, by the parameters that come with the library."""
    return state_of(Folder().fold_all(rows))


def _competency(row: list[float], level: Level, learner: float) -> CompetencyState:
    base = level.for_all + level.own + row[S_BASE]
    left_open = parameters.OPEN_VARIANCE / (1.0 + parameters.INFORMATION * row[S_COUNT])
    answered, seen = max(0, int(row[S_TIME])), max(0, int(row[S_SEEN]))
    return CompetencyState(
        mean=round(base + level.lately + row[S_OWN], 4),
        variance=round(learner + row[S_VARIANCE] + left_open, 4),
        evidence_count=int(row[S_EVIDENCE]),
        successes=round(row[S_RIGHT], 2),
        exposures=int(row[S_EXPOSED]),
        last_response=answered,
        seen_after=max(0, seen - answered),
        half_life_days=round(2.0 ** row[S_HALF], 2) if row[S_EVIDENCE] else parameters.HALF_LIFE_FIRST_DAYS,
        provisional=bool(row[S_PROVISIONAL]),
        base=round(base, 4),
    )
