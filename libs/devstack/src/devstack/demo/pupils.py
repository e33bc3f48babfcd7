"""How a simulated pupil learns and forgets. The truth that the learner model has to find out; nothing of it is shared.

Ability is a logit for each competency. Work raises it, more where success was likely but not sure; days without work
lower it towards where it began.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp
from random import Random
from typing import Any, Final

Activity = dict[str, Any]

QUESTIONS: Final = 5
_LESSON_GAIN: Final = 0.8
_QUESTION_GAIN: Final = 0.4
_FORGOTTEN_A_DAY: Final = 0.012
_SPREAD: Final = 4.0  # logits between the easiest and the hardest activity
_UNPREPARED: Final = 0.7


@dataclass(frozen=True)
class Attempt:
    """What came of one activity. `answers` is empty for what is read or watched."""

    activity: Activity
    answers: tuple[bool, ...]
    seconds: float

    @property
    def scaled(self) -> float | None:
        return sum(self.answers) / len(self.answers) if self.answers else None


@dataclass
class Mind:
    """A pupil's true state."""

    random: Random
    general: float
    talents: dict[str, float]
    speed: float
    follows: float
    learnt: dict[str, float] = field(default_factory=dict)

    @classmethod
    def born(cls, seed: int, fields: list[str]) -> Mind:
        """The same seed gives the same pupil. Two in three mostly follow what is recommended."""
        random = Random(seed)  # noqa: S311 — a simulation
        return cls(
            random=random,
            general=random.gauss(0.7, 0.6),
            talents={name: random.gauss(0, 0.6) for name in sorted(fields)},
            speed=random.uniform(0.8, 1.6),
            follows=0.9 if seed % 3 else 0.3,
        )

    def choose(self, recommended: list[Activity], catalog: list[Activity]) -> Activity:
        """What to do now: one of the recommended ones, the first more often, or whatever comes along."""
        if recommended and self.random.random() < self.follows:
            weights = [1 / (1 + 2 * place) for place in range(len(recommended))]
            return self.random.choices(recommended, weights)[0]
        favourite = max(self.talents, key=self.talents.__getitem__)
        weights = [3.0 if favourite in activity["tags"] else 1.0 for activity in catalog]
        return self.random.choices(catalog, weights)[0]

    def attempt(self, activity: Activity) -> Attempt:
        """Do it, and learn from it."""
        minutes = _minutes(activity) * self.random.uniform(0.6, 1.4) / self.speed
        if not is_assessed(activity):
            self._learn(activity, _LESSON_GAIN)
            return Attempt(activity, (), minutes * 60)
        answers = []
        for _ in range(QUESTIONS):
            answers.append(self.random.random() < self.chance(activity))
            self._learn(activity, _QUESTION_GAIN)
        return Attempt(activity, tuple(answers), minutes * 60)

    def rest(self, days: float) -> None:
        """Forget."""
        left = exp(-_FORGOTTEN_A_DAY * days)
        self.learnt = {competency: gain * left for competency, gain in self.learnt.items()}

    def chance(self, activity: Activity) -> float:
        """Of a right answer."""
        own = [self._ability(competency) for competency in activity["competencies"]]
        unprepared = sum(self.learnt.get(needed, 0.0) < _UNPREPARED for needed in activity["prerequisites"])
        difficulty = 0.5 if activity["difficulty"] is None else activity["difficulty"]
        return _logistic(sum(own) / max(1, len(own)) - (difficulty - 0.5) * _SPREAD - unprepared)

    def _ability(self, competency: str) -> float:
        return self.general + self.talents.get(competency.split("/")[0], 0.0) + self.learnt.get(competency, 0.0)

    def _learn(self, activity: Activity, gain: float) -> None:
        chance = self.chance(activity)
        for competency in activity["competencies"]:
            self.learnt[competency] = self.learnt.get(competency, 0.0) + gain * self.speed * 4 * chance * (1.1 - chance)


def is_assessed(activity: Activity) -> bool:
    """Whether it asks questions; what is read or watched does not."""
    return str(activity["type"]).endswith(("assessment", "simulation"))


def _minutes(activity: Activity) -> float:
    """Of durations such as PT20M, as the sample catalog has them."""
    text = str(activity["duration"] or "")
    return float(text[2:-1]) if text.startswith("PT") and text.endswith("M") and text[2:-1].isdigit() else 10.0


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + exp(-x))
