"""What the LRS adds to a statement it accepts (1.0.3 Data 2.4)."""

from typing import Any

from . import timestamps
from .parsing import JsonObject
from .versions import Version


def complete(raw: JsonObject, *, statement_id: str, stored: str, authority: JsonObject, version: Version) -> JsonObject:
    """The statement as the LRS keeps it and gives it back: a new object, `raw` is untouched. `stored` is RFC 3339.

    - `id` is `statement_id`; `stored` and `authority` are the LRS's (Data 2.4.8, 2.4.9: whatever was sent is replaced);
    - `timestamp` is `stored` where it lacks (2.4.7), in 2.0 in UTC where it was sent otherwise;
    - `version` is 1.0.0 (2.4.10) or 2.0.0 where it lacks, else what was sent;
    - contextActivities become arrays, in a SubStatement too (2.4.6.2).
    """
    result = _normal(raw, version)
    result["id"] = statement_id
    result.setdefault("timestamp", stored)
    result["stored"] = stored
    result["authority"] = authority
    result.setdefault("version", "2.0.0" if version.is_2 else "1.0.0")
    return result


def _normal(part: JsonObject, version: Version) -> JsonObject:
    result = dict(part)
    if version.is_2 and "timestamp" in part:
        result["timestamp"] = _in_utc(part["timestamp"])
    if part["object"].get("objectType") == "SubStatement":
        result["object"] = _normal(part["object"], version)
    context = part.get("context")
    if context is not None and "contextActivities" in context:
        arrays = {key: _as_list(value) for key, value in context["contextActivities"].items()}
        result["context"] = {**context, "contextActivities": arrays}
    return result


def _in_utc(text: str) -> str:
    return text if text.endswith("Z") else timestamps.render(timestamps.parse(text))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
