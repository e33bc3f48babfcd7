"""What is common to learners, as immutable versions that a trainer publishes."""

import zlib
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import numpy as np

from learner_model.additive.compiled import Floats
from learner_model.additive.layout import ADDITIVE_VERSION, WEIGHTS, Weights

_MAGIC: Final = b"TLM1"
_HYPERS: Final = 10
_SMALLEST: Final = 1e-4
_HEAD_BYTES: Final = len(_MAGIC) + 4 + 8 * _HYPERS + 4
_ENTRY_BYTES: Final = 12
_MOST_BYTES: Final = _HEAD_BYTES + _ENTRY_BYTES * WEIGHTS

DEFAULT_HYPER: Final = (0.03, 0.02, 0.05, 0.02, 0.5, 0.0005, 0.1, 0.001, 0.25, 0.03)
"""Where the trainer's search begins: rates of shapes, small tables, tables by id, tables by pair; variance of a new
learner and its drift by answer; the same of a new skill; where the sums of squares start; rate of a
learner's own slopes."""


class ParametersVersionError(ValueError):
    """The bytes are not parameters that this version of the model can use."""


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """One version. `version` is a hash of all that decides a fold, so that equal parameters have equal versions."""

    version: str
    hyper: Floats
    weights: Weights

    def encode(self) -> bytes:
        """The weights that are not 0 with what they have learnt from, compressed. A trainer can go on from it."""
        places = np.flatnonzero((np.abs(self.weights.served) >= _SMALLEST) | (self.weights.squares > 0.0))
        body = b"".join(
            (
                _MAGIC,
                np.uint32(ADDITIVE_VERSION).tobytes(),
                self.hyper.astype("<f8").tobytes(),
                np.uint32(len(places)).tobytes(),
                places.astype("<u4").tobytes(),
                self.weights.served[places].astype("<f4").tobytes(),
                self.weights.squares[places].astype("<f4").tobytes(),
            )
        )
        return zlib.compress(body, 6)


def prior(hyper: tuple[float, ...] = DEFAULT_HYPER) -> Parameters:
    """What holds before any trainer has spoken: all weights 0, the learner's own levels alone predict."""
    return published(np.array(hyper), *(np.zeros(WEIGHTS, dtype=np.float32) for _ in range(2)))


def published(
    hyper: Floats,
    learned: np.ndarray[tuple[int], np.dtype[np.float32]],
    squares: np.ndarray[tuple[int], np.dtype[np.float32]],
) -> Parameters:
    """An immutable version of what a trainer has learnt so far."""
    kept = hyper.copy()
    served, sums = learned.copy(), squares.copy()
    for array in (kept, served, sums):
        array.setflags(write=False)
    found = np.flatnonzero(served)
    print_of = blake2b(np.uint32(ADDITIVE_VERSION).tobytes() + kept.tobytes(), digest_size=8)
    print_of.update(found.astype("<u4").tobytes())
    print_of.update(served[found].astype("<f4").tobytes())
    return Parameters(version=print_of.hexdigest(), hyper=kept, weights=Weights(served, served, sums))


def decode_parameters(data: bytes) -> Parameters:
    """What `Parameters.encode` wrote. Raises `ParametersVersionError`; reads no more than the most there can be."""
    opened = zlib.decompressobj()
    try:
        body = opened.decompress(data, _MOST_BYTES)
    except zlib.error as error:
        raise ParametersVersionError("not parameters") from error
    if len(body) < _HEAD_BYTES or body[:4] != _MAGIC:
        raise ParametersVersionError("not parameters")
    version = int(np.frombuffer(body, dtype="<u4", count=1, offset=4)[0])
    if version != ADDITIVE_VERSION:
        raise ParametersVersionError(f"version {version} where {ADDITIVE_VERSION} is read")
    hyper = np.frombuffer(body, dtype="<f8", count=_HYPERS, offset=8).astype(np.float64)
    count = int(np.frombuffer(body, dtype="<u4", count=1, offset=_HEAD_BYTES - 4)[0])
    if len(body) != _HEAD_BYTES + _ENTRY_BYTES * count:
        raise ParametersVersionError("not the length that it says")
    places = np.frombuffer(body, dtype="<u4", count=count, offset=_HEAD_BYTES)
    if count and int(places.max()) >= WEIGHTS:
        raise ParametersVersionError("a weight that the model does not have")
    served, squares = np.zeros(WEIGHTS, dtype=np.float32), np.zeros(WEIGHTS, dtype=np.float32)
    served[places] = np.frombuffer(body, dtype="<f4", count=count, offset=_HEAD_BYTES + 4 * count)
    squares[places] = np.frombuffer(body, dtype="<f4", count=count, offset=_HEAD_BYTES + 8 * count)
    return published(hyper, served, squares)
