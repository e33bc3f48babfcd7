"""Which version of the parameters folds a piece of evidence: the one that its `stored` names."""

from datetime import datetime
from functools import cache
from pkgutil import get_data
from typing import Final, NamedTuple, Protocol

import numpy as np

from learner_model.additive.compiled import Floats
from learner_model.additive.layout import Weights
from learner_model.additive.weights import Parameters, ParametersVersionError, decode_parameters

BUILTIN: Final = "builtin.bin"


class Loaded(NamedTuple):
    """Parameters as the fold takes them."""

    weights: Weights
    hyper: Floats


class Versions(Protocol):
    """What knows the versions of one tenant."""

    def of(self, stored: datetime) -> Loaded:
        """The same object for the same version; it stays as it is until two others have been asked for."""
        ...


class Effective(NamedTuple):
    """A version and the `stored` time from which on it folds."""

    since: datetime
    version: str


class Builtin:
    """Where no trainer has spoken: the version that comes with the library, learnt from simulated learners alone."""

    def of(self, stored: datetime) -> Loaded:
        return _builtin()


def loaded(parameters: Parameters) -> Loaded:
    """32 MB of memory."""
    return Loaded(parameters.weights(), np.array(parameters.hyper))


@cache
def builtin() -> Parameters:
    """The version that comes with the library."""
    data = get_data(__package__, BUILTIN)
    if data is None:
        raise ParametersVersionError("the library comes without parameters")
    return decode_parameters(data)


@cache
def _builtin() -> Loaded:
    return loaded(builtin())
