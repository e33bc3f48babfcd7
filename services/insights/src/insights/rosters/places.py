"""Where in the system someone is: region, district, school, class. Any of them may be empty."""

import hashlib
from functools import lru_cache
from typing import Final, NamedTuple

import orjson

LEVELS: Final = ("region", "district", "school", "class")
NATION: Final = "nation"


class Place(NamedTuple):
    """The names of the levels from the top down; an empty one is left out of the way down."""

    region: str = ""
    district: str = ""
    school: str = ""
    class_: str = ""

    def way(self) -> tuple["Place", ...]:
        """The scopes that hold this place, from the topmost under the nation down to itself."""
        return _way(self)

    @property
    def level(self) -> str:
        return next((LEVELS[i] for i in (3, 2, 1, 0) if self[i]), NATION)

    @property
    def name(self) -> str:
        """The own name; empty for the nation."""
        return next((self[i] for i in (3, 2, 1, 0) if self[i]), "")

    @property
    def scope(self) -> str:
        """A stable id made of the level and all names down to it: same class name, other school, other scope."""
        return _scope(self)


TOP: Final = Place()


@lru_cache(maxsize=100_000)
def _way(place: Place) -> tuple[Place, ...]:
    return tuple(Place(*place[: i + 1]) for i in range(4) if place[i])


@lru_cache(maxsize=100_000)
def _scope(place: Place) -> str:
    if place == TOP:
        return NATION
    return f"{place.level}-{hashlib.sha256(orjson.dumps(list(place))).hexdigest()[:16]}"
