"""What is common to learners, as immutable versions that a trainer publishes."""

import zlib
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from learner_model.additive.compiled import Floats, Singles
from learner_model.additive.layout import ADDITIVE_VERSION, NEW_GENERAL, NEW_LATELY, WEIGHTS, Weights

Places = npt.NDArray[np.uint32]

_MAGIC: Final = b"TLM2"
_HYPERS: Final = 13
_SMALLEST: Final = 1e-4
_HEAD_BYTES: Final = len(_MAGIC) + 4 + 8 * _HYPERS + 4
_MOST_BYTES: Final = _HEAD_BYTES + 12 * WEIGHTS
_NOTHING: Final = np.zeros(1, dtype=np.float32)

DEFAULT_HYPER: Final = (0.03, 0.02, 0.05, 0.02, 0.12, 0.5, 0.0002, 0.1, 0.001, 0.25, 0.03, 0.0, 0.0)
"""Where the trainer's search begins: rates of shapes, small tables, tables by id, tables by pair, and ids as such;
variance of a new learner and its drift by answer; the same of a new skill; where the sums of squares start; rate of a
learner's own slopes; what `centred` sets."""


class ParametersVersionError(ValueError):
    """The bytes are not parameters that this version of the model can use."""


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """One version: the weights that are not 0 by place, with the sums of squares that they have learnt from (all 0
    where nobody is to go on from it). `version` is a hash of all that decides a fold, so that equal parameters have
    equal versions.
    """

    version: str
    hyper: Floats
    places: Places
    served: Singles
    squares: Singles

    def weights(self) -> Weights:
        """For whoever folds and never learns. 32 MB: keep it."""
        return Weights(_spread(self.places, self.served), _NOTHING, _NOTHING)

    def learning(self) -> Weights:
        """For a trainer that goes on from here."""
        served = _spread(self.places, self.served)
        return Weights(served, served, _spread(self.places, self.squares))

    def centred(self, general: float, lately: float) -> "Parameters":
        """With what is told of the own level and of lately where nothing is known of a learner."""
        hyper = self.hyper.copy()
        hyper[[NEW_GENERAL, NEW_LATELY]] = general, lately
        return _locked(hyper, self.places, self.served, self.squares)

    def to_serve(self) -> "Parameters":
        """Without what only a trainer needs."""
        kept = np.abs(self.served) >= _SMALLEST
        return _locked(self.hyper, self.places[kept], self.served[kept], np.zeros(int(kept.sum()), dtype=np.float32))

    def encode(self) -> bytes:
        """As bytes, compressed."""
        return zlib.compress(
            b"".join(
                (
                    _MAGIC,
                    np.uint32(ADDITIVE_VERSION).tobytes(),
                    self.hyper.astype("<f8").tobytes(),
                    np.uint32(len(self.places)).tobytes(),
                    np.diff(self.places, prepend=np.uint32(0)).astype("<u4").tobytes(),
                    self.served.astype("<f4").tobytes(),
                    self.squares.astype("<f4").tobytes(),
                )
            ),
            9,
        )


def prior(hyper: tuple[float, ...] = DEFAULT_HYPER) -> Parameters:
    """All weights 0: the learner's own levels alone predict."""
    none = np.zeros(0, dtype=np.float32)
    return _locked(np.array(hyper), np.zeros(0, dtype=np.uint32), none, none)


def published(hyper: Floats, learned: Singles, squares: Singles) -> Parameters:
    """An immutable version of what a trainer has learnt so far."""
    places = np.flatnonzero((learned != 0.0) | (squares > 0.0)).astype(np.uint32)
    return _locked(hyper, places, learned[places], squares[places])


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
    if len(body) != _HEAD_BYTES + 12 * count:
        raise ParametersVersionError("not the length that it says")
    places = np.cumsum(np.frombuffer(body, dtype="<u4", count=count, offset=_HEAD_BYTES), dtype=np.uint32)
    if count and int(places.max()) >= WEIGHTS:
        raise ParametersVersionError("a weight that the model does not have")
    served = np.frombuffer(body, dtype="<f4", count=count, offset=_HEAD_BYTES + 4 * count)
    squares = np.frombuffer(body, dtype="<f4", count=count, offset=_HEAD_BYTES + 8 * count)
    return _locked(hyper, places, served.astype(np.float32), squares.astype(np.float32))


def _locked(hyper: Floats, places: Places, served: Singles, squares: Singles) -> Parameters:
    kept = hyper.copy()
    arrays: tuple[npt.NDArray[Any], ...] = (kept, places, served, squares)
    for array in arrays:
        array.setflags(write=False)
    hashed = blake2b(np.uint32(ADDITIVE_VERSION).tobytes() + hyper.astype("<f8").tobytes(), digest_size=8)
    told = np.flatnonzero(served)
    hashed.update(places[told].astype("<u4").tobytes())
    hashed.update(served[told].astype("<f4").tobytes())
    return Parameters(hashed.hexdigest(), kept, places, served, squares)


def _spread(places: Places, values: Singles) -> Any:
    spread = np.zeros(WEIGHTS, dtype=np.float32)
    spread[places] = values
    return spread
