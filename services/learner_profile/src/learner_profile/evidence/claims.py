"""What a statement itself names: competencies, for activities that the catalog puts to none, and tags.

- `definition.extensions` of the activity: under `EXTENSION` a list of IRIs, or IRIs with weights from 0 to 1;
- `contextActivities`: activities whose type ends in competency, objective, skill or standard. What stands among the
  categories is what the activity is about (weight 1); among groupings and others, what it also touches (0.5).

For activities to which the catalog gives no tags, the tags are those under `TAGS` in the activity's own extensions,
else the names of its categories that are no competencies.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

Json = Mapping[str, Any]

EXTENSION: Final = "https://trellis.invalid/extensions/competencies"
TAGS: Final = "https://trellis.invalid/extensions/tags"
MOST: Final = 8
MOST_TAGS: Final = 4
LONGEST_TAG: Final = 60
LONGEST: Final = 2048
"""Characters of an IRI that can stand for a competency: it is kept in the state of each learner."""
WEIGHTS: Final[Mapping[str, float]] = {"category": 1.0, "grouping": 0.5, "other": 0.5}
_TYPES: Final = ("competency", "objective", "skill", "standard")


class Claim(Struct, frozen=True, kw_only=True):
    """A competency, how much the activity is about it, and its name where the statement gives one."""

    id: str
    weight: float
    title: str | None = None


def extension_claims(activity: Json) -> Iterator[Claim]:
    """Those of the activity's own definition; what is no IRI or no weight is passed over."""
    found = activity.get("definition", {}).get("extensions", {}).get(EXTENSION)
    if isinstance(found, list):
        found = {one: 1.0 for one in found if isinstance(one, str)}
    if not isinstance(found, Mapping):
        return
    for name, weight in list(found.items())[:MOST]:
        if _is_iri(name) and isinstance(weight, int | float) and 0.0 < weight <= 1.0:
            yield Claim(id=name, weight=float(weight))


def tags_of(activity: Json, categories: Iterable[str | None]) -> tuple[str, ...]:
    """What the activity is about; `categories`: the names of those that are no competencies."""
    own = activity.get("definition", {}).get("extensions", {}).get(TAGS)
    named = own if isinstance(own, list) and own else list(categories)
    fit = (one.strip() for one in named[:MOST] if isinstance(one, str))
    return tuple(dict.fromkeys(one for one in fit if 0 < len(one) <= LONGEST_TAG))[:MOST_TAGS]


def is_competency(type_word: str) -> bool:
    """By the last word of an activity's type."""
    return type_word.endswith(_TYPES)


def strongest(claims: Iterator[Claim]) -> tuple[Claim, ...]:
    """Each competency once, with its greatest weight, in the order in which they were named; at most `MOST`. Names
    that are longer than `LONGEST` are passed over.
    """
    found: dict[str, Claim] = {}
    for claim in claims:
        if len(claim.id) > LONGEST:
            continue
        before = found.get(claim.id)
        if before is None or before.weight < claim.weight:
            found[claim.id] = claim
    return tuple(found.values())[:MOST]


def _is_iri(value: str) -> bool:
    return ":" in value and len(value) <= LONGEST
