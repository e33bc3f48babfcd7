"""Rows of figures as bytes and back: every figure lies on its grid, so nothing is lost."""

import numpy as np

from learner_model.additive.compiled import Bytes, Floats
from learner_model.additive.layout import WIDEST, Grid


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
