"""The Kafka form of a statement: still valid, and without a word that says who anyone is."""

from collections.abc import Set as AbstractSet
from typing import Final

from .parsing import JsonObject

HOME_PAGE: Final = "https://trellis.invalid/learners"
SELF: Final = "self"


def for_learner(statement: JsonObject, own: AbstractSet[str]) -> JsonObject:
    """The statement as the learner with the canonical identifiers `own` is told of on Kafka; a new object."""
    raise NotImplementedError
