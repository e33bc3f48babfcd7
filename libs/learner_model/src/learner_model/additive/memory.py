"""A learner's memory: fresh, to bytes and back. Bytes are the same for the same answers, and bounded.

Ids of skills are no part of the bytes: whoever keeps the memory keeps their names (in the order of the rows).
"""

from collections.abc import Iterator, Sequence
from struct import Struct
from typing import Final

import numpy as np

from learner_model.additive.compiled import Floats, Integers
from learner_model.additive.layout import (
    ABILITY_VARIANCE,
    ADDITIVE_VERSION,
    DOUBLES,
    FOR_ALL,
    GENERAL,
    I_DURATION,
    I_HINTS,
    ITEM,
    ITEM_ID_BYTES,
    ITEMS,
    LATELY,
    MOST_ITEMS,
    MOST_SKILLS,
    NEW_SKILL,
    NO_TIME,
    S_BASE,
    S_COUNT,
    S_EVIDENCE,
    S_EXPOSED,
    S_HALF,
    S_OWN,
    S_PROVISIONAL,
    S_RIGHT,
    S_SEEN,
    S_TIME,
    S_VARIANCE,
    SKILL,
    SKILL_GRID,
    SKILLS,
    SKILLS_AT_ONCE,
    SLOPES,
    TERMS_AT_ONCE,
    WHOLE,
    Memory,
    Terms,
)
from learner_model.additive.packing import (
    ITEM_BYTES,
    SKILL_BYTES,
    PutRows,
    TakeRows,
    put_at_once,
    reader,
    take_at_once,
)

_VERSION: Final = ADDITIVE_VERSION.to_bytes(2, "little")
_SINGLES_AT: Final = 2 + 8 * DOUBLES
_HEAD_BYTES: Final = _SINGLES_AT + 4 * (WHOLE - DOUBLES)
_SINGLE: Final = Struct("<f")
TOLD_WHOLE: Final = (FOR_ALL, GENERAL, LATELY, NEW_SKILL, ABILITY_VARIANCE)
TOLD_SKILL: Final = (
    S_COUNT, S_RIGHT, S_TIME, S_VARIANCE, S_HALF, S_EVIDENCE, S_EXPOSED, S_SEEN, S_PROVISIONAL, S_BASE, S_OWN,
)  # fmt: skip
_TOLD_SKILL: Final = reader(SKILL_GRID, TOLD_SKILL)


class MemoryVersionError(ValueError):
    """The bytes were written by another version of the model: the learner is to be built anew from evidence."""


def blank() -> Memory:
    """Room for one learner; to be filled by `forget_all` or `unpack`."""
    return Memory(
        whole=np.zeros(WHOLE),
        skill_ids=np.zeros(MOST_SKILLS, dtype=np.int64),
        skills=np.zeros((MOST_SKILLS, SKILL)),
        item_ids=np.zeros(MOST_ITEMS, dtype=np.int64),
        items=np.zeros((MOST_ITEMS, ITEM)),
    )


def workbench() -> Terms:
    """Room for the terms of one answer; nothing in it outlives the answer."""
    new_item, new_skill = np.zeros(ITEM), np.zeros(SKILL)
    new_item[[I_DURATION, I_HINTS]] = NO_TIME
    new_skill[[S_TIME, S_SEEN]] = NO_TIME
    return Terms(
        place=np.zeros(TERMS_AT_ONCE, dtype=np.int64),
        value=np.zeros(TERMS_AT_ONCE),
        family=np.zeros(TERMS_AT_ONCE, dtype=np.int64),
        kind=np.zeros(TERMS_AT_ONCE, dtype=np.int64),
        noted=np.zeros((TERMS_AT_ONCE, 5), dtype=np.int64),
        figure=np.zeros(TERMS_AT_ONCE),
        share=np.zeros(TERMS_AT_ONCE),
        sums=np.zeros(SLOPES),
        new_item=new_item,
        new_skill=new_skill,
    )


def room() -> tuple[Floats, Integers]:
    """Room for the shares and places of one answer's skills."""
    return np.zeros(SKILLS_AT_ONCE), np.zeros(SKILLS_AT_ONCE, dtype=np.int64)


def packed_bytes(memory: Memory) -> int:
    """How many bytes `pack` would take."""
    return _HEAD_BYTES + _row_bytes(memory)


def pack(memory: Memory, put_rows: PutRows = put_at_once) -> bytes:
    """The memory as bytes; lossless, since every figure lies on its grid."""
    rows = np.empty(_row_bytes(memory), dtype=np.uint8)
    put_rows(memory, rows)
    singles = memory.whole[DOUBLES:].astype("<f4")
    return b"".join((_VERSION, memory.whole[:DOUBLES].tobytes(), singles.tobytes(), rows.tobytes()))


def unpack(data: bytes, skill_ids: Sequence[int], memory: Memory, take_rows: TakeRows = take_at_once) -> None:
    """What `pack` wrote, into the memory given. Raises `MemoryVersionError`."""
    skills = _unpack_whole(data, memory.whole)
    if len(data) != packed_bytes(memory) or len(skill_ids) != skills or skills > MOST_SKILLS:
        raise MemoryVersionError("not the length that its counts say")
    if memory.whole[ITEMS] > MOST_ITEMS:
        raise MemoryVersionError("more items than are kept")
    memory.skill_ids[:skills] = skill_ids
    take_rows(memory, np.frombuffer(data, dtype=np.uint8), _HEAD_BYTES)


def told_whole(data: bytes) -> tuple[float, ...]:
    """Of the learner's own row what `TOLD_WHOLE` lists. Raises `MemoryVersionError`."""
    _check_version(data)
    return tuple(_SINGLE.unpack_from(data, _SINGLES_AT + 4 * (column - DOUBLES))[0] for column in TOLD_WHOLE)


def told_skills(data: bytes, count: int) -> Iterator[tuple[int, ...]]:
    """Of the row of each skill what `TOLD_SKILL` lists, as `packing.reader` gives it."""
    return _TOLD_SKILL.iter_unpack(memoryview(data)[_HEAD_BYTES : _HEAD_BYTES + count * SKILL_BYTES])


def _row_bytes(memory: Memory) -> int:
    return int(memory.whole[SKILLS]) * SKILL_BYTES + int(memory.whole[ITEMS]) * (ITEM_ID_BYTES + ITEM_BYTES)


def _unpack_whole(data: bytes, whole: Floats) -> int:
    """How many skills there are."""
    _check_version(data)
    whole[:DOUBLES] = np.frombuffer(data, dtype="<f8", count=DOUBLES, offset=2)
    whole[DOUBLES:] = np.frombuffer(data, dtype="<f4", count=WHOLE - DOUBLES, offset=_SINGLES_AT)
    return int(whole[SKILLS])


def _check_version(data: bytes) -> None:
    if len(data) < _HEAD_BYTES or data[:2] != _VERSION:
        raise MemoryVersionError(f"not a learner's memory of version {ADDITIVE_VERSION}")
