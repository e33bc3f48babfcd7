"""A learner's memory: fresh, to bytes and back. Bytes are the same for the same answers, and bounded.

A learner with 20 skills and 60 items takes 2.7 KB; each skill more 34 bytes, each item 28, of which 128 are kept.
"""

from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt

from learner_model.additive.compiled import Floats
from learner_model.additive.folding import forget_all
from learner_model.additive.layout import (
    ADDITIVE_VERSION,
    ITEM,
    ITEM_GRID,
    ITEM_PACKED,
    ITEMS,
    MOST_ITEMS,
    MOST_SKILLS,
    SKILL,
    SKILL_GRID,
    SKILL_PACKED,
    SKILLS,
    SKILLS_AT_ONCE,
    SLOPES,
    TERMS_AT_ONCE,
    WHOLE,
    Memory,
    Terms,
)

_HEAD: Final = np.dtype([("version", "<u2"), ("whole", "<f8", (WHOLE,))])


class MemoryVersionError(ValueError):
    """The bytes were written by another version of the model: the learner is to be built anew from evidence."""


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


def fresh(hyper: Floats) -> Memory:
    """The memory of a learner of whom nothing is known."""
    memory = blank()
    forget_all(memory, hyper)
    return memory


def workbench() -> Terms:
    """Room for the terms of one answer; nothing in it outlives the answer."""
    return Terms(
        place=np.zeros(TERMS_AT_ONCE, dtype=np.int64),
        value=np.zeros(TERMS_AT_ONCE),
        family=np.zeros(TERMS_AT_ONCE, dtype=np.int64),
        kind=np.zeros(TERMS_AT_ONCE, dtype=np.int64),
        noted=np.zeros((TERMS_AT_ONCE, 5), dtype=np.int64),
        figure=np.zeros(TERMS_AT_ONCE),
        share=np.zeros(TERMS_AT_ONCE),
        sums=np.zeros(SLOPES),
    )


def places() -> npt.NDArray[np.int64]:
    """Room for the places of one answer's skills."""
    return np.zeros(SKILLS_AT_ONCE, dtype=np.int64)


def packed_bytes(memory: Memory) -> int:
    """How many bytes `pack` would take."""
    skills, items = int(memory.whole[SKILLS]), int(memory.whole[ITEMS])
    return _HEAD.itemsize + 4 + skills * SKILL_PACKED.itemsize + items * ITEM_PACKED.itemsize


def pack(memory: Memory) -> bytes:
    """The memory as bytes; lossless, since every figure lies on its grid."""
    skills, items = int(memory.whole[SKILLS]), int(memory.whole[ITEMS])
    head = np.zeros(1, dtype=_HEAD)
    head["version"] = ADDITIVE_VERSION
    head["whole"] = memory.whole
    counts = np.array([skills, items], dtype="<u2")
    return b"".join(
        (
            head.tobytes(),
            counts.tobytes(),
            _rows(memory.skill_ids[:skills], memory.skills[:skills], SKILL_GRID, SKILL_PACKED),
            _rows(memory.item_ids[:items], memory.items[:items], ITEM_GRID, ITEM_PACKED),
        )
    )


def unpack(data: bytes, into: Memory | None = None) -> Memory:
    """What `pack` wrote, in memory of its own or in the one given. Raises `MemoryVersionError`."""
    memory = blank() if into is None else into
    if len(data) < _HEAD.itemsize + 4:
        raise MemoryVersionError("too short for a learner's memory")
    head = np.frombuffer(data, dtype=_HEAD, count=1)
    if int(head["version"][0]) != ADDITIVE_VERSION:
        raise MemoryVersionError(f"version {int(head['version'][0])} where {ADDITIVE_VERSION} is read")
    memory.whole[:] = head["whole"][0]
    skills, items = (int(n) for n in np.frombuffer(data, dtype="<u2", count=2, offset=_HEAD.itemsize))
    at = _HEAD.itemsize + 4
    if len(data) != at + skills * SKILL_PACKED.itemsize + items * ITEM_PACKED.itemsize:
        raise MemoryVersionError("not the length that its counts say")
    _read(data, at, skills, memory.skill_ids, memory.skills, SKILL_GRID, SKILL_PACKED)
    at += skills * SKILL_PACKED.itemsize
    _read(data, at, items, memory.item_ids, memory.items, ITEM_GRID, ITEM_PACKED)
    return memory


# A time may be missing (-1) and is stored one higher.
def _rows(ids: npt.NDArray[np.int64], rows: Floats, grid: Floats, packed: np.dtype[np.void]) -> bytes:
    result = np.zeros(len(ids), dtype=packed)
    result["id"] = ids
    for name, columns in _columns(packed):
        values = np.rint(rows[:, columns] * grid[columns]) + (1 if name == "time" else 0)
        result[name] = values if len(columns) > 1 else values[:, 0]
    return result.tobytes()


def _read(
    data: bytes,
    offset: int,
    count: int,
    ids: npt.NDArray[np.int64],
    rows: Floats,
    grid: Floats,
    packed: np.dtype[np.void],
) -> None:
    found = np.frombuffer(data, dtype=packed, count=count, offset=offset)
    ids[:count] = found["id"]
    for name, columns in _columns(packed):
        values = found[name].astype(np.float64).reshape(count, len(columns)) - (1 if name == "time" else 0)
        rows[:count, columns] = values / grid[columns]


def _columns(packed: np.dtype[np.void]) -> list[tuple[str, list[int]]]:
    """The fields after the id and the columns that they hold, in order."""
    result, at = [], 0
    for name in (packed.names or ())[1:]:
        width = packed[name].shape[0] if packed[name].shape else 1
        result.append((name, list(range(at, at + width))))
        at += width
    return result
