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
    ANSWERED,
    AT,
    CORRECT,
    FOR_ALL,
    GENERAL,
    HARDER,
    HINTS,
    LAST_TIME,
    LATELY,
    LEVEL,
    NEW_GENERAL,
    NEW_LATELY,
    NEW_SKILL,
    NO_TIME,
    PACE,
    PROVISIONAL,
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
    TOOK,
    WEIGHT,
    Answer,
    Memory,
    Rows,
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
def _usual_time(memory: Memory) -> float:
    """After a pause as usual."""
    last: float = memory.whole[LAST_TIME]
    return last + exp(memory.whole[PACE]) - 1.0 if last >= 0.0 else NO_TIME


@compiled
def _tell_whole(memory: Memory, terms: Terms, weights: Weights, hyper: Floats) -> None:
    """Read anew what is told of the learner as a whole."""
    whole, at = memory.whole, _usual_time(memory)
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


@compiled
def _tell_skill(memory: Memory, terms: Terms, weights: Weights, identity: int, place: int) -> None:
    """Read anew what is told of one skill."""
    row, at = memory.skills[place], _usual_time(memory)
    base = _told_of_skill(memory, terms, weights, terms.new_skill, identity, at)
    own = _told_of_skill(memory, terms, weights, row, identity, at) - base + row[S_LEVEL]
    row[S_BASE], row[S_OWN] = on_grid(base, SKILL_GRID, S_BASE), on_grid(own, SKILL_GRID, S_OWN)


@compiled
def take(
    memory: Memory,
    terms: Terms,
    weights: Weights,
    hyper: Floats,
    rows: Rows,
    shares: Floats,
    places: Integers,
) -> None:
    """Evidence of one learner in its order, as production takes it: folded without learning, and told anew.

    What is told is read, so only its last reading counts: of each skill after the last row that is about it.
    """
    start = 0
    for n in range(len(rows.items)):
        figures, end = rows.figures[n], rows.ends[n]
        skills, at = rows.skills[start:end], figures[AT]
        count = min(len(skills), len(places))
        if figures[ANSWERED]:
            answer = Answer(
                rows.items[n], at, figures[CORRECT], figures[TOOK], figures[HINTS], figures[WEIGHT], figures[HARDER]
            )
            about = rows.about[start:end]
            fold_answer(memory, terms, weights, hyper, answer, skills, about, shares, places, False, False)
        for k in range(count):
            if not figures[ANSWERED]:  # seen without a response
                places[k] = skill_place(memory, skills[k], hyper)
                row = memory.skills[places[k]]
                row[S_EXPOSED] = on_grid(row[S_EXPOSED] + 1.0, SKILL_GRID, S_EXPOSED)
                row[S_SEEN] = on_grid(at, SKILL_GRID, S_SEEN)
            memory.skills[places[k], S_PROVISIONAL] = figures[PROVISIONAL]
        for k in range(count):
            if rows.last[start + k]:
                _tell_skill(memory, terms, weights, skills[k], places[k])
        start = end
    _tell_whole(memory, terms, weights, hyper)


__all__ = ["take"]
