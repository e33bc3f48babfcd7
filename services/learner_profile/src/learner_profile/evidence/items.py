"""What kind of question an answer is to, as the activity's definition tells it (xAPI 1.0.3 Data 2.4.4.1)."""

from collections.abc import Mapping
from math import factorial
from typing import Any, Final

Json = Mapping[str, Any]

_MOST: Final = 20
"""Parts past which nobody guesses a combination."""
_TYPED: Final = frozenset({"fill-in", "long-fill-in", "numeric"})


def guessing_in(definition: Json) -> float | None:
    """How often chance alone gives the right response, from 0 to 1; None where that is not told.

    Of several choices one is taken, or any number of them where several are right together; parts that are to be put
    in order or matched are put anyhow.
    """
    kind = definition.get("interactionType")
    if kind == "true-false":
        return 0.5
    if kind == "choice":
        return _of_choices(_parts(definition, "choices"), definition.get("correctResponsesPattern"))
    if kind in ("sequencing", "matching"):
        parts = _parts(definition, "choices" if kind == "sequencing" else "source")
        return None if parts < 2 else 1.0 / factorial(min(parts, _MOST))
    return 0.0 if isinstance(kind, str) and kind in _TYPED else None


def _of_choices(choices: int, patterns: Any) -> float | None:
    if choices < 2 or not isinstance(patterns, list):
        return None
    right = [one for one in patterns if isinstance(one, str) and one]
    if not right or len(right) >= choices:
        return None
    if any("[,]" in one for one in right):
        return len(right) / (2.0 ** min(choices, _MOST) - 1.0)
    return len(right) / choices


def _parts(definition: Json, name: str) -> int:
    found = definition.get(name)
    return len(found) if isinstance(found, list) else 0
