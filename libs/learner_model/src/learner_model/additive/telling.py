"""What is told of a typical item of a skill: one that the learner has not seen, after a pause as usual.

The figures are kept beside the memory that they were read from, in parts: what holds for all, the own level, how things
went lately, what a competency as such adds, and what the own answers to it add. So readers need no parameters. The own
level and lately are told against those of a learner of whom nothing is known (`centred`), whose figures are for all.
"""

from math import exp

from learner_model.additive.compiled import Floats, Integers, compiled
from learner_model.additive.folding import fold_answer, skill_place, weighed
from learner_model.additive.layout import (
    ABILITY,
    ABLE,
    FOR_ALL,
    GENERAL,
    LAST_TIME,
    LATELY,
    LEVEL,
    NEW_GENERAL,
    NEW_LATELY,
    NEW_SKILL,
    NO_TIME,
    PACE,
    S_BASE,
    S_EXPOSED,
    S_LEVEL,
    S_OWN,
    S_PROVISIONAL,
    S_SEEN,
    SKILL_GRID,
    SKILL_HISTORY,
    SKILL_TIME,
    SLOPE,
    THE_SKILL,
    Answer,
    Memory,
    Terms,
    Weights,
)
from learner_model.additive.remembering import on_grid
from learner_model.additive.terms import effort_terms, item_terms, resolve, skill_terms, tempo_terms, whole_terms

_NO_SKILL = 0


@compiled
def _told(memory: Memory, terms: Terms, family: int) -> float:
    told: float = (1.0 + memory.whole[SLOPE + family]) * terms.sums[family]
    return told


@compiled
def _told_of_skill(memory: Memory, terms: Terms, weights: Weights, skill: Floats, identity: int, at: float) -> float:
    n = resolve(terms, skill_terms(terms, 0, memory, skill, identity, terms.new_item, at, 1.0))
    weighed(memory, terms, n, weights.served)
    return _told(memory, terms, THE_SKILL) + _told(memory, terms, SKILL_HISTORY) + _told(memory, terms, SKILL_TIME)


@compiled
def tell(
    memory: Memory, terms: Terms, weights: Weights, hyper: Floats, skills: Integers, places: Integers, count: int
) -> None:
    """Read anew what is told of the learner as a whole, and of these skills."""
    whole = memory.whole
    at = whole[LAST_TIME] + exp(whole[PACE]) - 1.0 if whole[LAST_TIME] >= 0.0 else NO_TIME
    typical = Answer(0, at, 0.0, NO_TIME, NO_TIME, 1.0, 0.0)
    n = whole_terms(terms, 0, memory)
    if at >= 0.0:
        n = tempo_terms(terms, n, memory, terms.new_item, typical, False)
    n = item_terms(terms, n, memory, terms.new_item, typical)
    n = resolve(terms, effort_terms(terms, n, memory, terms.new_item))
    total = weighed(memory, terms, n, weights.served)
    level, able = _told(memory, terms, LEVEL), _told(memory, terms, ABLE)
    whole[FOR_ALL] = level + hyper[NEW_GENERAL] + hyper[NEW_LATELY]
    whole[GENERAL] = whole[ABILITY] + able - hyper[NEW_GENERAL]
    whole[LATELY] = total - level - able - hyper[NEW_LATELY]
    whole[NEW_SKILL] = _told_of_skill(memory, terms, weights, terms.new_skill, _NO_SKILL, at)
    for k in range(count):
        row = memory.skills[places[k]]
        base = _told_of_skill(memory, terms, weights, terms.new_skill, skills[k], at)
        own = _told_of_skill(memory, terms, weights, row, skills[k], at) - base + row[S_LEVEL]
        row[S_BASE], row[S_OWN] = on_grid(base, SKILL_GRID, S_BASE), on_grid(own, SKILL_GRID, S_OWN)


@compiled
def take_answer(
    memory: Memory,
    terms: Terms,
    weights: Weights,
    hyper: Floats,
    answer: Answer,
    skills: Integers,
    about: Floats,
    shares: Floats,
    places: Integers,
    provisional: float,
) -> None:
    """An answer, as production takes it: folded without learning, and told anew."""
    fold_answer(memory, terms, weights, hyper, answer, skills, about, shares, places, False, False)
    count = min(len(skills), len(places))
    tell(memory, terms, weights, hyper, skills, places, count)
    for k in range(count):
        memory.skills[places[k], S_PROVISIONAL] = provisional


@compiled
def take_exposure(
    memory: Memory,
    terms: Terms,
    weights: Weights,
    hyper: Floats,
    skills: Integers,
    places: Integers,
    at: float,
    provisional: float,
) -> None:
    """Skills were seen without a response."""
    count = min(len(skills), len(places))
    for k in range(count):
        places[k] = skill_place(memory, skills[k], hyper)
        row = memory.skills[places[k]]
        row[S_EXPOSED] = on_grid(row[S_EXPOSED] + 1.0, SKILL_GRID, S_EXPOSED)
        row[S_SEEN] = on_grid(at, SKILL_GRID, S_SEEN)
        row[S_PROVISIONAL] = provisional
    tell(memory, terms, weights, hyper, skills, places, count)


__all__ = ["take_answer", "take_exposure", "tell"]
