"""The state that readers see, from what is kept of a learner. No parameters are needed."""

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from learner_model import parameters
from learner_model.additive.layout import S_BASE, S_HALF, S_OWN, S_RIGHT, S_VARIANCE, SKILL_GRID
from learner_model.additive.memory import told_skills, told_whole
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

_STEPS: Final[list[float]] = SKILL_GRID.steps.tolist()
_OFFSET: Final[list[float]] = SKILL_GRID.offset.tolist()


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
    for_all, general, lately, new_skill, learner = told_whole(memory)
    level = Level(round(for_all, 4), round(general, 4), round(lately, 4))
    names = folded.names
    rows = told_skills(memory, len(names))
    said["competencies"] = dict(zip(names, _competencies(rows, level, learner), strict=True))
    said["level"] = [*level]
    said["ability"] = [
        round(sum(level) + new_skill, 4),
        round(learner + parameters.SKILL_VARIANCE + parameters.OPEN_VARIANCE, 4),
    ]
    return said


def fold_all(rows: Iterable[Evidence]) -> LearnerState:
    """The state of a learner from all rows, in any order, by the parameters that come with the library."""
    return state_of(Folder().fold_all(rows))


def _competencies(rows: Iterable[tuple[int, ...]], level: Level, learner: float) -> Iterator[tuple[Any, ...]]:
    """Of each skill what `CompetencyState` has, from what is stored of it (`memory.TOLD_SKILL`)."""
    for_all, lately = level.for_all + level.own, level.lately
    base_from, base_steps, own_from, own_steps = _OFFSET[S_BASE], _STEPS[S_BASE], _OFFSET[S_OWN], _STEPS[S_OWN]
    right_steps, variance_steps = _STEPS[S_RIGHT], _STEPS[S_VARIANCE]
    for count, right, at, variance, half, low, high, exposed, seen, provisional, base, own in rows:
        evidence = high << 16 | low
        told = (base - base_from) / base_steps + for_all
        mean = told + (own - own_from) / own_steps + lately
        left_open = parameters.OPEN_VARIANCE / (1.0 + parameters.INFORMATION * count)
        answered = at - 1 if at else 0  # times are stored as one more than they are, and 0 where there is none
        yield (
            round(mean * 1e4) / 1e4,
            round((variance / variance_steps + left_open + learner) * 1e4) / 1e4,
            evidence,
            round(right / right_steps * 1e2) / 1e2,
            exposed,
            answered,
            seen - 1 - answered if seen > answered else 0,
            _days(half) if evidence else parameters.HALF_LIFE_FIRST_DAYS,
            provisional != 0,
            round(told * 1e4) / 1e4,
        )


@lru_cache(maxsize=8192)
def _days(half: int) -> float:
    return round(math.pow(2.0, (half - _OFFSET[S_HALF]) / _STEPS[S_HALF]), 2)
