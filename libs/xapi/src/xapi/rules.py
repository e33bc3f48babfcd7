"""The rules that a shape can't say: those between two places of a statement, and of time stamps and durations.

Clauses are those of xAPI 1.0.3, part Data.
"""

from collections.abc import Iterator
from typing import Final

from . import durations, timestamps
from .errors import Problem
from .exact import JsonObject
from .models import VOIDED
from .versions import Version

_COMPONENTS_OF: Final[dict[str, tuple[str, ...]]] = {
    "choice": ("choices",),
    "sequencing": ("choices",),
    "likert": ("scale",),
    "matching": ("source", "target"),
    "performance": ("steps",),
}
_COMPONENT_LISTS: Final = ("choices", "scale", "source", "target", "steps")
_INTERACTION: Final = frozenset({"interactionType", "correctResponsesPattern", *_COMPONENT_LISTS})


def problems_of_statement(statement: JsonObject, version: Version) -> list[Problem]:
    """The rules that a statement of the right shape breaks."""
    problems: list[Problem] = []
    _part(statement, "", version, problems)
    if "authority" in statement:
        _authority(statement["authority"], problems)
    if "stored" in statement:
        _time(statement["stored"], "/stored", version, problems)
    if statement["verb"]["id"] == VOIDED and statement["object"].get("objectType") != "StatementRef":
        problems.append(Problem("/object/objectType", "a voiding statement has a StatementRef as object"))  # 2.3.2
    if "version" in statement and not version.is_2 and not statement["version"].startswith("1.0"):
        reason = "expected 1.0.x in a request of version 1.0.x, found another version"  # 2.4.10
        problems.append(Problem("/version", reason))
    return problems


def problems_of_agent(agent: JsonObject) -> list[Problem]:
    """The rules that an agent or group of the right shape breaks."""
    problems: list[Problem] = []
    _agent(agent, "", "", problems)
    return problems


def _part(part: JsonObject, path: str, version: Version, problems: list[Problem]) -> None:
    """What a statement and a SubStatement have in common."""
    _agent(part["actor"], path, "/actor", problems)
    target = part["object"]
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        if "definition" in target:
            _definition(target["definition"], f"{path}/object/definition", problems)
    elif kind == "SubStatement":
        _part(target, f"{path}/object", version, problems)
    elif kind != "StatementRef":
        _agent(target, path, "/object", problems)
    if "result" in part:
        _result(part["result"], path, problems)
    if "context" in part:
        _context(part["context"], f"{path}/context", version, kind, problems)
    if "timestamp" in part:
        _time(part["timestamp"], f"{path}/timestamp", version, problems)


def _agent(agent: JsonObject, path: str, name: str, problems: list[Problem]) -> None:
    """2.4.2.1: an Agent has one identifier; 2.4.2.2: a Group has one, or members."""
    count = ("mbox" in agent) + ("account" in agent) + ("mbox_sha1sum" in agent) + ("openid" in agent)
    if agent.get("objectType") != "Group":
        if count != 1:
            reason = f"an Agent has exactly one of mbox, mbox_sha1sum, openid and account; found {count}"
            problems.append(Problem(path + name, reason))
        return
    if count > 1:
        reason = f"a Group has at most one of mbox, mbox_sha1sum, openid and account; found {count}"
        problems.append(Problem(path + name, reason))
    elif count == 0 and not agent.get("member"):
        reason = "a Group without an identifier is anonymous and needs a non-empty member array"
        problems.append(Problem(path + name, reason))
    for index, member in enumerate(agent.get("member", ())):
        _agent(member, path, f"{name}/member/{index}", problems)


def _definition(definition: JsonObject, path: str, problems: list[Problem]) -> None:
    """2.4.4.1: interaction properties."""
    if _INTERACTION.isdisjoint(definition):
        return
    kind = definition.get("interactionType")
    if kind is None and "correctResponsesPattern" in definition:
        problems.append(Problem(path, "correctResponsesPattern needs an interactionType beside it"))
    for name in _COMPONENT_LISTS:
        if name not in definition:
            continue
        if name not in _COMPONENTS_OF.get(kind or "", ()):
            reason = f"{name} does not belong to {'this interactionType' if kind else 'no interactionType'}"
            problems.append(Problem(f"{path}/{name}", reason))
        components = definition[name]
        if len({component["id"] for component in components}) != len(components):
            reason = "the ids within a list of interaction components are distinct; found one twice"
            problems.append(Problem(f"{path}/{name}", reason))


def _result(result: JsonObject, path: str, problems: list[Problem]) -> None:
    if "duration" in result:
        try:
            durations.check(result["duration"])
        except ValueError as error:
            problems.append(Problem(f"{path}/result/duration", str(error)))
    if "score" in result:
        problems += (Problem(f"{path}/result/score", reason) for reason in _about_score(result["score"]))


def _about_score(score: JsonObject) -> Iterator[str]:
    """2.4.5.1."""
    raw, low, high = score.get("raw"), score.get("min"), score.get("max")
    if low is not None and high is not None and low >= high:
        yield "min is less than max"
    if raw is not None and ((low is not None and raw < low) or (high is not None and raw > high)):
        yield "raw lies between min and max"


def _context(context: JsonObject, path: str, version: Version, kind: str, problems: list[Problem]) -> None:
    if "contextActivities" in context:
        _context_activities(context["contextActivities"], f"{path}/contextActivities", problems)
    for name in ("instructor", "team"):
        if name in context:
            _agent(context[name], path, f"/{name}", problems)
    if kind != "Activity":  # 2.4.6
        problems += (
            Problem(f"{path}/{name}", f"{name} is used only where the object is an Activity")
            for name in ("revision", "platform")
            if name in context
        )
    if "contextAgents" in context or "contextGroups" in context:
        _context_agents(context, path, version, problems)


def _context_activities(roles: JsonObject, path: str, problems: list[Problem]) -> None:
    for role, found in roles.items():
        if isinstance(found, dict):
            if "definition" in found:
                _definition(found["definition"], f"{path}/{role}/definition", problems)
            continue
        for index, activity in enumerate(found):
            if "definition" in activity:
                _definition(activity["definition"], f"{path}/{role}/{index}/definition", problems)


def _context_agents(context: JsonObject, path: str, version: Version, problems: list[Problem]) -> None:
    for name, inner in (("contextAgents", "agent"), ("contextGroups", "group")):
        if name in context and not version.is_2:
            problems.append(Problem(f"{path}/{name}", f"{name} belongs to xAPI 2.0, found in 1.0.x"))
        for index, entry in enumerate(context.get(name, ())):
            _agent(entry[inner], path, f"/{name}/{index}/{inner}", problems)


def _authority(authority: JsonObject, problems: list[Problem]) -> None:
    """A Group as authority is that of three-legged OAuth: anonymous, of exactly two Agents (2.4.9)."""
    _agent(authority, "", "/authority", problems)
    if authority.get("objectType") != "Group":
        return
    if any(name in authority for name in ("mbox", "mbox_sha1sum", "openid", "account")):
        reason = "expected an Agent or an anonymous Group of two Agents, found an identified Group"
        problems.append(Problem("/authority", reason))
    elif (count := len(authority.get("member", ()))) != 2:
        problems.append(Problem("/authority/member", f"expected exactly two Agents, found {count}"))


def _time(text: str, path: str, version: Version, problems: list[Problem]) -> None:
    try:
        timestamps.check(text, rfc3339=version.is_2)
    except ValueError as error:
        problems.append(Problem(path, str(error)))
