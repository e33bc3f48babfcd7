"""The functions of the fold, as plain Python or as machine code. Both give the same bits; a test holds them to it.

numba costs a second and a hundred megabytes to import, and a quarter of a minute of one core to compile what is not in
its cache. So a process begins with plain Python, and changes over when the machine code is there.
"""

from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from pkgutil import get_data
from types import FunctionType
from typing import Any, Final, NamedTuple

from learner_model.additive import folding, packing, replaying, telling
from learner_model.additive.compiled import MARKED

_SOURCES: Final = ("compiled", "kernel", "layout", "packing", "terms", "remembering", "folding", "telling", "replaying")


class Kernel(NamedTuple):
    """What folds: functions by name, and whether they are machine code."""

    forget_all: Callable[..., None]
    take: Callable[..., None]
    replay: Callable[..., int]
    put_rows: packing.PutRows
    take_rows: packing.TakeRows
    compiled: bool


def plain() -> Kernel:
    """About 1 ms an answer, at once and everywhere."""
    return _kernel(MARKED, compiled=False)._replace(put_rows=packing.put_at_once, take_rows=packing.take_at_once)


def _kernel(found: dict[str, Callable[..., Any]], *, compiled: bool) -> Kernel:
    return Kernel(**{name: found[name] for name in Kernel._fields[:-1]}, compiled=compiled)


@cache
def machine() -> Kernel:
    """A hundredth of that, from numba's cache or compiled now. It stays with what every processor of a kind can do, so
    that an image built on one serves on all.
    """
    return _compiled({}, keep=True)


def without(**instead: Callable[..., Any]) -> Kernel:
    """Machine code with other functions in the place of some, to measure what those are worth; compiled anew."""
    return _compiled(instead, keep=False)


def _compiled(instead: dict[str, Callable[..., Any]], *, keep: bool) -> Kernel:
    import numba
    from numba.core import config as settings

    config: Any = settings  # its names are made at import
    config.CPU_NAME = config.CPU_NAME or "generic"
    made: dict[str, Callable[..., Any]] = {}
    for name, function in (MARKED | instead).items():
        if not isinstance(function, FunctionType):
            raise TypeError(f"{name} is no plain function")
        bound = FunctionType(function.__code__, function.__globals__ | made, name, function.__defaults__)
        bound.__module__, bound.__qualname__ = function.__module__, function.__qualname__
        dispatcher: Any = numba.njit(cache=keep, nogil=True, error_model="numpy")(bound)  # its cache has no public type
        # numba holds what is kept to be current while the function's own file is unchanged; but a function holds those
        # of other files, inlined.
        if keep:
            dispatcher._cache._cache_file._source_stamp = stamp()
        made[name] = dispatcher
    return _kernel(made, compiled=True)


@cache
def stamp() -> str:
    """A hash of all that is compiled."""
    hashed = blake2b(digest_size=8)
    for name in _SOURCES:
        hashed.update(get_data("learner_model.additive", f"{name}.py") or b"")
    hashed.update(get_data("learner_model", "parameters.py") or b"")
    return hashed.hexdigest()


_COMPILED: Final = (folding, packing, replaying, telling)

__all__ = ["Kernel", "machine", "plain", "stamp"]
