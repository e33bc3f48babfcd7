"""The state that readers see, from what is kept of a learner. No parameters are needed."""

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import numpy as np

from learner_model import parameters
from learner_model.additive.compiled import Floats
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
from learner_model.state import (
    Activity,
    Belief,
    CompetencyState,
    Days,
    Help,
    Interest,
    LastKey,
    LearnerState,
    Level,
    Pace,
    Recent,
    Regulation,
    Trend,
)

_COUNTS: Final = [S_EVIDENCE, S_EXPOSED, S_TIME, S_SEEN]
_PLACES: Final = np.array([[1e4], [1e4], [1e2], [1e4]])  # what is told of means and variances, and of sums


def state_of(folded: Folded) -> LearnerState:
    """With competencies in the order in which they were met first. Raises `MemoryVersionError`."""
    return _state(told(folded))


def habits_of(folded: Folded) -> LearnerState:
    """What can be read without the memory: of an older model's state all, else all but competencies."""
    return _state(folded.told())


def _state(said: dict[str, Any]) -> LearnerState:
    expected, unexpected = said["pace"]
    return LearnerState(
        model=said["model"],
        last=said["last"] and LastKey(*said["last"]),
        ability=Belief(*said["ability"]),
        level=Level(*said["level"]),
        competencies={name: CompetencyState(*row) for name, row in said["competencies"].items()},
        interests={tag: Interest(*row) for tag, row in said["interests"].items()},
        pace=Pace(Trend(*expected), Trend(*unexpected)),
        activity=Activity(*said["activity"]),
        days=Days(*said["days"]),
        regulation=Regulation(*said["regulation"]),
        recent=tuple(Recent(*row) for row in said["recent"]),
        completed=said["completed"],
        help=Help(*said.get("help", ())),
        watched=said.get("watched", ""),
    )


def told(folded: Folded) -> dict[str, Any]:
    """What `state_of` gives as JSON has it, for whoever sends it on."""
    said, memory = folded.told(), folded.memory
    if not memory:
        return said
    whole = whole_of(memory)
    level = Level(*(round(float(whole[k]), 4) for k in (FOR_ALL, GENERAL, LATELY)))
    names = folded.names
    learner = float(whole[ABILITY_VARIANCE])
    columns = _columns(skills_of(memory, len(names)), level, learner)
    said["competencies"] = dict(zip(names, zip(*columns, strict=True), strict=True))
    said["level"] = [*level]
    said["ability"] = [
        round(sum(level) + float(whole[NEW_SKILL]), 4),
        round(learner + parameters.SKILL_VARIANCE + parameters.OPEN_VARIANCE, 4),
    ]
    return said


def fold_all(rows: Iterable[Evidence]) -> LearnerState:
    """The state of a learner from all rows, in any order, by the parameters that come with the library."""
    return state_of(Folder().fold_all(rows))


def _columns(rows: Floats, level: Level, learner: float) -> tuple[list[Any], ...]:
    """Of all competencies what `CompetencyState` has, field by field."""
    skills = rows.T
    figures = np.empty((4, len(rows)))
    base = skills[S_BASE] + (level.for_all + level.own)
    figures[0] = base + skills[S_OWN] + level.lately
    figures[1] = skills[S_VARIANCE] + parameters.OPEN_VARIANCE / (1.0 + parameters.INFORMATION * skills[S_COUNT])
    figures[1] += learner
    figures[2] = skills[S_RIGHT]
    figures[3] = base
    mean, variance, right, base_told = (np.rint(figures * _PLACES) / _PLACES).tolist()
    evidence, exposed, answered, seen = skills[_COUNTS].astype(np.int64).tolist()
    return (
        mean,
        variance,
        evidence,
        right,
        exposed,
        [max(0, at) for at in answered],
        [max(0, last - max(0, at)) for last, at in zip(seen, answered, strict=True)],
        [
            _days(half) if answers else parameters.HALF_LIFE_FIRST_DAYS
            for half, answers in zip(skills[S_HALF].tolist(), evidence, strict=True)
        ],
        (skills[S_PROVISIONAL] != 0.0).tolist(),
        base_told,
    )


@lru_cache(maxsize=8192)
def _days(logarithm: float) -> float:
    return round(math.pow(2.0, logarithm), 2)
