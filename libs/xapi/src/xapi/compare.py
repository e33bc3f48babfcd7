"""Are two statements the same (1.0.3 Data 2.3.1, Statement Comparison Requirements)?

Differences that an exception to immutability could have caused are ignored, all others are real:

| what | how it is compared | clause |
| --- | --- | --- |
| id, timestamp | ignored where one lacks it; else ids without case, times as points in time | 2.3.1 items 1, 4, 7 |
| stored, authority, version | ignored: the LRS sets them | 2.3.1 item 1, 2.4.8 to 2.4.10 |
| definitions of activities, display of verbs | ignored | 2.3.1 items 2, 3 |
| members of a group | in any order | 2.3.1 item 5 |
| the scheme and domain of an mbox, hexadecimal digits, UUIDs, language tags | without case | 2.3.1 item 7 |
| one activity or an array of one in contextActivities | the same; the order of an array counts | 2.4.6.2 |
| objectType Agent or Activity | the same as none: it is the default | 2.4.2.1, 2.4.4.1 |
| duration | as text (PT60S is not PT1M), but without what is finer than 0.01 s | 2.3.1, 4.6; 2.0 |
| numbers | by exact value (1 is 1.0 and 1.10 is 1.1, whatever the digits), and true is not 1 | RFC 8259 6 |
| names of agents, attachments' descriptions, extensions and all else | exactly | 2.3.1: no exception |

`version` is ignored since the same statement may come in requests of several patch versions (2.4.10, Note).
"""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import orjson

from . import durations, timestamps
from .exact import Number, pointer
from .identifiers import canonical_mbox
from .parsing import JsonObject

_SET_BY_LRS: Final = frozenset({"stored", "authority", "version"})


def equal(a: JsonObject, b: JsonObject) -> bool:
    """Whether b may be answered as a repetition of a (200/204) rather than as a conflict (409). Both are valid."""
    return difference(a, b) is None


def difference(a: JsonObject, b: JsonObject) -> str | None:
    """The JSON pointer of the first real difference (for the 409's problem document), or None.

    Within a group the index is that of the members in a fixed order of their content, not of the body.
    """
    optional = {name for name in ("id", "timestamp") if not (name in a and name in b)} | _SET_BY_LRS
    return _first(_statement(a, optional), _statement(b, optional), "")


def _first(a: Any, b: Any, path: str) -> str | None:
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            place = path + pointer(key)
            if key not in a or key not in b:
                return place
            if (found := _first(a[key], b[key], place)) is not None:
                return found
        return None
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return path
        pairs = enumerate(zip(a, b, strict=True))
        return next((found for i, (x, y) in pairs if (found := _first(x, y, f"{path}/{i}")) is not None), None)
    if isinstance(a, Number) or isinstance(b, Number):
        return None if _exactly(a) == _exactly(b) else path
    return None if a == b and isinstance(a, bool) == isinstance(b, bool) else path


def _exactly(value: Any) -> Any:
    """A number with all its digits; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    try:
        return Decimal(str(value))
    except InvalidOperation:  # an exponent beyond 10^18
        return str(value)


def _statement(part: JsonObject, left_out: set[str] | frozenset[str]) -> JsonObject:
    result = {key: value for key, value in part.items() if key not in left_out}
    result["actor"] = _agent(part["actor"])
    result["verb"] = {"id": part["verb"]["id"]}
    result["object"] = _object(part["object"])
    if "id" in result:
        result["id"] = result["id"].lower()
    if "timestamp" in result:
        result["timestamp"] = timestamps.parse(result["timestamp"])
    if "result" in part and "duration" in part["result"]:
        result["result"] = {**part["result"], "duration": durations.comparable(part["result"]["duration"])}
    if "context" in part:
        result["context"] = _context(part["context"])
    if "attachments" in part:
        result["attachments"] = [{**one, "sha2": one["sha2"].lower()} for one in part["attachments"]]
    return result


def _object(value: JsonObject) -> JsonObject:
    kind = value.get("objectType", "Activity")
    if kind == "SubStatement":
        return _statement(value, frozenset())
    if kind in ("Agent", "Group"):
        return _agent(value)
    return _reference(value) if kind == "StatementRef" else _activity(value)


def _activity(value: JsonObject) -> JsonObject:
    return {"objectType": "Activity", "id": value["id"]}


def _reference(value: JsonObject) -> JsonObject:
    return {**value, "id": value["id"].lower()}


def _agent(value: JsonObject) -> JsonObject:
    result = {"objectType": "Agent", **value}
    if "mbox" in value:
        result["mbox"] = canonical_mbox(value["mbox"])
    if "mbox_sha1sum" in value:
        result["mbox_sha1sum"] = value["mbox_sha1sum"].lower()
    if "member" in value:
        members = [_agent(member) for member in value["member"]]
        result["member"] = sorted(members, key=lambda one: orjson.dumps(one, option=orjson.OPT_SORT_KEYS))
    return result


def _context(value: JsonObject) -> JsonObject:
    result = dict(value)
    for name, normal in _CONTEXT.items():
        if name in value:
            result[name] = normal(value[name])
    return result


def _activities(value: JsonObject) -> JsonObject:
    return {
        role: [_activity(one) for one in (found if isinstance(found, list) else [found])]
        for role, found in value.items()
    }


_CONTEXT: Final[dict[str, Callable[[Any], Any]]] = {
    "registration": str.lower,
    "language": str.lower,
    "instructor": _agent,
    "team": _agent,
    "statement": _reference,
    "contextActivities": _activities,
    "contextAgents": lambda entries: [{**one, "agent": _agent(one["agent"])} for one in entries],
    "contextGroups": lambda entries: [{**one, "group": _agent(one["group"])} for one in entries],
}
