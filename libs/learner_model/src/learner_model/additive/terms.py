"""The terms of the logit: what is known before an answer, as weights to look up.

A shape is a piecewise linear function of one figure (12 knots); a table has a weight for each key. Elo's ability and
the skill's level stand beside them (see `folding`). After Gervet et al. 2020 (Best-LR), Pelánek 2016 (Elo), Wise-like
lags of Choffin et al. 2019 (DAS3H), and the decayed counts of Galyardt & Goldin 2015 (recent performance factors).
"""

from math import exp, log, log1p

from learner_model.additive.compiled import Floats, compiled
from learner_model.additive.layout import (
    ABLE,
    AS_SUCH,
    BEFORE,
    BY_ID,
    BY_KIND,
    BY_PAIR,
    EFFORT,
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
    IDS_FROM,
    ITEM_HISTORY,
    ITEM_TIME,
    KNOTS,
    LAST_DURATION,
    LAST_HINTS,
    LAST_ITEM,
    LAST_RIGHT,
    LAST_SKILL,
    LAST_TIME,
    LATEST,
    LEVEL,
    NEW_STEP,
    PACE,
    PATTERN,
    RECENT,
    ROW,
    RUN,
    S_BITS,
    S_COUNT,
    S_HALF,
    S_RIGHT,
    S_STEP,
    S_SUCCESS,
    S_SURPRISE,
    S_TIME,
    SHAPE,
    SHAPES,
    SKILL_HISTORY,
    SKILL_TIME,
    SMALL,
    STEP,
    SUCCESS,
    SURPRISE,
    TABLE_BITS,
    TABLES_FROM,
    TEMPO,
    THE_ITEM,
    THE_SKILL,
    TRIES,
    TRIES_WEIGHT,
    Answer,
    Memory,
    Terms,
)

# What a success weighs one step later, for the learner, for one skill; and for surprises (outcome less expectation).
FADING = (0.5, 0.8, 0.92, 0.98, 0.995)
SKILL_FADING = (0.88, 0.96)
SKILL_SURPRISE_FADING = (0.4, 0.75, 0.93)
STRENGTH_SECONDS = (300.0, 7200.0, 172800.0)
_SPREAD = (0.9, 0.9, 1.17, 1.62, 2.25)
_KNOWN_STEPS = 5
_DAY = 86_400.0


@compiled
def _mixed(x: int) -> int:
    """32 bits well mixed; every product stays below 2**63."""
    x = ((x >> 16) ^ x) * 0x45D9F3B & 0xFFFFFFFF
    x = ((x >> 16) ^ x) * 0x45D9F3B & 0xFFFFFFFF
    return (x >> 16) ^ x


@compiled
def slot(table: int, a: int, b: int) -> int:
    """The place of a table's key among its hashed weights."""
    x = _mixed((table * 0x3779B97 + a) & 0xFFFFFFFF)
    x = _mixed((x + (a >> 32) * 0x2545F49 + b) & 0xFFFFFFFF)
    return x & ((1 << TABLE_BITS) - 1)


@compiled
def _table(terms: Terms, n: int, family: int, kind: int, table: int, a: int, b: int, share: float) -> int:
    """Note a table's key; `resolve` looks it up."""
    terms.noted[n, 0] = table
    terms.noted[n, 1] = a
    terms.noted[n, 2] = b
    terms.noted[n, 3] = family
    terms.noted[n, 4] = kind
    terms.share[n] = share
    return n + 1


@compiled
def _shape(terms: Terms, n: int, family: int, shape: int, figure: float, share: float) -> int:
    """Note a figure from 0 to 1; `resolve` finds its two knots."""
    terms.noted[n, 0] = -1 - shape
    terms.noted[n, 3] = family
    terms.figure[n] = figure
    terms.share[n] = share
    return n + 1


@compiled
def resolve(terms: Terms, noted: int) -> int:
    """Weights and values of what was noted; how many. The first is the level of all answers."""
    terms.place[0], terms.value[0], terms.family[0], terms.kind[0] = SHAPES * KNOTS - 1, 1.0, LEVEL, SHAPE
    n = 1
    for k in range(noted):
        table, share = terms.noted[k, 0], terms.share[k]
        if table >= 0:
            kind = terms.noted[k, 4]
            first = IDS_FROM if kind == AS_SUCH else TABLES_FROM
            terms.place[n] = first + slot(table, terms.noted[k, 1], terms.noted[k, 2])
            terms.value[n] = share
            terms.family[n] = terms.noted[k, 3]
            terms.kind[n] = kind
            n += 1
            continue
        place = min(max(terms.figure[k], 0.0), 1.0) * (KNOTS - 1)
        low = min(int(place), KNOTS - 2)
        for side in range(2):
            terms.place[n] = (-1 - table) * KNOTS + low + side
            terms.value[n] = (place - low if side else 1.0 - (place - low)) * share
            terms.family[n] = terms.noted[k, 3]
            terms.kind[n] = SHAPE
            n += 1
    return n


