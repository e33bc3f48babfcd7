"""A statement of others in which someone forgotten was named: the forgotten reads as a pseudonymous account."""

from collections.abc import Callable
from typing import Any, Final

from xapi import canonical_ifi
from xapi.parsing import JsonObject

FORGOTTEN_HOME_PAGE: Final = "https://trellis.invalid/forgotten"
_AGENTS: Final = frozenset({"actor", "object", "instructor", "team", "agent", "group", "authority"})


def without(statement: JsonObject, is_forgotten: Callable[[str], bool], name: str) -> JsonObject:
    """A new statement; every agent or group with a forgotten identifier became the account `name`, without a name."""
    return _part(statement, is_forgotten, name)


def _part(part: JsonObject, is_forgotten: Callable[[str], bool], name: str) -> JsonObject:
    result: JsonObject = {}
    for key, value in part.items():
        if key in _AGENTS and isinstance(value, dict):
            result[key] = _target(value, is_forgotten, name)
        elif key == "context":
            result[key] = _part(value, is_forgotten, name)
        elif key in ("contextAgents", "contextGroups"):
            result[key] = [_part(entry, is_forgotten, name) for entry in value]
        else:
            result[key] = value
    return result


def _target(value: JsonObject, is_forgotten: Callable[[str], bool], name: str) -> JsonObject:
    kind = value.get("objectType", "Agent")
    if kind == "SubStatement":
        return _part(value, is_forgotten, name)
    if kind in ("Activity", "StatementRef") or "id" in value:
        return value
    return _agent(value, is_forgotten, name)


def _agent(agent: JsonObject, is_forgotten: Callable[[str], bool], name: str) -> JsonObject:
    result: dict[str, Any] = dict(agent)
    ifi = canonical_ifi(agent)
    if ifi is not None and is_forgotten(ifi):
        result = {key: agent[key] for key in ("objectType", "member") if key in agent}
        result["account"] = {"homePage": FORGOTTEN_HOME_PAGE, "name": name}
    if "member" in result:
        result["member"] = [_agent(member, is_forgotten, name) for member in result["member"]]
    return result
