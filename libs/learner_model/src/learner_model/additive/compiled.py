"""Compiled functions keep the types of what they compile. Nothing is reordered (no fastmath): same input, same bits."""

from collections.abc import Callable
from hashlib import blake2b
from pkgutil import get_data
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _sources() -> str:
    """A hash of all that is compiled here, layout and terms alike."""
    hashed = blake2b(digest_size=8)
    for name in ("compiled", "layout", "terms", "folding", "training"):
        hashed.update(get_data(__package__, f"{name}.py") or b"")
    return hashed.hexdigest()


_STAMP = _sources()


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function as machine code, kept on disk beside its source (or in NUMBA_CACHE_DIR).

    numba holds what is kept to be current while the function's own file is unchanged; but a function holds those of
    other files, inlined. So it is current while none of them has changed.
    """
    dispatcher: Any = numba.njit(cache=True, error_model="numpy")(function)  # its cache has no public type
    dispatcher._cache._cache_file._source_stamp = _STAMP
    return cast("Callable[_P, _R]", dispatcher)