@compiled
def _binned(figure: float, most: int) -> int:
    """Logarithmic bins of a count of steps, 4 to every 3 doublings."""
    return min(int(log(figure + 1.0) * 1.9235), most)


@compiled
def _seconds(gap: float) -> int:
    """Each second of the first minute, then 4 to every factor e: time stamps taken at the answer hold what it took."""
    return int(gap) if gap < 60.0 else 44 + min(int(log1p(gap) * 4.0), 60)


@compiled
def _decayed(bits: int, count: int, fading: float) -> float:
    """The decayed share of successes among the last 12 outcomes (newest lowest), with half a success in the prior."""
    right, total, weight = 0.5, 1.0, 1.0
    for k in range(min(count, 12)):
        right += weight * ((bits >> k) & 1)
        total += weight
        weight *= fading
    return right / total


@compiled
def _pattern(bits: int, count: int) -> int:
    """The last five outcomes, told apart from fewer."""
    return (bits & 31) if count >= _KNOWN_STEPS else 32 + count * 16 + (bits & 15)


@compiled
def _short_pattern(bits: int, count: int) -> int:
    """The last three outcomes, told apart from fewer."""
    if count >= 3:
        return bits & 7
    return (8, 12, 14)[2 - count] + (bits & ((1 << count) - 1))


@compiled
def left(gap: float, half_life: float) -> float:
    """What time leaves of what was learnt. `gap` in seconds, `half_life` as log2 of days."""
    return exp(-gap / _DAY * log(2.0) * exp(-half_life * log(2.0)))


@compiled
def kind_of(memory: Memory, item: Floats) -> int:
    """What kind of try this is to the learner: first, soon or late after a failure, a success, a run of successes."""
    count, bits = int(item[I_COUNT]), int(item[I_BITS])
    if count == 0:
        return 0
    late = 1 if memory.whole[STEP] - item[I_STEP] > 40 else 0
    return 1 + 2 * (bits & 1) + (2 if count > 1 and (bits & 3) == 3 else 0) + late


@compiled
def whole_terms(terms: Terms, n: int, memory: Memory) -> int:
    """The learner's own level and the last answers, whatever they were about."""
    whole = memory.whole
    step, pattern = whole[STEP], int(whole[PATTERN])
    for k in range(5):
        total = (1.0 - exp(step * log(FADING[k]))) / (1.0 - FADING[k])
        n = _shape(terms, n, ABLE, k, (whole[SUCCESS + k] + 1.0) / (total + 2.0), 1.0)
        n = _shape(terms, n, ABLE, 5 + k, 0.5 + whole[SURPRISE + k] * _SPREAD[k], 1.0)
    n = _shape(terms, n, RECENT, 10, log1p(step) / 9.0, 1.0)
    n = _table(terms, n, RECENT, SMALL, 14, _pattern(pattern, int(min(step, 5.0))), 0, 1.0)
    for k in range(4):
        n = _shape(terms, n, RECENT, 28 + k, 0.5 + whole[LATEST + k] * 0.5, 1.0)
    return _shape(terms, n, RECENT, 27, log1p(step - whole[NEW_STEP]) / 6.0, 1.0)


