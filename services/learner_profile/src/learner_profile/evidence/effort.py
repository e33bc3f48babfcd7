"""How much it took: durations and hints, as emitters send them. `docs/guides/signals.md` lists who sends what.

Open edX (event-routing-backends) tells that a hint or the answer itself was shown by `asked`, about an activity of its
own whose id is the problem's with `/hint/N` or `/answer` behind it: read as one of the problem, with one hint more.
Players that count for themselves put the number into `result.extensions`, each under an IRI of its own; the last
part of the IRI decides, as it does for verbs.
"""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

from xapi import durations

from learner_profile.evidence.verbs import word_of

Json = Mapping[str, Any]

MOST_HINTS: Final = 100
_SHOWN: Final = {
    "https://w3id.org/xapi/acrossx/extensions/supplemental-info": re.compile(r"/hint/\d{1,6}$"),
    "http://id.tincanapi.com/activitytype/solution": re.compile(r"/answer$"),
}
_COUNTS: Final = frozenset({"hints", "hints-used", "hintsused", "hint-count", "hintcount", "hints-count"})


def helped_with(activity: Json) -> str | None:
    """The activity for which this one is a hint, or the answer; None: it is neither."""
    suffix = _SHOWN.get(activity.get("definition", {}).get("type", ""))
    activity_id: str = activity["id"]
    found = suffix.search(activity_id) if suffix is not None else None
    return None if found is None else activity_id[: found.start()]


def hints_in(result: Json) -> int | None:
    """How many hints an answer says that it needed; None where it says none of that."""
    extensions = result.get("extensions", {})
    found = next((value for name, value in extensions.items() if word_of(name) in _COUNTS), None)
    return found if type(found) is int and 0 <= found <= MOST_HINTS else None


def seconds_in(result: Json) -> float | None:
    """How long it took; None where that is not told, and where it is told by more digits than a number has. None at
    all is told by players that do not measure it.
    """
    found = durations.seconds(result["duration"]) if "duration" in result else 0.0
    return found if found and isfinite(found) else None
