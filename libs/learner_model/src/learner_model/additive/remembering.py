"""What is kept of an answer: histories and decayed figures of the learner, the skills and the item.

A skill's half-life grows with spaced successes and shrinks with failures, after Settles & Meeder 2016, "A trainable
spaced repetition model for language learning", ACL 1848-1858.
"""

from math import exp, floor, log, log1p

from learner_model.additive.compiled import Floats, compiled
from learner_model.additive.layout import (
    BY_KIND,
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
    LAST_DURATION,
    LAST_HINTS,
    LAST_ITEM,
    LAST_RIGHT,
    LAST_SKILL,
    LAST_TIME,
    LATEST,
    MOST_COUNTED,
    NEW_STEP,
    NO_TIME,
    PACE,
    PATTERN,
    RUN,
    S_BITS,
    S_COUNT,
    S_EVIDENCE,
    S_HALF,
    S_RIGHT,
    S_STEP,
    S_SUCCESS,
    S_SURPRISE,
    S_TIME,
    SKILL,
    SKILL_GRID,
    STEP,
    SUCCESS,
    SURPRISE,
    TRIES,
    TRIES_WEIGHT,
    Answer,
    Grid,
)
from learner_model.additive.terms import FADING, SKILL_FADING, SKILL_SURPRISE_FADING, STRENGTH_SECONDS, left
from learner_model.parameters import (
    HALF_LIFE_FIRST_DAYS,
    HALF_LIFE_GROWTH,
    HALF_LIFE_LOSS,
    HALF_LIFE_MAX_DAYS,
    HALF_LIFE_MIN_DAYS,
)

_BITS_KEPT = (1 << 12) - 1
_LONGEST, _MOST_HINTS = 15.0, 100.0


@compiled
def on_grid(value: float, grid: Grid, column: int) -> float:
    """The nearest figure that survives packing."""
    inside = min(max(value, grid.low[column]), grid.top[column])
    nearest: float = floor(inside * grid.steps[column] + 0.5) / grid.steps[column]
    return nearest


@compiled
def _half_life(skill: Floats, answer: Answer, strength: float) -> float:
    """As log2 of days."""
    before, forgotten = skill[S_HALF], 0.0
    if skill[S_EVIDENCE] == 0:
        before = log(HALF_LIFE_FIRST_DAYS) / log(2.0)
    elif skill[S_TIME] >= 0.0:
        forgotten = 1.0 - left(max(0.0, answer.at - skill[S_TIME]), before)
    grown = log(1.0 + HALF_LIFE_GROWTH * forgotten * answer.correct * strength)
    lost = log(HALF_LIFE_LOSS) * (1.0 - answer.correct) * strength
    after = before + (grown + lost) / log(2.0)
    bounded: float = min(max(after, log(HALF_LIFE_MIN_DAYS) / log(2.0)), log(HALF_LIFE_MAX_DAYS) / log(2.0))
    return bounded


@compiled
def _remember_skill(skill: Floats, step: float, answer: Answer, surprise: float) -> None:
    right = 1 if answer.correct >= 0.5 else 0
    if skill[S_COUNT] >= MOST_COUNTED:
        skill[S_COUNT] = MOST_COUNTED // 2
        skill[S_RIGHT] *= 0.5
    skill[S_COUNT] += 1
    skill[S_RIGHT] += answer.correct
    skill[S_BITS] = ((int(skill[S_BITS]) << 1) | right) & _BITS_KEPT
    skill[S_STEP] = step
    for k in range(2):
        skill[S_SUCCESS + k] = skill[S_SUCCESS + k] * SKILL_FADING[k] + answer.correct
    for k in range(3):
        fading = SKILL_SURPRISE_FADING[k]
        skill[S_SURPRISE + k] = skill[S_SURPRISE + k] * fading + surprise * (1.0 - fading)


@compiled
def remember_response(
    skill: Floats, whole: Floats, answer: Answer, surprise: float, strength: float, counts: bool
) -> None:
    """A response to one skill of the item; weak evidence (`counts` False) is no part of the history."""
    if answer.at >= 0.0:
        skill[S_HALF] = _half_life(skill, answer, strength)
    skill[S_EVIDENCE] += 1
    skill[S_TIME] = answer.at
    if counts:
        _remember_skill(skill, whole[STEP], answer, surprise)
    for k in range(SKILL):
        skill[k] = on_grid(skill[k], SKILL_GRID, k)


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
    item[I_DURATION] = min(log1p(answer.duration), _LONGEST) if answer.duration >= 0.0 else NO_TIME
    item[I_HINTS] = min(answer.hints, _MOST_HINTS)
    for k in range(ITEM):
        item[k] = on_grid(item[k], ITEM_GRID, k)


@compiled
def _remember_whole(whole: Floats, answer: Answer, skill: int, surprise: float) -> None:
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
    whole[LAST_SKILL] = skill
    whole[LAST_TIME] = answer.at
    whole[LAST_DURATION] = min(log1p(answer.duration), _LONGEST) if answer.duration >= 0.0 else NO_TIME
    whole[LAST_HINTS] = min(answer.hints, _MOST_HINTS)
    whole[STEP] += 1.0


@compiled
def remember(whole: Floats, item: Floats, kind: int, answer: Answer, skill: int, surprise: float) -> None:
    """The answer as one of the learner and of the item. `skill`: the first one's identity."""
    whole[BY_KIND + kind] = whole[BY_KIND + kind] * 0.98 + 0.02 * surprise
    if item[I_COUNT] == 0:
        whole[NEW_STEP] = whole[STEP]
    _remember_item(item, whole[STEP], answer, surprise)
    _remember_whole(whole, answer, skill, surprise)
