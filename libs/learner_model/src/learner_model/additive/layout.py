"""Where everything stands: columns of a learner's memory, terms of the logit, their packed form.

Columns are floats while they are worked on. Each is rounded to its grid when it is written, so that packing loses
nothing: folding one answer at a time, through bytes, equals folding a whole history.
"""

from typing import Final, NamedTuple

import numpy as np

from learner_model.additive.compiled import Flags, Floats, Integers, Singles

ADDITIVE_VERSION: Final = 4
"""Raised with every change of terms, columns or hashes: states and parameters of another version are not read."""

LEAST_ITEMS: Final = 48
MOST_ITEMS: Final = 128
"""So many items are kept of a learner with few skills and of one with many (see `folding.items_kept`)."""
MOST_SKILLS: Final = 4096
SKILLS_AT_ONCE: Final = 16
TERMS_AT_ONCE: Final = 640
MOST_COUNTED: Final = 2000
"""Answers to a skill that are counted one by one; past them both counts are halved."""
ITEM_MASK: Final = (1 << 24) - 1
"""A learner's memory tells its items apart by 24 bits of their identities."""

# The learner as a whole. The first five need more than the 24 bits of a single.
LAST_TIME, LAST_ITEM, LAST_SKILL, STEP, NEW_STEP = range(5)
DOUBLES: Final = 5
ABILITY, ABILITY_VARIANCE, PATTERN, RUN, LAST_RIGHT, PACE, TRIES, TRIES_WEIGHT, SKILLS, ITEMS = range(5, 15)
LAST_DURATION, LAST_HINTS = 15, 16
SUCCESS, SURPRISE, BY_KIND, LATEST = 17, 22, 27, 35
SLOPE = 39
SLOPES: Final = 13
# What is told of a typical item of a skill, in logits: what holds for all, the own level, lately, a skill that is new.
FOR_ALL, GENERAL, LATELY, NEW_SKILL = range(SLOPE + SLOPES, SLOPE + SLOPES + 4)
WHOLE: Final = SLOPE + SLOPES + 4

# One skill. Times are seconds; NO_TIME: none. S_HALF: log2 of the half-life in days. S_EVIDENCE and S_EXPOSED: how
# often with and without a response. S_BASE, S_OWN: what the skill as such and the own answers to it add, just after.
S_COUNT, S_RIGHT, S_BITS, S_STEP, S_TIME, S_LEVEL, S_VARIANCE, S_SUCCESS, S_SURPRISE = 0, 1, 2, 3, 4, 5, 6, 7, 9
S_HALF, S_EVIDENCE, S_EXPOSED, S_SEEN, S_PROVISIONAL, S_BASE, S_OWN = range(12, 19)
SKILL: Final = 19

# One item.
I_COUNT, I_RIGHT, I_BITS, I_STEP, I_TIME, I_SURPRISE, I_LAG, I_GAP, I_STRENGTH, I_DURATION, I_HINTS = (
    0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 13,
)  # fmt: skip
ITEM: Final = 14

NO_TIME: Final = -1.0
"""A row without a clock, or a duration or number of hints that is not known."""


WIDEST: Final = 8


class Grid(NamedTuple):
    """Columns as bytes: stored is `figure * steps + offset`, in `width` bytes, within `low` and `top`. `places`: of the
    bytes kept, where every column had `WIDEST`.
    """

    steps: Floats
    low: Floats
    top: Floats
    width: Integers
    offset: Floats
    places: Integers


def _grid(columns: tuple[tuple[int, float, int], ...]) -> Grid:
    """Of each column bytes, steps to the unit, and what is added so that nothing is below 0."""
    width, steps, offset = (np.array(one, dtype=np.float64) for one in zip(*columns, strict=True))
    places = [WIDEST * column + byte for column, one in enumerate(columns) for byte in range(one[0])]
    top = (256.0**width - 1 - offset) / steps
    return Grid(steps, -offset / steps, top, width.astype(np.int64), offset, np.array(places, dtype=np.int64))


_HALF, _WIDE = 1 << 7, 1 << 15  # halfway of one and of two bytes: for figures with a sign
SKILL_GRID: Final = _grid(
    ((2, 1, 0), (2, 16, 0), (2, 1, 0), (3, 1, 0), (4, 1, 1), (2, 4096, _WIDE), (2, 8192, 0), (2, 1024, 0),
     (2, 1024, 0), (1, 120, _HALF), (1, 120, _HALF), (2, 16384, _WIDE), (2, 2048, _WIDE), (3, 1, 0), (2, 1, 0),
     (4, 1, 1), (1, 1, 0), (2, 2048, _WIDE), (2, 2048, _WIDE))
)  # fmt: skip
ITEM_GRID: Final = _grid(
    ((1, 1, 0), (2, 64, 0), (2, 1, 0), (3, 1, 0), (4, 1, 1), (1, 32, _HALF), (1, 32, _HALF), (1, 16, 0), (1, 12, 0),
     (1, 16, 0), (1, 16, 0), (1, 16, 0), (1, 8, 8), (1, 1, 1))
)  # fmt: skip
ITEM_ID_BYTES: Final = 3

KNOTS: Final = 12
SHAPES: Final = 48
TABLE_BITS: Final = 22
TABLES_FROM: Final = SHAPES * KNOTS
IDS_FROM: Final = TABLES_FROM + (1 << TABLE_BITS)
"""Items and skills as such have hashed places of their own: they tell most, so that nobody else is to write there."""
WEIGHTS: Final = IDS_FROM + (1 << TABLE_BITS)

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

# How a weight learns: shapes, small tables, tables by item or skill and something else, tables by pairs of them; and
# items and skills as such, of which most answers tell.
SHAPE, SMALL, BY_ID, BY_PAIR, AS_SUCH = range(5)

# Hyper-parameters: five rates, the learner's beliefs, where AdaGrad's sums start, the rate of the own slopes; and, of
# versions to fold with, the own level and lately of a learner of whom nothing is known.
RATE, FIRST_VARIANCE, DRIFT, SKILL_FIRST_VARIANCE, SKILL_DRIFT, SQUARES_FROM, SLOPE_RATE = 0, 5, 6, 7, 8, 9, 10
NEW_GENERAL, NEW_LATELY = 11, 12


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
    belong to them. `sums` has the logits by family, before the learner's own slopes. `new_item`, `new_skill`: rows of
    what the learner has never seen.
    """

    place: Integers
    value: Floats
    family: Integers
    kind: Integers
    noted: Integers
    figure: Floats
    share: Floats
    sums: Floats
    new_item: Floats
    new_skill: Floats


class Answer(NamedTuple):
    """One answer to one item. `at` in seconds, `duration` in seconds and `hints` may be NO_TIME: not known.

    `weight`: how much it is evidence, up to 1. `harder`: by how many logits the item is said to be harder than most.
    """

    item: int
    at: float
    correct: float
    duration: float
    hints: float
    weight: float
    harder: float


# Figures of a row of evidence, as in `Answer`; whether it is one (else it has been seen without a response).
FIGURES: Final = 6
COLUMNS: Final = FIGURES + 2
CORRECT, AT, TOOK, HINTS, WEIGHT, HARDER, ANSWERED, PROVISIONAL = range(COLUMNS)


class Rows(NamedTuple):
    """Evidence by columns, in its order. The skills of a row, and how much it is `about` each, end at `ends` and begin
    where those of the row before end; `last`: of each, whether no later row is about it.
    """

    items: Integers
    figures: Floats
    ends: Integers
    skills: Integers
    about: Floats
    last: Flags
