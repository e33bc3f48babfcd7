"""Functions that run as plain Python, and as machine code where that pays (see `kernel`): the same bits either way.

What is marked `compiled` keeps to what both do alike: no integer overflow, no power of an integer, no reordering.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

_P = ParamSpec("_P")
_R = TypeVar("_R")

MARKED: dict[str, Callable[..., Any]] = {}
"""All functions that are compiled together, by name; each after those that it calls."""


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function itself, noted for `kernel.machine`."""
    name = function.__name__
    if name in MARKED:
        raise ValueError(f"two compiled functions are named {name}")
    MARKED[name] = function
    return function
