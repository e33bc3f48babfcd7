"""What a statement tells beside its own matter: definitions of activities, names of agents.

Most statements tell nothing, and every one is asked: hence no walk over all its parts.
"""

from xapi.parsing import JsonObject


def definitions(part: JsonObject) -> list[tuple[str, JsonObject]]:
    """Activity id and definition, of the statement's activities that have one."""
    target = part["object"]
    found = definitions(target) if target.get("objectType") == "SubStatement" else []
    if target.get("definition"):
        found.append((target["id"], target["definition"]))
    if (context := part.get("context")) and (roles := context.get("contextActivities")):
        for activities in roles.values():
            for one in activities if isinstance(activities, list) else (activities,):
                if one.get("definition"):
                    found.append((one["id"], one["definition"]))
    return found


def named_agents(part: JsonObject) -> list[JsonObject]:
    """The statement's agents and groups that have a name; an authority is not what the sender says."""
    found: list[JsonObject] = []
    _add(part["actor"], found)
    target = part["object"]
    kind = target.get("objectType")
    if kind == "SubStatement":
        found += named_agents(target)
    elif kind in ("Agent", "Group"):
        _add(target, found)
    if context := part.get("context"):
        for role in ("instructor", "team"):
            if role in context:
                _add(context[role], found)
        for entry in context.get("contextAgents", ()):
            _add(entry["agent"], found)
        for entry in context.get("contextGroups", ()):
            _add(entry["group"], found)
    return found


def _add(agent: JsonObject, found: list[JsonObject]) -> None:
    if agent.get("name"):
        found.append(agent)
    if members := agent.get("member"):
        found.extend(member for member in members if member.get("name"))
