"""Learners as theory has them, to begin with where nobody has answered yet, and to measure what a signal is worth.

A response is right by a Rasch model with guessing and slips; practice raises the level of a competency and forgetting
takes it back with a half-life that spaced successes lengthen (Settles & Meeder 2016); a sitting has tens of seconds
between answers, sittings lie days apart, and sometimes months. Hard items take longer, need more hints, and are more
often right in part. On demand items are of several types, guessed as often as their choices allow (a choice that was
wrong is not taken again at once), and learners do more than answer: watching a video teaches by the share watched what
right answers do, an exercise without marks as much as any answer, and of a unit of five questions only passed or
failed is told. Pure: the same seed gives the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import exp, log
from typing import Final, NamedTuple

import numpy as np

from learner_model.additive.identity import identity
from learner_model.additive.replaying import Answers

_DAY: Final = 86_400.0
_ITEMS_EACH: Final = 12  # of a competency
_START: Final = 1.7e9
_FIGURES: Final = 7
_CHOICES: Final = (0, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Simulation:
    """`partial`: share of answers with a score between; `shared`: items are the same for all learners (else each has
    own ones, so that nothing can be learnt of a single item); `told`: share of items whose difficulty a catalog tells;
    `types`: a quarter of the items each open, true or false, of three and of four choices; `acts`: before what share of
    answers something else is done about the competency, a third each of the three; `taught`: by how many right answers'
    worth a video teaches that is watched whole.
    """

    learners: int
    seed: int
    partial: float = 0.15
    shared: bool = False
    told: float = 0.4
    answers_each: int = 150
    types: bool = False
    acts: float = 0.0
    taught: float = 1.0


@dataclass(slots=True)
class _Skill:
    """What a learner has of a competency. `first`: level before any practice; `gained` is as of `at`."""

    first: float
    gained: float = 0.0
    half_life_days: float = 4.0
    at: float = 0.0

    def level(self, at: float) -> float:
        return self.first + self.gained * exp(-max(0.0, at - self.at) / _DAY / self.half_life_days * log(2.0))

    def practise(self, at: float, right: float) -> None:
        kept = exp(-max(0.0, at - self.at) / _DAY / self.half_life_days * log(2.0))
        grown = 1.0 + 1.8 * (1.0 - kept) * right
        self.half_life_days = min(400.0, max(0.5, self.half_life_days * grown * 0.75 ** (1.0 - right)))
        self.gained = self.gained * kept + (0.35 if right >= 0.5 else 0.2) * exp(-self.gained / 2.0)
        self.at = at

    def watch(self, at: float, answers: float) -> None:
        self.gained = self.level(at) - self.first + 0.35 * answers * exp(-self.gained / 2.0)
        self.at = at


def simulated(of: Simulation) -> Answers:
    """The answers by columns, each learner's together and in order."""
    return answers_of((learner, row) for learner, one in enumerate(learners(of)) for row in one.rows)


def answers_of(found: "Iterable[tuple[int, Row]]") -> Answers:
    """Rows of learners by columns."""
    rows = [(learner, *row[:_FIGURES]) for learner, row in found]
    learner, item, skill, correct, at, duration, hints, harder = zip(*rows, strict=True)
    whole = np.ones(len(rows))
    return Answers(
        learner=np.array(learner),
        item=np.array([identity(name) for name in item]),
        skills=np.array([identity(name) for name in skill]),
        about=whole,
        skills_from=np.arange(len(rows) + 1),
        correct=np.array(correct, dtype=np.float64),
        at=np.array(at),
        duration=np.array(duration),
        hints=np.array(hints, dtype=np.float64),
        weight=whole,
        harder=np.array(harder),
    )


class Row(NamedTuple):
    """One answer. `harder`: what a catalog tells, in logits; `guessing`: what chance alone gives.

    `watched`, `done`: videos by the share watched, and exercises without marks, about the competency since it was
    answered last; `unit`: no answer to an item, but all that is told of five of them.
    """

    item: str
    skill: str
    correct: float
    at: float
    duration: float
    hints: float
    harder: float
    guessing: float = 0.1
    watched: float = 0.0
    done: float = 0.0
    unit: bool = False


class Learner(NamedTuple):
    """One learner's answers, and what is true of each competency that was practised."""

    rows: list[Row]
    truths: dict[str, "Truth"]


class Truth(NamedTuple):
    """What a learner has of a competency: its level, the ability behind all of them, its items' difficulties."""

    skill: "_Skill"
    ability: float
    hard: np.ndarray

    def chance(self, at: float) -> float:
        """That an item of the competency, any one of them, is answered rightly."""
        return float(np.mean([_chance(self.ability + self.skill.level(at) - one) for one in self.hard]))