@compiled
def tempo_terms(terms: Terms, n: int, memory: Memory, item: Floats, answer: Answer, same_skill: bool) -> int:
    """The time since the last answer, as such and against the learner's usual one."""
    whole = memory.whole
    gap = max(0.0, answer.at - whole[LAST_TIME]) if whole[STEP] > 0 else 0.0
    right = int(whole[LAST_RIGHT])
    count, bits = int(item[I_COUNT]), int(item[I_BITS])
    coarse = min(int(log1p(gap) * 4.0), 40) if whole[STEP] > 0 else 41
    relative = int((log1p(gap) - whole[PACE]) * 4.0 + 20.0)
    n = _shape(terms, n, TEMPO, 12, log1p(gap) / 14.0, 1.0)
    n = _table(terms, n, TEMPO, SMALL, 1, coarse, right + 2 * same_skill, 1.0)
    n = _table(terms, n, TEMPO, BY_ID, 2, coarse // 3 * 4 + right * 2 + (count > 0), answer.item, 1.0)
    n = _table(terms, n, TEMPO, SMALL, 3, relative, right, 1.0)
    if whole[STEP] > 0:
        fine = _seconds(gap)
        n = _table(terms, n, TEMPO, SMALL, 5, fine, right, 1.0)
        n = _table(terms, n, TEMPO, SMALL, 6, fine, (bits & 3) + 4 * min(count, 2), 1.0)
        n = _table(terms, n, TEMPO, BY_ID, 7, fine, answer.item, 1.0)
    return _table(terms, n, TEMPO, SMALL, 4, relative, (bits & 1) + 2 * min(count, 2) + 8 * right, 1.0)


@compiled
def item_terms(terms: Terms, n: int, memory: Memory, item: Floats, answer: Answer) -> int:
    """The item, and what the learner did with it before."""
    whole = memory.whole
    count, bits = int(item[I_COUNT]), int(item[I_BITS])
    tries, short = min(count, 7), _short_pattern(int(item[I_BITS]), min(int(item[I_COUNT]), 3))
    usual = min(int(whole[TRIES] / (whole[TRIES_WEIGHT] + 0.5) * 3.0), 15)
    n = _table(terms, n, THE_ITEM, AS_SUCH, 10, answer.item, 0, 1.0)
    n = _table(terms, n, THE_ITEM, BY_ID, 11, answer.item, tries + 1, 1.0)
    n = _table(terms, n, THE_ITEM, BY_ID, 12, answer.item, short, 1.0)
    n = _table(terms, n, ITEM_HISTORY, SMALL, 13, _pattern(bits, min(count, 5)), 0, 1.0)
    n = _table(terms, n, ROW, SMALL, 15, usual * 16 + tries, min(int(whole[RUN]), 7), 1.0)
    n = _shape(terms, n, ROW, 11, log1p(whole[RUN]) / 4.0, 1.0)
    before = int(whole[LAST_ITEM]) * 2 + int(whole[LAST_RIGHT])
    n = _table(terms, n, BEFORE, BY_PAIR, 16, before, answer.item, 1.0)
    kind = kind_of(memory, item)
    n = _shape(terms, n, ITEM_HISTORY, 26, 0.5 + whole[BY_KIND + kind] * 2.0, 1.0)
    if count == 0:
        return n
    lag = whole[STEP] - item[I_STEP]
    bin_ = _binned(lag, 15)
    n = _shape(terms, n, ITEM_TIME, 13, log1p(lag) / 8.0, 1.0)
    n = _table(terms, n, ITEM_TIME, SMALL, 17, short, bin_, 1.0)
    n = _table(terms, n, ITEM_TIME, SMALL, 30, tries * 2 + (bits & 1), bin_, 1.0)
    n = _table(terms, n, ITEM_TIME, BY_ID, 31, answer.item, bin_ // 2 * 2 + (bits & 1), 1.0)
    n = _shape(terms, n, ITEM_TIME, 20, item[I_LAG] / 8.0, 1.0)
    n = _shape(terms, n, ITEM_HISTORY, 14, _decayed(bits, count, 0.35), 1.0)
    n = _shape(terms, n, ITEM_HISTORY, 15, _decayed(bits, count, 0.7), 1.0)
    n = _shape(terms, n, ITEM_HISTORY, 16, log1p(item[I_RIGHT]) / 4.0, 1.0)
    n = _shape(terms, n, ITEM_HISTORY, 17, log1p(max(0.0, count - item[I_RIGHT])) / 4.0, 1.0)
    n = _shape(terms, n, ITEM_HISTORY, 18, 0.5 + item[I_SURPRISE] * 0.3, 1.0)
    return _shape(terms, n, ITEM_HISTORY, 19, 0.5 + item[I_SURPRISE + 1] * 0.3, 1.0)


@compiled
def item_clock_terms(terms: Terms, n: int, item: Floats, answer: Answer) -> int:
    """Forgetting in real time: the gap, the gap before it, and successes decayed over minutes, hours, days."""
    count, bits = int(item[I_COUNT]), int(item[I_BITS])
    gap = max(0.0, answer.at - item[I_TIME])
    bin_, before = int(log1p(gap) * 1.2), int(item[I_GAP] * 1.2)
    short = _short_pattern(bits, min(count, 3))
    n = _shape(terms, n, ITEM_TIME, 21, log1p(gap) / 16.0, 1.0)
    n = _table(terms, n, ITEM_TIME, SMALL, 18, short, bin_, 1.0)
    n = _table(terms, n, ITEM_TIME, SMALL, 32, min(count, 7) * 2 + (bits & 1), bin_, 1.0)
    n = _table(terms, n, ITEM_TIME, SMALL, 33, bin_, before * 2 + (bits & 1), 1.0)
    for k in range(3):
        n = _shape(terms, n, ITEM_TIME, 22 + k, item[I_STRENGTH + k] * exp(-gap / STRENGTH_SECONDS[k]) / 4.0, 1.0)
    return _shape(terms, n, ITEM_TIME, 25, item[I_GAP] / 14.0, 1.0)


@compiled
def skill_terms(
    terms: Terms, n: int, memory: Memory, skill: Floats, identity: int, item: Floats, at: float, share: float
) -> int:
    """One skill of the item; several of them share the say."""
    whole = memory.whole
    count, bits = int(skill[S_COUNT]), int(skill[S_BITS])
    last = int(item[I_BITS] % 2) + 1 if item[I_COUNT] > 0 else 0
    pattern, two = _pattern(bits, min(count, 5)), (bits & 3) + 4 * min(count, 2)
    n = _table(terms, n, THE_SKILL, AS_SUCH, 20, identity, 0, share)
    n = _table(terms, n, THE_SKILL, BY_ID, 21, identity, _binned(skill[S_COUNT], 12) + 1, share)
    n = _table(terms, n, THE_SKILL, BY_ID, 34, identity, two, share)
    n = _table(terms, n, SKILL_HISTORY, SMALL, 22, pattern, 0, share)
    n = _table(terms, n, SKILL_HISTORY, SMALL, 35, pattern, last, share)
    before = int(whole[LAST_SKILL]) * 2 + int(whole[LAST_RIGHT])
    n = _table(terms, n, BEFORE, BY_PAIR, 23, before, identity, share)
    n = _shape(terms, n, SKILL_HISTORY, 32, log1p(skill[S_RIGHT]) / 6.0, share)
    n = _shape(terms, n, SKILL_HISTORY, 33, log1p(max(0.0, count - skill[S_RIGHT])) / 6.0, share)
    n = _shape(terms, n, SKILL_HISTORY, 34, _decayed(bits, count, 0.4), share)
    n = _shape(terms, n, SKILL_HISTORY, 35, _decayed(bits, count, 0.7), share)
    for k in range(2):
        total = (1.0 - exp(count * log(SKILL_FADING[k]))) / (1.0 - SKILL_FADING[k])
        n = _shape(terms, n, SKILL_HISTORY, 36 + k, (skill[S_SUCCESS + k] + 0.5) / (total + 1.0), share)
    for k in range(3):
        n = _shape(terms, n, SKILL_HISTORY, 38 + k, 0.5 + skill[S_SURPRISE + k] * 0.8, share)
    if count == 0:
        return n
    lag = whole[STEP] - skill[S_STEP]
    n = _shape(terms, n, SKILL_TIME, 41, log1p(lag) / 8.0, share)
    n = _table(terms, n, SKILL_TIME, SMALL, 24, two, _binned(lag, 15), share)
    if at >= 0.0 and skill[S_TIME] >= 0.0:
        gap = max(0.0, at - skill[S_TIME])
        n = _shape(terms, n, SKILL_TIME, 42, log1p(gap) / 16.0, share)
        n = _table(terms, n, SKILL_TIME, SMALL, 25, two, int(log1p(gap) * 1.2), share)
        n = _shape(terms, n, SKILL_TIME, 43, left(gap, skill[S_HALF]), share)
    return n


@compiled
def effort_terms(terms: Terms, n: int, memory: Memory, item: Floats) -> int:
    """How long earlier answers took and how many hints they needed, where that is known."""
    whole = memory.whole
    if whole[LAST_DURATION] >= 0.0:
        long = int(whole[LAST_DURATION] * 2.0) * 2 + int(whole[LAST_RIGHT])
        n = _table(terms, n, EFFORT, SMALL, 40, long, 0, 1.0)
    if whole[LAST_HINTS] >= 0.0:
        n = _table(terms, n, EFFORT, SMALL, 41, int(min(whole[LAST_HINTS], 5.0)), int(whole[LAST_RIGHT]), 1.0)
    if item[I_COUNT] > 0 and item[I_DURATION] >= 0.0:
        long = int(item[I_DURATION] * 2.0)
        n = _table(terms, n, EFFORT, SMALL, 42, long, int(item[I_BITS] % 2), 1.0)
    if item[I_COUNT] > 0 and item[I_HINTS] >= 0.0:
        n = _table(terms, n, EFFORT, SMALL, 43, int(min(item[I_HINTS], 5.0)), int(item[I_BITS] % 2), 1.0)
    return n
