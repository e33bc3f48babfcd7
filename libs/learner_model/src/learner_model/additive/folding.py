"""The fold: predict an answer, learn from it, remember it. Evaluation, trainer and production run these same functions.

The learner's level and each skill's level are normal beliefs, moved as in Glicko (Glickman 1999) with the surprise of
an answer; what is common to learners are weights, moved by AdaGrad (Duchi, Hazan & Singer 2011). An answer that is
weak evidence (a weight under `WEAK`) moves levels by its weight and is no part of any history.
"""

from math import exp, sqrt

import numpy as np

from learner_model.additive.compiled import Floats, Integers, Singles, compiled
from learner_model.additive.layout import (
    ABILITY,
    ABILITY_VARIANCE,
    DOUBLES,
    DRIFT,
    FIRST_VARIANCE,
    I_COUNT,
    I_DURATION,
    I_HINTS,
    I_STEP,
    ITEM_MASK,
    ITEMS,
    LAST_DURATION,
    LAST_HINTS,
    LAST_SKILL,
    LAST_TIME,
    LEAST_ITEMS,
    MOST_ITEMS,
    MOST_SKILLS,
    NO_TIME,
    RATE,
    S_LEVEL,
    S_SEEN,
    S_TIME,
    S_VARIANCE,
    SKILL_DRIFT,
    SKILL_FIRST_VARIANCE,
    SKILL_GRID,
    SKILLS,
    SLOPE,
    SLOPE_RATE,
    SLOPES,
    SQUARES_FROM,
    WHOLE,
    Answer,
    Memory,
    Terms,
    Weights,
)
from learner_model.additive.remembering import on_grid, remember, remember_response
from learner_model.additive.terms import (
    effort_terms,
    item_clock_terms,
    item_terms,
    kind_of,
    resolve,
    skill_terms,
    tempo_terms,
    whole_terms,
)

WEAK = 0.5
_LOGIT_LIMIT = 12.0


@compiled
def forget_all(memory: Memory, hyper: Floats) -> None:
    """The memory of a learner of whom nothing is known, in place."""
    memory.whole[:] = 0.0
    memory.whole[ABILITY_VARIANCE] = np.float32(hyper[FIRST_VARIANCE])
    memory.whole[LAST_TIME] = NO_TIME
    memory.whole[LAST_DURATION] = NO_TIME
    memory.whole[LAST_HINTS] = NO_TIME


@compiled
def known_item(memory: Memory, identity: int) -> int:
    """The row of the item, or -1."""
    short = identity & ITEM_MASK
    for k in range(int(memory.whole[ITEMS])):
        if memory.item_ids[k] == short:
            return k
    return -1


