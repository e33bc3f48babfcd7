"""Who sent a statement, as far as that decides how its marks are read; and the reading of marks.

The emitter is recognised from the statement itself: the way it came in (live, imported, forwarded, replayed) then
changes nothing about what it says. `docs/guides/evidence.md` lists the rules.
"""

from collections.abc import Mapping
from enum import StrEnum
from math import isinf
from typing import Any, Final

Json = Mapping[str, Any]

_MOODLE_INFO: Final = "http://lrs.learninglocker.net/define/extensions/info"
_MOODLE_PLUGIN: Final = "moodle-logstore_xapi"
_OPEN_EDX_EXTENSION: Final = "https://w3id.org/xapi/openedx/extension"


class Emitter(StrEnum):
    """Emitters whose marks need a rule, and all others."""

    MOODLE = "moodle"
    OPEN_EDX = "open_edx"
    OTHER = "other"


def emitter_of(statement: Json) -> Emitter:
    """The emitter by what it alone puts into the context: the plugin's address, its platform, its extensions."""
    context: Json = statement.get("context", {})
    extensions: Json = context.get("extensions", {})
    if any(name.startswith(_OPEN_EDX_EXTENSION) for name in extensions):
        return Emitter.OPEN_EDX
    info = extensions.get(_MOODLE_INFO, {})
    if isinstance(info, dict) and any(_MOODLE_PLUGIN in name for name in info):
        return Emitter.MOODLE
    return Emitter.MOODLE if context.get("platform") == "Moodle" else Emitter.OTHER


def share_of(score: Json, emitter: Emitter) -> float | None:
    """The score from 0 to 1; None where it says nothing.

    `raw` within `min` and `max` decides, since all emitters mean the same by it. `scaled` is read where one of the
    three is missing or they contradict each other: Moodle's logstore_xapi maps marks to -1..1 (half of them: 0.0),
    everyone else to 0..1, where less than nothing counts as nothing. With `min` and `max` alike there was nothing to
    reach, whatever `scaled` says.
    """
    raw, low, high, scaled = (_number(score.get(name)) for name in ("raw", "min", "max", "scaled"))
    if low is not None and low == high:
        return None
    if raw is not None and low is not None and high is not None and low <= raw <= high:
        return _share(raw, low, high)
    if scaled is None:
        return None
    return _within((scaled + 1.0) / 2.0 if emitter is Emitter.MOODLE else scaled)


def success_says_nothing(score: Json, emitter: Emitter) -> bool:
    """Of marks out of nothing Moodle says success to everyone: it compares them with a pass mark that is 0 where none
    is set.
    """
    return emitter is Emitter.MOODLE and score.get("min") is not None and score["min"] == score.get("max")


def _share(raw: float, low: float, high: float) -> float:
    if isinf(high - low):  # of halves it is not, and the share is the same
        raw, low, high = raw / 2.0, low / 2.0, high / 2.0
    return (raw - low) / (high - low)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _within(share: float) -> float:
    return min(1.0, max(0.0, share))
