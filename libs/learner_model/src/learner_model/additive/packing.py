"""Rows of figures as bytes and back: every figure lies on its grid, so nothing is lost.

What goes through all rows of a learner is there in numpy, and once more as machine code, which takes a tenth of it.
"""

from collections.abc import Callable, Collection
from struct import Struct
from typing import Final

import numpy as np

from learner_model.additive.compiled import Bytes, Floats, compiled
from learner_model.additive.layout import ITEM_GRID, ITEM_ID_BYTES, ITEMS, SKILL_GRID, SKILLS, WIDEST, Grid, Memory

SKILL_BYTES: Final = int(SKILL_GRID.width.sum())
ITEM_BYTES: Final = int(ITEM_GRID.width.sum())

PutRows = Callable[[Memory, Bytes], int]
TakeRows = Callable[[Memory, Bytes, int], None]


def packed(rows: Floats, grid: Grid) -> Bytes:
    """A row of bytes for each row."""
    stored = (rows * grid.steps + (grid.offset + 0.5)).astype("<i8")
    return stored.view(np.uint8).reshape(len(rows), len(grid.width) * WIDEST)[:, grid.places]


def unpacked(data: Bytes, grid: Grid) -> Floats:
    """What `packed` made."""
    spread = np.zeros((len(data), len(grid.width) * WIDEST), dtype=np.uint8)
    spread[:, grid.places] = data
    rows: Floats = (spread.view("<i8") - grid.offset) / grid.steps
    return rows


def put_at_once(memory: Memory, out: Bytes) -> int:
    """Skills, ids of items, and items, from the beginning of `out`; how many bytes."""
    skills, items = int(memory.whole[SKILLS]), int(memory.whole[ITEMS])
    parts = (
        packed(memory.skills[:skills], SKILL_GRID),
        memory.item_ids[:items].view(np.uint8).reshape(items, 8)[:, :ITEM_ID_BYTES],
        packed(memory.items[:items], ITEM_GRID),
    )
    at = 0
    for part in parts:
        out[at : at + part.size] = part.reshape(-1)
        at += part.size
    return at


def take_at_once(memory: Memory, data: Bytes, at: int) -> None:
    """What stands in `data` from `at` on, into the memory, whose counts are known already."""
    skills, items = int(memory.whole[SKILLS]), int(memory.whole[ITEMS])
    memory.skills[:skills] = unpacked(table(data, at, skills, SKILL_BYTES), SKILL_GRID)
    at += skills * SKILL_BYTES
    ids = np.zeros((items, 8), dtype=np.uint8)
    ids[:, :ITEM_ID_BYTES] = table(data, at, items, ITEM_ID_BYTES)
    memory.item_ids[:items] = ids.view(np.int64)[:, 0]
    memory.items[:items] = unpacked(table(data, at + items * ITEM_ID_BYTES, items, ITEM_BYTES), ITEM_GRID)


def reader(grid: Grid, columns: Collection[int]) -> Struct:
    """Of rows of bytes these columns alone, as they are stored; one of three bytes as its lower two and its highest."""
    codes = {1: "B", 2: "H", 3: "HB", 4: "I"}
    widths = enumerate(grid.width.tolist())
    return Struct("<" + "".join(codes[width] if column in columns else f"{width}x" for column, width in widths))


def table(data: Bytes, at: int, count: int, width: int) -> Bytes:
    """`count` rows of bytes."""
    return data[at : at + count * width].reshape(count, width)


@compiled
def put_row(row: Floats, grid: Grid, out: Bytes, at: int) -> int:
    """One row, as `packed` has it; where it ends."""
    for column in range(len(grid.width)):
        stored = int(row[column] * grid.steps[column] + (grid.offset[column] + 0.5))
        for _ in range(grid.width[column]):
            out[at] = stored & 255
            stored >>= 8
            at += 1
    return at


@compiled
def take_row(data: Bytes, at: int, grid: Grid, row: Floats) -> int:
    """What `put_row` made; where it ends."""
    for column in range(len(grid.width)):
        stored = 0
        for byte in range(grid.width[column]):
            stored |= int(data[at]) << (8 * byte)
            at += 1
        row[column] = (stored - grid.offset[column]) / grid.steps[column]
    return at


@compiled
def put_rows(memory: Memory, out: Bytes) -> int:
    """As `put_at_once`."""
    at = 0
    for k in range(int(memory.whole[SKILLS])):
        at = put_row(memory.skills[k], SKILL_GRID, out, at)
    items = int(memory.whole[ITEMS])
    for k in range(items):
        for byte in range(ITEM_ID_BYTES):
            out[at] = (memory.item_ids[k] >> (8 * byte)) & 255
            at += 1
    for k in range(items):
        at = put_row(memory.items[k], ITEM_GRID, out, at)
    return at


@compiled
def take_rows(memory: Memory, data: Bytes, at: int) -> None:
    """As `take_at_once`."""
    for k in range(int(memory.whole[SKILLS])):
        at = take_row(data, at, SKILL_GRID, memory.skills[k])
    items = int(memory.whole[ITEMS])
    for k in range(items):
        found = 0
        for byte in range(ITEM_ID_BYTES):
            found |= int(data[at]) << (8 * byte)
            at += 1
        memory.item_ids[k] = found
    for k in range(items):
        at = take_row(data, at, ITEM_GRID, memory.items[k])