@compiled
def items_kept(skills: int) -> int:
    """Whoever meets more skills meets more items between two answers to one: half an item for each past the 20th."""
    return min(max(LEAST_ITEMS, LEAST_ITEMS - 10 + skills // 2), MOST_ITEMS)


@compiled
def item_place(memory: Memory, identity: int) -> int:
    """The row of the item; a new one takes a free row, or that of the item not seen for longest."""
    place = known_item(memory, identity)
    if place >= 0:
        return place
    known = int(memory.whole[ITEMS])
    place = known
    if known < items_kept(int(memory.whole[SKILLS])):
        memory.whole[ITEMS] = known + 1
    else:
        place = 0
        for k in range(1, known):
            if memory.items[k, I_STEP] < memory.items[place, I_STEP]:
                place = k
    memory.item_ids[place] = identity & ITEM_MASK
    memory.items[place, :] = 0.0
    memory.items[place, I_DURATION] = NO_TIME
    memory.items[place, I_HINTS] = NO_TIME
    return place


@compiled
def skill_place(memory: Memory, identity: int, hyper: Floats) -> int:
    """The row of the skill; a new one takes a free row (past the bound, the last)."""
    known = int(memory.whole[SKILLS])
    for k in range(known):
        if memory.skill_ids[k] == identity:
            return k
    place = min(known, MOST_SKILLS - 1)
    memory.whole[SKILLS] = place + 1
    memory.skill_ids[place] = identity
    memory.skills[place, :] = 0.0
    memory.skills[place, S_TIME] = NO_TIME
    memory.skills[place, S_SEEN] = NO_TIME
    memory.skills[place, S_VARIANCE] = on_grid(hyper[SKILL_FIRST_VARIANCE], SKILL_GRID, S_VARIANCE)
    return place


@compiled
def gather(
    terms: Terms,
    memory: Memory,
    item: Floats,
    answer: Answer,
    skills: Integers,
    shares: Floats,
    places: Integers,
    count: int,
) -> int:
    """All terms of one answer; how many."""
    n = whole_terms(terms, 0, memory)
    if answer.at >= 0.0:
        same = count > 0 and skills[0] == memory.whole[LAST_SKILL]
        n = tempo_terms(terms, n, memory, item, answer, same)
        if item[I_COUNT] > 0:
            n = item_clock_terms(terms, n, item, answer)
    n = item_terms(terms, n, memory, item, answer)
    n = effort_terms(terms, n, memory, item)
    for k in range(count):
        n = skill_terms(terms, n, memory, memory.skills[places[k]], skills[k], item, answer.at, shares[k])
    return resolve(terms, n)


@compiled
def levels(memory: Memory, places: Integers, shares: Floats, count: int) -> tuple[float, float]:
    """The learner's level and those of the skills: mean and variance of their sum."""
    mean, variance = memory.whole[ABILITY], memory.whole[ABILITY_VARIANCE]
    for k in range(count):
        mean += memory.skills[places[k], S_LEVEL] * shares[k]
        variance += memory.skills[places[k], S_VARIANCE] * (shares[k] * shares[k])
    return mean, variance


@compiled
def probability_of(logit: float) -> float:
    """Logistic, cut at 12 logits."""
    return 1.0 / (1.0 + exp(-min(max(logit, -_LOGIT_LIMIT), _LOGIT_LIMIT)))


@compiled
def split(about: Floats, shares: Floats, count: int) -> None:
    """Each skill's share of the say, from how much the item is about it."""
    total = 0.0
    for k in range(count):
        total += about[k]
    for k in range(count):
        shares[k] = about[k] / total if total > 0.0 else 1.0 / count


@compiled
def weighed(memory: Memory, terms: Terms, n: int, weights: Singles) -> float:
    """The terms' share of the logit; a learner's own slope makes each family count for more or less."""
    terms.sums[:] = 0.0
    for k in range(n):
        terms.sums[terms.family[k]] += weights[terms.place[k]] * terms.value[k]
    total = 0.0
    for family in range(SLOPES):
        total += (1.0 + memory.whole[SLOPE + family]) * terms.sums[family]
    return total


@compiled
def _lean(whole: Floats, terms: Terms, hyper: Floats, surprise: float) -> None:
    """Gradient steps on the learner's own slopes, from a tenth to three times what holds for all."""
    for family in range(SLOPES):
        slope = whole[SLOPE + family] + hyper[SLOPE_RATE] * surprise * terms.sums[family]
        whole[SLOPE + family] = min(max(slope, -0.9), 2.0)


@compiled
def _learn(weights: Weights, terms: Terms, n: int, hyper: Floats, surprise: float) -> None:
    """AdaGrad: each weight at a rate that falls with what it has learnt."""
    for k in range(n):
        index, slope = terms.place[k], surprise * terms.value[k]
        squares = weights.squares[index] + slope * slope
        weights.squares[index] = squares
        weights.learned[index] += hyper[RATE + terms.kind[k]] * slope / sqrt(squares + hyper[SQUARES_FROM])


@compiled
def _believe(
    memory: Memory,
    places: Integers,
    about: Floats,
    shares: Floats,
    count: int,
    hyper: Floats,
    variance: float,
    weight: float,
    surprise: float,
    probability: float,
) -> None:
    """Levels after an answer: the wider the belief, the more it moves, and it narrows by what the answer tells."""
    whole, telling = memory.whole, probability * (1.0 - probability) * weight
    drifted = whole[ABILITY_VARIANCE] + hyper[DRIFT] * weight
    total = 1.0 + telling * (variance + hyper[DRIFT] * weight)
    whole[ABILITY] += drifted * weight * surprise / total
    whole[ABILITY_VARIANCE] = drifted - drifted * drifted * telling / total
    for k in range(count):
        skill, share = memory.skills[places[k]], shares[k]
        drifted = skill[S_VARIANCE] + hyper[SKILL_DRIFT] * weight * about[k]
        skill[S_LEVEL] += drifted * weight * about[k] * share * surprise / total
        skill[S_VARIANCE] = max(0.01, drifted - drifted * drifted * share * share * telling * about[k] / total)


@compiled
def fold_answer(
    memory: Memory,
    terms: Terms,
    weights: Weights,
    hyper: Floats,
    answer: Answer,
    skills: Integers,
    about: Floats,
    shares: Floats,
    places: Integers,
    learning: bool,
    versioned: bool,
) -> float:
    """The probability of a right answer, told before the answer is looked at; then memory (and weights) learn it.

    `skills`: identities of the item's skills, at most 16, with how much it is `about` each (0 to 1); `shares` and
    `places`: room for as many. `versioned`: the weights that learn are not those that predict.
    """
    count = min(len(skills), len(places))
    split(about, shares, count)
    for k in range(count):
        places[k] = skill_place(memory, skills[k], hyper)
    strong = answer.weight >= WEAK
    place = item_place(memory, answer.item) if strong else known_item(memory, answer.item)
    item = memory.items[place] if place >= 0 else terms.new_item
    n = gather(terms, memory, item, answer, skills, shares, places, count)
    level, variance = levels(memory, places, shares, count)
    if learning and versioned:
        told = probability_of(level + weighed(memory, terms, n, weights.learned) - answer.harder)
        _learn(weights, terms, n, hyper, (answer.correct - told) * answer.weight)
    probability = probability_of(level + weighed(memory, terms, n, weights.served) - answer.harder)
    surprise = answer.correct - probability
    if learning and not versioned:
        _learn(weights, terms, n, hyper, surprise * answer.weight)
    _lean(memory.whole, terms, hyper, surprise * answer.weight)
    kind = kind_of(memory, item)
    _believe(memory, places, about, shares, count, hyper, variance, answer.weight, surprise, probability)
    for k in range(count):
        strength = answer.weight * about[k]
        remember_response(memory.skills[places[k]], memory.whole, answer, surprise, strength, strength >= WEAK)
    if strong:
        remember(memory.whole, item, kind, answer, skills[0] if count > 0 else 0, surprise)
    for k in range(DOUBLES, WHOLE):
        memory.whole[k] = np.float32(memory.whole[k])
    return probability


__all__ = ["fold_answer", "forget_all", "gather", "item_place", "levels", "skill_place"]
