"""A learner's memory: fresh, to bytes and back. Bytes are the same for the same answers, and bounded.

Ids of skills are no part of the bytes: whoever keeps the memory keeps their names (in the order of the rows).
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import numpy as np

from learner_model.additive.compiled import Bytes, Floats, Integers
from learner_model.additive.layout import (
    ADDITIVE_VERSION,
    DOUBLES,
    I_DURATION,
    I_HINTS,
    ITEM,
    ITEM_GRID,
    ITEM_ID_BYTES,
    ITEMS,
    MOST_ITEMS,
    MOST_SKILLS,
    NO_TIME,
    S_SEEN,
    S_TIME,
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
from learner_model.additive.packing import packed, unpacked

_VERSION: Final = ADDITIVE_VERSION.to_bytes(2, "little")
_HEAD_BYTES: Final = 2 + 8 * DOUBLES + 4 * (WHOLE - DOUBLES)
SKILL_BYTES: Final = int(SKILL_GRID.width.sum())
_ITEM_BYTES: Final = ITEM_ID_BYTES + int(ITEM_GRID.width.sum())
MOST_BYTES: Final = _HEAD_BYTES + MOST_SKILLS * SKILL_BYTES + MOST_ITEMS * _ITEM_BYTES


class MemoryVersionError(ValueError):
    """The bytes were written by another version of the model: the learner is to be built anew from evidence."""


@lru_cache(maxsize=65_536)
def identity(name: str) -> int:
    """The 32-bit identity of an item or skill, the same in every process."""
    return int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "little")


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
    return _HEAD_BYTES + int(memory.whole[SKILLS]) * SKILL_BYTES + int(memory.whole[ITEMS]) * _ITEM_BYTES


def pack(memory: Memory) -> bytes:
    """The memory as bytes; lossless, since every figure lies on its grid."""
    skills, items = int(memory.whole[SKILLS]), int(memory.whole[ITEMS])
    parts = [
        memory.whole[:DOUBLES],
        memory.whole[DOUBLES:].astype("<f4"),
        packed(memory.skills[:skills], SKILL_GRID),
        memory.item_ids[:items].view(np.uint8).reshape(items, 8)[:, :ITEM_ID_BYTES],
        packed(memory.items[:items], ITEM_GRID),
    ]
    return _VERSION + b"".join(part.tobytes() for part in parts)


def unpack(data: bytes, names: Sequence[str], memory: Memory) -> None:
    """What `pack` wrote, into the memory given; `names` of the skills. Raises `MemoryVersionError`."""
    skills = _unpack_whole(data, memory.whole)
    items = int(memory.whole[ITEMS])
    if len(data) != packed_bytes(memory) or len(names) != skills or skills > MOST_SKILLS or items > MOST_ITEMS:
        raise MemoryVersionError("not the length that its counts say")
    memory.skill_ids[:skills] = [identity(name) for name in names]
    memory.skills[:skills] = skills_of(data, skills)
    at = _HEAD_BYTES + skills * SKILL_BYTES
    ids = np.zeros((items, 8), dtype=np.uint8)
    ids[:, :ITEM_ID_BYTES] = _bytes(data, at, items, ITEM_ID_BYTES)
    memory.item_ids[:items] = ids.view(np.int64)[:, 0]
    at += items * ITEM_ID_BYTES
    memory.items[:items] = unpacked(_bytes(data, at, items, _ITEM_BYTES - ITEM_ID_BYTES), ITEM_GRID)


def whole_of(data: bytes) -> Floats:
    """The learner's own row alone. Raises `MemoryVersionError`."""
    whole = np.empty(WHOLE)
    _unpack_whole(data, whole)
    return whole


def skills_of(data: bytes, count: int) -> Floats:
    """The rows of the skills alone."""
    return unpacked(_bytes(data, _HEAD_BYTES, count, SKILL_BYTES), SKILL_GRID)


def _bytes(data: bytes, at: int, count: int, width: int) -> Bytes:
    return np.frombuffer(data, dtype=np.uint8, count=count * width, offset=at).reshape(count, width)


def _unpack_whole(data: bytes, whole: Floats) -> int:
    """How many skills there are."""
    if len(data) < _HEAD_BYTES or data[:2] != _VERSION:
        raise MemoryVersionError(f"not a learner's memory of version {ADDITIVE_VERSION}")
    whole[:DOUBLES] = np.frombuffer(data, dtype="<f8", count=DOUBLES, offset=2)
    whole[DOUBLES:] = np.frombuffer(data, dtype="<f4", count=WHOLE - DOUBLES, offset=2 + 8 * DOUBLES)
    return int(whole[SKILLS])
