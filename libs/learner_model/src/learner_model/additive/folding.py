"""The fold: predict an answer, learn from it, remember it. Evaluation and `Reckoner` run these same functions.

The learner's level and each skill's level are normal beliefs, moved as in Glicko (Glickman 1999) with the surprise of
an answer; what is common to learners are weights, moved by AdaGrad (Duchi, Hazan & Singer 2011).
"""

from math import exp, floor, log1p, sqrt

import numpy as np

from learner_model.additive.compiled import Floats, Integers, Singles, compiled
from learner_model.additive.layout import (
    ABILITY,
    ABILITY_VARIANCE,
    BY_KIND,
    DRIFT,
    FIRST_VARIANCE,
    I_BITS,
    I_COUNT,
    I_DURATION,
    I_GAP,
    I_HINTS,
    I_LAG,
    I_RIGHT,
    I_STEP,
    I_STRENGTH,
    I_SURPRISE,
    I_TIME,
    ITEM,
    ITEM_GRID,
    ITEM_TOP,
    ITEMS,
    LAST_DURATION,
    LAST_HINTS,
    LAST_ITEM,
    LAST_RIGHT,
    LAST_SKILL,
    LAST_TIME,
    LATEST,
    MOST_ITEMS,
    MOST_SKILLS,
    NEW_STEP,
    NO_TIME,
    PACE,
    PATTERN,
    RATE,
    RUN,
    S_BITS,
    S_COUNT,
    S_LEVEL,
    S_RIGHT,
    S_STEP,
    S_SUCCESS,
    S_SURPRISE,
    S_TIME,
    S_VARIANCE,
    SKILL,
    SKILL_DRIFT,
    SKILL_FIRST_VARIANCE,
    SKILL_GRID,
    SKILL_TOP,
    SKILLS,
    SLOPE,
    SLOPE_RATE,
    SLOPES,
    SQUARES_FROM,
    STEP,
    SUCCESS,
    SURPRISE,
    TRIES,
    TRIES_WEIGHT,
    WHOLE,
    Answer,
    Memory,
    Terms,
    Weights,
)
from learner_model.additive.terms import (
    FADING,
    SKILL_FADING,
    SKILL_SURPRISE_FADING,
    STRENGTH_SECONDS,
    effort_terms,
    item_clock_terms,
    item_terms,
    kind_of,
    resolve,
    skill_terms,
    tempo_terms,
    whole_terms,
)

_BITS_KEPT = (1 << 12) - 1
_LOGIT_LIMIT = 12.0


@compiled
def forget_all(memory: Memory, hyper: Floats) -> None:
    """The memory of a learner of whom nothing is known, in place."""
    memory.whole[:] = 0.0
    memory.whole[ABILITY_VARIANCE] = hyper[FIRST_VARIANCE]
    memory.whole[LAST_TIME] = NO_TIME
    memory.whole[LAST_DURATION] = NO_TIME
    memory.whole[LAST_HINTS] = NO_TIME


@compiled
def item_place(memory: Memory, identity: int) -> int:
    """The row of the item; a new one takes a free row, or that of the item not seen for longest."""
    known = int(memory.whole[ITEMS])
    for k in range(known):
        if memory.item_ids[k] == identity:
            return k
    place = known
    if known < MOST_ITEMS:
        memory.whole[ITEMS] = known + 1
    else:
        place = 0
        for k in range(1, known):
            if memory.items[k, I_STEP] < memory.items[place, I_STEP]:
                place = k
    memory.item_ids[place] = identity
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
    memory.skills[place, S_VARIANCE] = _on_grid(hyper[SKILL_FIRST_VARIANCE], SKILL_GRID[S_VARIANCE], 7.9)
    return place


