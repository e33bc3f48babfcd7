"""How far a video was watched, as players tell it by the xAPI video profile (https://w3id.org/xapi/video).

A player tells of one video in many statements: played, paused, seeked, completed, terminated. Each is read as a piece
of one act, with the share of the video that had been played by then. A share says what was met, and never how right
anything was: nobody answers a video. A figure that cannot be one (80, -1, text) is not known.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from learner_profile.evidence.emitters import Emitter, emitter_of
from learner_profile.evidence.verbs import is_completed, word_of

Json = Mapping[str, Any]

_PROFILE: Final = "https://w3id.org/xapi/video"
_EXTENSIONS: Final = f"{_PROFILE}/extensions/"
_PROGRESS: Final = f"{_EXTENSIONS}progress"
_SEGMENTS: Final = f"{_EXTENSIONS}played-segments"
_LENGTH: Final = f"{_EXTENSIONS}length"
_THRESHOLD: Final = f"{_EXTENSIONS}completion-threshold"
_MOST_SEGMENTS: Final = 1000
_MOST: Final = 1e9
_VERBS: Final = frozenset(
    {"initialized", "initialised", "played", "play", "paused", "seeked", "interacted"}
    | {"completed", "complete", "terminated", "watched", "watch"}
)


def is_piece(statement: Json) -> bool:
    """Whether a player tells by it how a video is being watched: a verb of the profile, about a video."""
    if word_of(statement["verb"]["id"]) not in _VERBS:
        return False
    if word_of(statement["object"].get("definition", {}).get("type", "")) == "video":
        return True
    found = statement.get("context", {}).get("contextActivities", {}).get("category", [])
    categories = found if isinstance(found, list) else [found]
    return any(one["id"].rstrip("/") == _PROFILE for one in categories)


def watched_in(statement: Json) -> float:
    """The share of the video that had been played by then, from 0 to 1; 0 where that is not told.

    `progress`; else the played segments over the length; else all of it, where it is completed.
    """
    result: Json = statement.get("result", {})
    told: Json = result.get("extensions", {})
    progress = _number(told.get(_PROGRESS))
    if progress is not None and progress <= 1.0:
        return progress
    played, length = _played(told.get(_SEGMENTS)), _length(statement)
    if played is not None and length is not None:
        return min(1.0, played / length)
    return float(is_completed(statement["verb"]["id"]) or result.get("completion") is True)


def watching(statement: Json, watched: float) -> Json:
    """The statement's result as that of a piece of watching, without marks.

    It is done where the player says so or, saying nothing, tells a share that reaches its threshold. How long it took
    is known where it is over, but not from Open edX, which gives the video's own length as that.
    """
    result: Json = statement.get("result", {})
    completion = result.get("completion", True if watched >= _threshold(statement) else None)
    found = {} if completion is None else {"completion": completion}
    over = is_completed(statement["verb"]["id"]) and emitter_of(statement) is not Emitter.OPEN_EDX
    return found | ({"duration": result["duration"]} if over and "duration" in result else {})


def _threshold(statement: Json) -> float:
    told = _number(statement.get("context", {}).get("extensions", {}).get(_THRESHOLD))
    return told if told is not None and 0.0 < told <= 1.0 else 1.0


def _number(value: Any) -> float | None:
    """A number from 0 to that of seconds in 30 years."""
    told = isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value <= _MOST
    return float(value) if told else None


def _length(statement: Json) -> float | None:
    """In seconds; by the profile it stands in the context, and some put it into the activity's definition."""
    around: Json = statement.get("context", {}).get("extensions", {})
    own: Json = statement["object"].get("definition", {}).get("extensions", {})
    return _number(around.get(_LENGTH, own.get(_LENGTH))) or None


def _played(segments: Any) -> float | None:
    """Seconds played at least once: `0[.]120.5[,]100[.]240` → 240; None where the text says something else."""
    if not isinstance(segments, str):
        return None
    parts = segments.split("[,]", _MOST_SEGMENTS)
    if len(parts) > _MOST_SEGMENTS:
        return None
    try:
        found = sorted(_segments(parts))
    except ValueError:
        return None
    total, reached = 0.0, 0.0
    for start, end in found:
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _segments(parts: list[str]) -> Iterator[tuple[float, float]]:
    for part in parts:
        ends = [float(one) for one in part.split("[.]")]
        if len(ends) != 2 or not 0.0 <= ends[0] <= ends[1] <= _MOST:
            raise ValueError("not a segment")
        yield ends[0], ends[1]
