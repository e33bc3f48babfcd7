"""Evidence as the columns that a trainer runs through, as small as it comes in."""

from array import array
from collections.abc import Iterable, Sequence

import numpy as np

from learner_model.additive.identity import identity
from learner_model.additive.layout import COLUMNS, FIGURES, NO_TIME, SKILLS_AT_ONCE, Rows
from learner_model.additive.replaying import Answers
from learner_model.competency import guessing_logit, item_logit
from learner_model.evidence import Evidence
from learner_model.helped import help_after, is_answer, with_help
from learner_model.state import Help

Named = tuple[Evidence, dict[int, float]]
"""A piece of evidence, and how much it is about each competency, by identity."""


class Columns:
    """Answers, a learner's after the other's."""

    def __init__(self) -> None:
        self._learners = 0
        self._learner, self._item, self._skills, self._starts = array("q"), array("q"), array("q"), array("q", [0])
        self._about = array("d")
        self._figures = array("d")

    def __len__(self) -> int:
        return len(self._item)

    def add(self, rows: Iterable[Evidence]) -> None:
        """One learner's evidence in its order; what is no answer is passed over."""
        waiting = Help()
        for row in rows:
            evidence, waiting = with_help(row, waiting), help_after(waiting, row)
            if not is_answer(evidence):
                continue
            self._learner.append(self._learners)
            self._item.append(identity(evidence.activity_id))
            skills = skills_of(evidence)
            self._skills.extend(skills)
            self._about.extend(skills.values())
            self._starts.append(len(self._skills))
            self._figures.extend(figures(evidence))
        self._learners += 1

    def answers(self) -> Answers:
        correct, at, duration, hints, weight, harder = np.array(self._figures).reshape(-1, FIGURES).T.copy()
        return Answers(
            learner=np.array(self._learner, dtype=np.int64),
            item=np.array(self._item, dtype=np.int64),
            skills=np.array(self._skills, dtype=np.int64),
            about=np.array(self._about, dtype=np.float64),
            skills_from=np.array(self._starts, dtype=np.int64),
            correct=correct,
            at=at,
            duration=duration,
            hints=hints,
            weight=weight,
            harder=harder,
        )


def columns(rows: Sequence[Named]) -> Rows:
    """Answers, and what was seen without one, as the kernel takes them."""
    skills, about, ends, numbers = list[int](), list[float](), list[int](), list[float]()
    for one, named in rows:
        skills += named
        about += named.values()
        ends.append(len(skills))
        numbers += figures(one)
        numbers += (is_answer(one), one.provisional)
    last = {skill: place for place, skill in enumerate(skills)}
    return Rows(
        np.array([identity(one.activity_id) for one, _ in rows], dtype=np.int64),
        np.array(numbers, dtype=np.float64).reshape(-1, COLUMNS),
        np.array(ends, dtype=np.int64),
        np.array(skills, dtype=np.int64),
        np.array(about, dtype=np.float64),
        np.array([last[skill] == place for place, skill in enumerate(skills)], dtype=np.bool_),
    )


def skills_of(evidence: Evidence) -> dict[int, float]:
    """How much it is about each competency, by identity."""
    return {identity(name): weight for name, weight in evidence.competencies[:SKILLS_AT_ONCE]}


def figures(evidence: Evidence) -> tuple[float, float, float, float, float, float]:
    """Correctness, time, duration, hints, weight, and by how many logits the item is harder than most."""
    duration = evidence.duration_seconds
    return (
        float(evidence.correctness or 0.0),
        evidence.at.timestamp(),
        NO_TIME if duration is None else max(0.0, float(duration)),
        NO_TIME if evidence.hints is None else float(evidence.hints),
        float(evidence.weight),
        item_logit(evidence.difficulty) - guessing_logit(evidence.guessing),
    )
