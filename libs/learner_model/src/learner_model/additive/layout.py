"""Where everything stands: columns of a learner's memory, terms of the logit, their packed form.

Columns are floats while they are worked on. Each is rounded to its grid when it is written, so that packing loses
nothing: folding one answer at a time, through bytes, equals folding a whole history.
"""

from typing import Final, NamedTuple

import numpy as np

from learner_model.additive.compiled import Floats, Integers, Singles

ADDITIVE_VERSION: Final = 1
"""Raised with every change of terms, columns or hashes: states and parameters of another version are not read."""

MOST_ITEMS: Final = 128
MOST_SKILLS: Final = 4096
SKILLS_AT_ONCE: Final = 16
TERMS_AT_ONCE: Final = 640
HISTORY_BITS: Final = 12

# The learner as a whole.
STEP, ABILITY, ABILITY_VARIANCE, PATTERN, RUN, LAST_ITEM, LAST_SKILL, LAST_TIME = range(8)
LAST_RIGHT, PACE, NEW_STEP, TRIES, TRIES_WEIGHT, SKILLS, ITEMS, LAST_DURATION, LAST_HINTS = range(8, 17)
SUCCESS, SURPRISE, BY_KIND, LATEST = 17, 22, 27, 35
SLOPE = 39
SLOPES: Final = 13
WHOLE: Final = SLOPE + SLOPES

# One skill.
S_COUNT, S_RIGHT, S_BITS, S_STEP, S_TIME, S_LEVEL, S_VARIANCE, S_SUCCESS, S_SURPRISE = 0, 1, 2, 3, 4, 5, 6, 7, 9
SKILL: Final = 12

# One item.
I_COUNT, I_RIGHT, I_BITS, I_STEP, I_TIME, I_SURPRISE, I_LAG, I_GAP, I_STRENGTH, I_DURATION, I_HINTS = (
    0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 13,
)  # fmt: skip
ITEM: Final = 14

NO_TIME: Final = -1.0
"""A row without a clock, or a duration or number of hints that is not known."""

SKILL_PACKED: Final = np.dtype(
    [("id", "<u4"), ("count", "<u2"), ("right", "<u4"), ("bits", "<u2"), ("step", "<u4"), ("time", "<u4"),
     ("level", "<i2"), ("variance", "<u2"), ("success", "<u2", (2,)), ("surprise", "<i2", (3,))]
)  # fmt: skip
ITEM_PACKED: Final = np.dtype(
    [("id", "<u4"), ("count", "u1"), ("right", "<u2"), ("bits", "<u2"), ("step", "<u4"), ("time", "<u4"),
     ("surprise", "<i2", (2,)), ("lag", "u1"), ("gap", "u1"), ("strength", "u1", (3,)), ("duration", "i1"),
     ("hints", "i1")]
)  # fmt: skip
SKILL_GRID: Final = np.array([1, 64, 1, 1, 1, 4096, 8192, 1024, 1024, 8192, 8192, 8192], dtype=np.float64)
SKILL_TOP: Final = np.array(
    [65535, 65535, 4095, 4e9, 4e9, 7.9, 7.9, 63, 63, 3.9, 3.9, 3.9],
    dtype=np.float64,
)
ITEM_GRID: Final = np.array([1, 64, 1, 1, 1, 4096, 4096, 10, 10, 16, 16, 16, 8, 1], dtype=np.float64)
ITEM_TOP: Final = np.array([255, 1023, 4095, 4e9, 4e9, 7.9, 7.9, 25, 25, 15, 15, 15, 15, 100], dtype=np.float64)

KNOTS: Final = 12
SHAPES: Final = 48
TABLE_BITS: Final = 22
TABLES_FROM: Final = SHAPES * KNOTS
WEIGHTS: Final = TABLES_FROM + (1 << TABLE_BITS)

FAMILIES: Final = (
    "level",
    "ability",
    "recent answers",
    "tempo",
    "this item",
    "own history with this item",
    "time since this item",
    "tries in a row",
    "this skill",
    "own history with this skill",
    "time since this skill",
    "what came before",
    "duration and hints",
)
(LEVEL, ABLE, RECENT, TEMPO, THE_ITEM, ITEM_HISTORY, ITEM_TIME, ROW, THE_SKILL, SKILL_HISTORY, SKILL_TIME, BEFORE,
 EFFORT) = range(len(FAMILIES))  # fmt: skip

# How a weight learns: shapes, small tables, tables by item or skill, tables by pairs of them.
SHAPE, SMALL, BY_ID, BY_PAIR = range(4)

# Hyper-parameters: four rates, the learner's beliefs, where AdaGrad's sums start, the rate of the own slopes.
RATE, FIRST_VARIANCE, DRIFT, SKILL_FIRST_VARIANCE, SKILL_DRIFT, SQUARES_FROM, SLOPE_RATE = 0, 4, 5, 6, 7, 8, 9


class Memory(NamedTuple):
    """What is kept of one learner, as arrays to work on. Rows past `whole[SKILLS]` and `whole[ITEMS]` are free."""

    whole: Floats
    skill_ids: Integers
    skills: Floats
    item_ids: Integers
    items: Floats


class Weights(NamedTuple):
    """`served` predicts; `learned` goes on learning (the same array where each answer counts at once)."""

    served: Singles
    learned: Singles
    squares: Singles


class Terms(NamedTuple):
    """The terms of one answer: which weight, times which value, of which family, learning how.

    `noted` holds, until they are looked up, table and two keys (or -1 - shape), family, kind; `figure` and `share`
    belong to them. `sums` has the logits by family, before the learner's own slopes.
    """

    place: Integers
    value: Floats
    family: Integers
    kind: Integers
    noted: Integers
    figure: Floats
    share: Floats
    sums: Floats


class Answer(NamedTuple):
    """One answer to one item. `at` in seconds, `duration` in seconds and `hints` may be NO_TIME: not known."""

    item: int
    at: float
    correct: float
    duration: float
    hints: float
