"""One learner at a time: bytes in, bytes out, with one version of the parameters. The fold is that of `folding`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import erfc, log, sqrt
from typing import Final

import numpy as np

from learner_model.additive.compiled import Integers
from learner_model.additive.folding import (
    fold_answer,
    forget_all,
    gather,
    item_place,
    levels,
    probability_of,
    shares,
    skill_place,
)
from learner_model.additive.layout import FAMILIES, NO_TIME, SKILLS_AT_ONCE, Answer
from learner_model.additive.memory import blank, identity, pack, places, unpack, workbench
from learner_model.additive.weights import Parameters

_FAMILIES: Final = (*FAMILIES, "own level", "own level in the skill")
_TYPICAL: Final = 0
_DAY: Final = 86_400.0
_AHEAD_DAYS: Final = tuple(2.0 ** (k / 2) / 24 for k in range(30))
"""From an hour to two and a half years, each step 1.41 times the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer in production's terms. `at` and `duration` in seconds; None: not known."""

    item: str
    skills: Sequence[str]
    correct: float
    at: float | None = None
    duration: float | None = None
    hints: float | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is expected of the next answer. `shares`: by family, in logits; their sum is the logit (cut at 12)."""

    probability: float
    logit: float
    variance: float
    shares: dict[str, float]

    def mastery(self, threshold: float) -> float:
        """The probability that the learner's chance is above the threshold, as far as the levels are known."""
        return 0.5 * erfc((log(threshold / (1.0 - threshold)) - self.logit) / sqrt(2.0 * self.variance))


@dataclass(frozen=True, slots=True)
class Outlook:
    """A skill as time goes by: `due_days` until under the threshold, `half_life_days` until half way to the unseen."""

    now: Expectation
    half_life_days: float | None
    due_days: float | None


class Reckoner:
    """Folds and reads. Has room for one learner at a time, so it is not for two threads."""

    def __init__(self, parameters: Parameters) -> None:
        self.version = parameters.version
        self._hyper = np.array(parameters.hyper)
        # Production never learns while it folds; the arrays are copied since compiled code takes none that are locked.
        served, none = np.array(parameters.weights.served), np.zeros(1, dtype=np.float32)
        self._weights = parameters.weights._replace(served=served, learned=none, squares=none)
        self._memory, self._terms, self._places = blank(), workbench(), places()

    def after(self, packed: bytes | None, responses: Iterable[Response]) -> bytes:
        """The memory after more answers, which come later than all before. None: a new learner."""
        self._open(packed)
        for response in responses:
            answer, skills = _answer(response)
            self._fold(answer, skills)
        return pack(self._memory)

    def told(self, packed: bytes | None, response: Response) -> float:
        """What is told of an answer before it is seen: its outcome has no say."""
        self._open(packed)
        return self._fold(*_answer(response))

    def expectation(self, packed: bytes | None, skills: Sequence[str], at: float, item: str | None = None) -> Expectation:  # fmt: skip # noqa: E501
        """Of the next answer at a time, to an item or to a typical one of the skills."""
        return self._expectation(packed, _skills(skills), at, _TYPICAL if item is None else identity(item))

    def outlook(self, packed: bytes | None, skill: str, at: float, threshold: float) -> Outlook:
        """One skill now and ahead, on a typical item."""
        skills = _skills((skill,))
        now, unseen = self._expectation(packed, skills, at, _TYPICAL), self._expectation(None, skills, at, _TYPICAL)
        ahead = [
            (days, self._expectation(packed, skills, at + days * _DAY, _TYPICAL).probability) for days in _AHEAD_DAYS
        ]
        half = (now.probability + unseen.probability) / 2
        fades = now.probability > unseen.probability
        return Outlook(
            now,
            half_life_days=next((days for days, p in ahead if p <= half), None) if fades else None,
            due_days=next((days for days, p in ahead if p < threshold), None) if now.probability >= threshold else None,
        )

    def _open(self, packed: bytes | None) -> None:
        if packed is None:
            forget_all(self._memory, self._hyper)
        else:
            unpack(packed, self._memory)

    def _fold(self, answer: Answer, skills: Integers) -> float:
        return fold_answer(
            self._memory, self._terms, self._weights, self._hyper, answer, skills, self._places, False, False
        )

    def _expectation(self, packed: bytes | None, skills: Integers, at: float, item: int) -> Expectation:
        self._open(packed)
        memory, spots = self._memory, self._places
        for k, skill in enumerate(skills):
            spots[k] = skill_place(memory, skill, self._hyper)
        row = memory.items[item_place(memory, item)]
        answer = Answer(item, float(at), 0.0, NO_TIME, NO_TIME)
        n = gather(self._terms, memory, row, answer, skills, spots, len(skills))
        parts = shares(memory, self._terms, n, self._weights, spots, len(skills))
        logit, variance = float(parts.sum()), levels(memory, spots, len(skills))[1]
        named = {name: float(part) for name, part in zip(_FAMILIES, parts, strict=True)}
        return Expectation(float(probability_of(logit)), logit, float(variance), named)


def _answer(response: Response) -> tuple[Answer, Integers]:
    at, duration, hints = (NO_TIME if x is None else float(x) for x in (response.at, response.duration, response.hints))
    answer = Answer(identity(response.item), at, float(response.correct), duration, hints)
    return answer, _skills(response.skills)


def _skills(names: Sequence[str]) -> Integers:
    return np.array([identity(name) for name in dict.fromkeys(names)][:SKILLS_AT_ONCE], dtype=np.int64)