def learners(of: Simulation) -> Iterator[Learner]:
    """One after the other."""
    random = np.random.default_rng(of.seed)
    competencies = random.normal(0.2, 0.7, 40)
    difficulty = random.normal(0.0, 0.8, (40, _ITEMS_EACH))
    for learner in range(of.learners):
        yield _one(random, of, learner, competencies, difficulty)


def _chance(logit: float, guessing: float = 0.1) -> float:
    return guessing + (0.96 - guessing) / (1.0 + exp(-logit - 0.4))


def _one(
    random: np.random.Generator,
    of: Simulation,
    learner: int,
    easy: np.ndarray,
    hard: np.ndarray,
) -> Learner:
    ability, speed = random.normal(0.0, 0.9), random.normal(3.3, 0.4)
    known = {int(one): _Skill(float(easy[one] + random.normal(0.0, 0.7))) for one in random.permutation(40)[:12]}
    rows: list[Row] = []
    acting, since = np.random.default_rng((of.seed, learner)), dict[int, tuple[float, float]]()
    at, own = _START + random.random() * 1e7, "" if of.shared else f"{learner}/"
    current, item, missed = 0, 0, 0
    for _ in range(int(of.answers_each * random.lognormal(-0.2, 0.6)) + 1):
        at += _pause(random)
        if not rows or random.random() > 0.75:
            current = int(random.choice(list(known)))
        if not rows or rows[-1][2] >= 0.5 or random.random() > 0.5:
            item = int(random.integers(0, _ITEMS_EACH))
        skill = known[current]
        if of.acts and acting.random() < of.acts:
            at, unit = _act(acting, of, skill, ability - hard[current], at, since, current)
            if unit is not None:
                rows.append(Row(f"{own}u{current}", f"{own}s{current}", unit, at, -1.0, -1.0, 0.0, unit=True))
                at += 30.0
        choices, name = _CHOICES[item % len(_CHOICES)], f"{own}i{current}/{item}"
        missed = missed + 1 if rows and rows[-1].item == name and rows[-1].correct < 0.5 else 0
        guessing = _guessing(choices, missed) if of.types else 0.1
        chance = _chance(ability + skill.level(at) - hard[current, item], guessing)
        correct = float(random.random() < chance)
        if random.random() < of.partial:
            correct = float(np.clip(random.normal(chance, 0.25), 0.0, 1.0))
        duration = float(np.exp(speed + 0.25 * (0.5 - chance) + 0.3 * (correct < 0.5) + random.normal(0.0, 0.45)))
        hints = float(random.poisson(0.7 * (1.0 - chance)))
        harder = float(hard[current, item]) if (7 * current + 3 * item) % 10 < 10 * of.told else 0.0
        met = since.pop(current, (0.0, 0.0))
        guessing, about = _guessing(choices, 0) if of.types else 0.1, f"{own}s{current}"
        rows.append(Row(name, about, correct, at, duration, hints, harder, guessing, *met))
        skill.practise(at, correct)
        at += duration
    seen = {row.skill for row in rows}
    truths = {f"{own}s{one}": Truth(skill, ability, hard[one]) for one, skill in known.items()}
    return Learner(rows, {name: truth for name, truth in truths.items() if name in seen})


def _guessing(choices: int, missed: int) -> float:
    """By chance, among what was not wrong before."""
    return min(0.9, 1.0 / max(1, choices - missed)) if choices else 0.0


def _act(
    random: np.random.Generator,
    of: Simulation,
    skill: _Skill,
    easier: np.ndarray,
    at: float,
    since: dict[int, tuple[float, float]],
    current: int,
) -> tuple[float, float | None]:
    """Something else than an answer: when it is over; and of a unit whether it was passed."""
    watched, done = since.get(current, (0.0, 0.0))
    kind = int(random.integers(0, 3))
    if kind == 0:
        share = float(random.random())
        skill.watch(at, of.taught * share)
        since[current] = watched + share, done
        return at + 600.0 * share, None
    rights = [float(random.random() < _chance(skill.level(at) + float(one))) for one in random.choice(easier, 5)]
    for right in rights[:1] if kind == 1 else rights:
        skill.practise(at, right)
        at += 40.0
    if kind == 2:
        return at, float(sum(rights) >= 3)
    since[current] = watched, done + 1.0
    return at, None


def _pause(random: np.random.Generator) -> float:
    kind = random.random()
    if kind < 0.9:
        return float(random.lognormal(2.0, 0.8))
    if kind < 0.99:
        return float(random.lognormal(log(2.0 * _DAY), 0.7))
    return float(random.lognormal(log(35.0 * _DAY), 0.8))
