"""`format=` of GET /statements: exact, ids, canonical (1.0.3 Communication 2.1.3)."""

import re
from typing import Any, Final

from .filters import Format
from .parsing import JsonObject

_IDENTIFIERS: Final = ("mbox", "mbox_sha1sum", "openid", "account")
_RANGE: Final = re.compile(r"\s*([A-Za-z0-9*-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*\Z")


def render(statement: JsonObject, form: Format, accept_language: str | None = None) -> JsonObject:
    """The stored statement in the form asked for; `exact` gives back the same object, the others a new one.

    `canonical` keeps of each language map the one entry that suits the Accept-Language header best. Definitions are
    those of the statement itself: a library without I/O knows no other.
    """
    if form == "exact":
        return statement
    if form == "ids":
        return _ids(statement)
    ranges = _ranges(accept_language)
    return {key: _canonical_property(key, value, ranges) for key, value in statement.items()}


def _ids(part: JsonObject) -> JsonObject:
    result = {**part, "actor": _agent_ids(part["actor"]), "verb": {"id": part["verb"]["id"]}}
    result["object"] = _object_ids(part["object"])
    if "authority" in part:
        result["authority"] = _agent_ids(part["authority"])
    if "context" in part:
        result["context"] = _context_ids(part["context"])
    return result


def _object_ids(value: JsonObject) -> JsonObject:
    kind = value.get("objectType", "Activity")
    if kind == "SubStatement":
        return _ids(value)
    if kind in ("Agent", "Group"):
        return _agent_ids(value)
    return value if kind == "StatementRef" else _activity_ids(value)


def _agent_ids(agent: JsonObject) -> JsonObject:
    """Type and identifier; of an anonymous Group its members so."""
    result: JsonObject = {key: agent[key] for key in ("objectType", *_IDENTIFIERS) if key in agent}
    if "member" in agent and not any(key in agent for key in _IDENTIFIERS):
        result["member"] = [_agent_ids(member) for member in agent["member"]]
    return result


def _activity_ids(activity: JsonObject) -> JsonObject:
    """`objectType` may be left out of an Activity (1.0.3 Data 2.4.4.1), and so is more than the minimum."""
    return {"id": activity["id"]}


def _context_ids(context: JsonObject) -> JsonObject:
    result = dict(context)
    for name in ("instructor", "team"):
        if name in context:
            result[name] = _agent_ids(context[name])
    for name, inner in (("contextAgents", "agent"), ("contextGroups", "group")):
        if name in context:
            result[name] = [{**entry, inner: _agent_ids(entry[inner])} for entry in context[name]]
    if "contextActivities" in context:
        result["contextActivities"] = {
            role: [_activity_ids(one) for one in (found if isinstance(found, list) else [found])]
            for role, found in context["contextActivities"].items()
        }
    return result


def _ranges(header: str | None) -> list[tuple[str, float]]:
    """Accept-Language as ranges with their weights, heaviest first (RFC 9110 12.5.4); what is malformed is left out."""
    found = [_RANGE.match(item) for item in (header or "").split(",")]
    ranges = [(match[1].lower(), float(match[2] or 1)) for match in found if match is not None]
    return sorted(ranges, key=lambda one: -one[1])


def _one_language(texts: JsonObject, ranges: list[tuple[str, float]]) -> JsonObject:
    """The entry that suits the heaviest range, else one of its language, else the first that is not unwanted."""
    wanted = [tag for tag, weight in ranges if weight > 0 and tag != "*"]
    unwanted = [tag for tag, weight in ranges if weight == 0 and tag not in wanted]
    keys = [key for key in texts if not any(_is_within(key.lower(), tag) for tag in unwanted)] or list(texts)
    for farthest in (_FAR - 1, _FAR):
        for tag in wanted:
            nearest = min((_distance(key.lower(), tag) for key in keys), default=_FAR + 1)
            if nearest <= farthest:
                return next({key: texts[key]} for key in keys if _distance(key.lower(), tag) == nearest)
    return {key: texts[key] for key in keys[:1]}


_FAR: Final = 100


def _distance(tag: str, wanted: str) -> int:
    """The same, a narrower one (RFC 4647 3.3.1), one of those it is cut down to (3.4), another of the same language."""
    if tag == wanted:
        return 0
    if _is_within(tag, wanted):
        return 1
    if _is_within(wanted, tag):
        return min(1 + wanted.count("-") - tag.count("-"), _FAR - 1)
    return _FAR if tag.split("-")[0] == wanted.split("-")[0] else _FAR + 1


def _is_within(tag: str, wanted: str) -> bool:
    return tag == wanted or tag.startswith(f"{wanted}-")


def _canonical(value: Any, ranges: list[tuple[str, float]]) -> Any:
    """Language maps stand in verbs, definitions and their components; agents and extensions are left alone."""
    if isinstance(value, list):
        return [_canonical(one, ranges) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: _canonical_property(key, one, ranges) for key, one in value.items()}


_LEFT_ALONE: Final = frozenset({"extensions", "actor", "authority", "instructor", "team", "attachments", "result"})


def _canonical_property(key: str, value: Any, ranges: list[tuple[str, float]]) -> Any:
    if key in _LEFT_ALONE:
        return value
    if key in ("display", "name", "description") and isinstance(value, dict):
        return _one_language(value, ranges)
    return _canonical(value, ranges)