@compiled
def gather(
    terms: Terms, memory: Memory, item: Floats, answer: Answer, skills: Integers, places: Integers, count: int
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
        n = skill_terms(terms, n, memory, memory.skills[places[k]], skills[k], item, answer.at, 1.0 / count)
    return resolve(terms, n)


@compiled
def levels(memory: Memory, places: Integers, count: int) -> tuple[float, float]:
    """The learner's level and those of the skills: mean and variance of their sum."""
    mean, variance = memory.whole[ABILITY], memory.whole[ABILITY_VARIANCE]
    for k in range(count):
        mean += memory.skills[places[k], S_LEVEL] / count
        variance += memory.skills[places[k], S_VARIANCE] / (count * count)
    return mean, variance


@compiled
def probability_of(logit: float) -> float:
    """Logistic, cut at 12 logits."""
    return 1.0 / (1.0 + exp(-min(max(logit, -_LOGIT_LIMIT), _LOGIT_LIMIT)))


@compiled
def fold_answer(
    memory: Memory,
    terms: Terms,
    weights: Weights,
    hyper: Floats,
    answer: Answer,
    skills: Integers,
    places: Integers,
    learning: bool,
    versioned: bool,
) -> float:
    """The probability of a right answer, told before the answer is looked at; then memory (and weights) learn it.

    `skills`: identities of the item's skills, at most 16; `places`: room for as many. `versioned`: the weights that
    learn are not those that predict.
    """
    item = memory.items[item_place(memory, answer.item)]
    count = min(len(skills), len(places))
    for k in range(count):
        places[k] = skill_place(memory, skills[k], hyper)
    n = gather(terms, memory, item, answer, skills, places, count)
    level, variance = levels(memory, places, count)
    if learning and versioned:
        told = probability_of(level + weighed(memory, terms, n, weights.learned))
        _learn(weights, terms, n, hyper, answer.correct - told)
    probability = probability_of(level + weighed(memory, terms, n, weights.served))
    if learning and not versioned:
        _learn(weights, terms, n, hyper, answer.correct - probability)
    _lean(memory.whole, terms, hyper, answer.correct - probability)
    kind = kind_of(memory, item)
    _believe(memory, places, count, hyper, variance, answer.correct - probability, probability)
    _remember(memory, item, kind, answer, skills, places, count, answer.correct - probability)
    return probability


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
def _on_grid(value: float, grid: float, top: float) -> float:
    return floor(min(max(value, -top), top) * grid + 0.5) / grid


@compiled
def _believe(
    memory: Memory,
    places: Integers,
    count: int,
    hyper: Floats,
    variance: float,
    surprise: float,
    probability: float,
) -> None:
    """Levels after an answer: the wider the belief, the more it moves, and it narrows by what the answer tells."""
    whole, telling = memory.whole, probability * (1.0 - probability)
    drifted = whole[ABILITY_VARIANCE] + hyper[DRIFT]
    total = 1.0 + telling * (variance + hyper[DRIFT])
    whole[ABILITY] += drifted * surprise / total
    whole[ABILITY_VARIANCE] = drifted - drifted * drifted * telling / total
    for k in range(count):
        skill = memory.skills[places[k]]
        drifted = skill[S_VARIANCE] + hyper[SKILL_DRIFT]
        skill[S_LEVEL] += drifted * surprise / (count * total)
        skill[S_VARIANCE] = max(0.01, drifted - drifted * drifted * telling / (count * count * total))


@compiled
def _remember(
    memory: Memory,
    item: Floats,
    kind: int,
    answer: Answer,
    skills: Integers,
    places: Integers,
    count: int,
    surprise: float,
) -> None:
    for k in range(count):
        _remember_skill(memory.skills[places[k]], memory.whole[STEP], answer, surprise)
    whole = memory.whole
    whole[BY_KIND + kind] = whole[BY_KIND + kind] * 0.98 + 0.02 * surprise
    if item[I_COUNT] == 0:
        whole[NEW_STEP] = whole[STEP]
    _remember_item(item, whole[STEP], answer, surprise)
    _remember_whole(whole, answer, skills, count, surprise)


@compiled
def _remember_skill(skill: Floats, step: float, answer: Answer, surprise: float) -> None:
    right = 1 if answer.correct >= 0.5 else 0
    skill[S_COUNT] += 1
    skill[S_RIGHT] += answer.correct
    skill[S_BITS] = ((int(skill[S_BITS]) << 1) | right) & _BITS_KEPT
    skill[S_STEP] = step
    skill[S_TIME] = answer.at
    for k in range(2):
        skill[S_SUCCESS + k] = skill[S_SUCCESS + k] * SKILL_FADING[k] + answer.correct
    for k in range(3):
        fading = SKILL_SURPRISE_FADING[k]
        skill[S_SURPRISE + k] = skill[S_SURPRISE + k] * fading + surprise * (1.0 - fading)
    for k in range(SKILL):
        skill[k] = _on_grid(skill[k], SKILL_GRID[k], SKILL_TOP[k])


@compiled
def _remember_item(item: Floats, step: float, answer: Answer, surprise: float) -> None:
    right = 1 if answer.correct >= 0.5 else 0
    gap = max(0.0, answer.at - item[I_TIME]) if item[I_COUNT] > 0 else 0.0
    if item[I_COUNT] > 0:
        item[I_LAG] = log1p(step - item[I_STEP])
    item[I_GAP] = log1p(gap)
    for k in range(3):
        item[I_STRENGTH + k] = item[I_STRENGTH + k] * exp(-gap / STRENGTH_SECONDS[k]) + answer.correct
    item[I_COUNT] += 1
    item[I_RIGHT] += answer.correct
    item[I_BITS] = ((int(item[I_BITS]) << 1) | right) & _BITS_KEPT
    item[I_STEP] = step
    item[I_TIME] = answer.at
    item[I_SURPRISE] = item[I_SURPRISE] * 0.3 + surprise
    item[I_SURPRISE + 1] = item[I_SURPRISE + 1] * 0.7 + surprise
    item[I_DURATION] = log1p(answer.duration) if answer.duration >= 0.0 else NO_TIME
    item[I_HINTS] = answer.hints
    for k in range(ITEM):
        item[k] = _on_grid(item[k], ITEM_GRID[k], ITEM_TOP[k])


@compiled
def _remember_whole(whole: Floats, answer: Answer, skills: Integers, count: int, surprise: float) -> None:
    right = 1 if answer.correct >= 0.5 else 0
    first = whole[STEP] == 0
    for k in range(5):
        whole[SUCCESS + k] = whole[SUCCESS + k] * FADING[k] + answer.correct
        whole[SURPRISE + k] = whole[SURPRISE + k] * FADING[k] + surprise * (1.0 - FADING[k])
    for k in range(3, 0, -1):
        whole[LATEST + k] = whole[LATEST + k - 1]
    whole[LATEST] = surprise
    if first or whole[LAST_ITEM] != answer.item:
        if not first:
            whole[TRIES] = whole[TRIES] * 0.9 + whole[RUN]
            whole[TRIES_WEIGHT] = whole[TRIES_WEIGHT] * 0.9 + 1.0
        whole[RUN] = 0.0
    else:
        whole[RUN] += 1.0
    if whole[LAST_RIGHT] > 0.0 and not first and answer.at >= 0.0:
        whole[PACE] += 0.15 * (log1p(max(0.0, answer.at - whole[LAST_TIME])) - whole[PACE])
    whole[PATTERN] = ((int(whole[PATTERN]) << 1) | right) & _BITS_KEPT
    whole[LAST_RIGHT] = right
    whole[LAST_ITEM] = answer.item
    whole[LAST_SKILL] = skills[0] if count > 0 else 0
    whole[LAST_TIME] = answer.at
    whole[LAST_DURATION] = min(log1p(answer.duration), 15.0) if answer.duration >= 0.0 else NO_TIME
    whole[LAST_HINTS] = answer.hints
    whole[STEP] += 1.0


@compiled
def shares(memory: Memory, terms: Terms, n: int, weights: Weights, places: Integers, count: int) -> Floats:
    """The logit by family of terms, the learner's and the skills' levels last."""
    result = np.zeros(SLOPES + 2)
    weighed(memory, terms, n, weights.served)
    for family in range(SLOPES):
        result[family] = (1.0 + memory.whole[SLOPE + family]) * terms.sums[family]
    result[SLOPES] = memory.whole[ABILITY]
    result[SLOPES + 1] = levels(memory, places, count)[0] - memory.whole[ABILITY]
    return result


__all__ = ["WHOLE", "fold_answer", "forget_all", "gather", "item_place", "levels", "shares", "skill_place"]
