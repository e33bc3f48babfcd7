"""Compiled functions keep the types of what they compile. Nothing is reordered (no fastmath): same input, same bits."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function as machine code, kept on disk beside its source (or in NUMBA_CACHE_DIR)."""
    result: Callable[_P, _R] = numba.njit(cache=True, error_model="numpy")(function)
    return result
