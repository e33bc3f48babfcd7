"""Who and what a statement names."""

from collections.abc import Iterator
from enum import StrEnum
from hashlib import sha256
from typing import Final, NamedTuple

from .exact import JsonObject

ACTIVITY_TYPES: Final = frozenset({"Activity", "GroupActivity"})
"""The second is Open edX's own word, taken from such emitters alone (see `leniency`)."""


class AgentRole(StrEnum):
    """Where an agent or group stands. Members of a group have its role, with `member` true."""

    ACTOR = "actor"
    OBJECT = "object"
    INSTRUCTOR = "instructor"
    TEAM = "team"
    CONTEXT_AGENT = "context_agent"
    CONTEXT_GROUP = "context_group"
    AUTHORITY = "authority"


class ActivityRole(StrEnum):
    """Where an activity stands."""

    OBJECT = "object"
    PARENT = "parent"
    GROUPING = "grouping"
    CATEGORY = "category"
    OTHER = "other"


class AgentUse(NamedTuple):
    """An agent or group (anonymous ones too) at its place. `ifi` is None for an anonymous group."""

    agent: JsonObject
    ifi: str | None
    role: AgentRole
    member: bool
    in_substatement: bool
    path: str


class ActivityUse(NamedTuple):
    """An activity at its place."""

    activity: JsonObject
    role: ActivityRole
    in_substatement: bool
    path: str


def canonical_mbox(mbox: str) -> str:
    """Scheme and domain in lower case; the part before @ as it is.

    The domain of an address is case insensitive (1.0.3 Data 2.3.1; RFC 5321 2.3.11), and so is a scheme (RFC 3986 3.1);
    what stands before @ is the receiving system's own and may not be folded (RFC 5321 2.4).
    """
    local, _, domain = mbox[len("mailto:") :].rpartition("@")
    return f"mailto:{local}@{domain.lower()}"


def canonical_ifi(agent: JsonObject) -> str | None:
    """The inverse functional identifier as one unambiguous string; None for an anonymous group.

    `mbox:mailto:…`, `mbox_sha1sum:<lower-case hex>`, `openid:<URI as it is>` or `account:<homePage>|<name>`: an IRI
    has no "|", so the first one ends the home page. An mbox and its own SHA-1 stay two identifiers (Data 2.4.2.3: equal
    are those of the same kind).
    """
    if (mbox := agent.get("mbox")) is not None:
        return f"mbox:{canonical_mbox(mbox)}"
    if (account := agent.get("account")) is not None:
        return f"account:{account['homePage']}|{account['name']}"
    if (digest := agent.get("mbox_sha1sum")) is not None:
        return f"mbox_sha1sum:{digest.lower()}"
    if (openid := agent.get("openid")) is not None:
        return f"openid:{openid}"
    return None


def provider_digest(provider: str) -> str:
    """Of a home page or a mail domain, so that lists can be compared with it and it cannot be read: 64 bits of SHA-256.
    A slash at the end, and capitals, make no difference.
    """
    return sha256(provider.rstrip("/").lower().encode()).hexdigest()[:16]


def provider_of(ifi: str) -> str | None:
    """Where a canonical identifier is from: an account's home page, or the domain of an address; None for others."""
    kind, _, rest = ifi.partition(":")
    if kind == "account":
        return rest.partition("|")[0] or None
    return rest.rpartition("@")[2] or None if kind == "mbox" else None


def agents_of(statement: JsonObject) -> Iterator[AgentUse]:
    """Every agent and group in the order actor, object (a SubStatement's own in the same order), context, authority.

    A group comes before its members. The order does not depend on that of the JSON's properties.
    """
    yield from _agents_of(statement, "", in_substatement=False)


def _agents_of(part: JsonObject, path: str, *, in_substatement: bool) -> Iterator[AgentUse]:
    target = part["object"]
    kind = target.get("objectType")
    yield from _group(part["actor"], AgentRole.ACTOR, f"{path}/actor", in_substatement)
    if kind == "SubStatement":
        yield from _agents_of(target, f"{path}/object", in_substatement=True)
    elif kind in ("Agent", "Group"):
        yield from _group(target, AgentRole.OBJECT, f"{path}/object", in_substatement)
    for agent, role, place in _in_context(part.get("context") or {}, f"{path}/context"):
        yield from _group(agent, role, place, in_substatement)
    if (authority := part.get("authority")) is not None:
        yield from _group(authority, AgentRole.AUTHORITY, f"{path}/authority", in_substatement)


def _in_context(context: JsonObject, path: str) -> Iterator[tuple[JsonObject, AgentRole, str]]:
    if (instructor := context.get("instructor")) is not None:
        yield instructor, AgentRole.INSTRUCTOR, f"{path}/instructor"
    if (team := context.get("team")) is not None:
        yield team, AgentRole.TEAM, f"{path}/team"
    for index, entry in enumerate(context.get("contextAgents", ())):
        yield entry["agent"], AgentRole.CONTEXT_AGENT, f"{path}/contextAgents/{index}/agent"
    for index, entry in enumerate(context.get("contextGroups", ())):
        yield entry["group"], AgentRole.CONTEXT_GROUP, f"{path}/contextGroups/{index}/group"


def _group(agent: JsonObject, role: AgentRole, path: str, in_substatement: bool) -> Iterator[AgentUse]:
    yield AgentUse(agent, canonical_ifi(agent), role, False, in_substatement, path)
    for index, member in enumerate(agent.get("member", ())):
        yield AgentUse(member, canonical_ifi(member), role, True, in_substatement, f"{path}/member/{index}")


def activities_of(statement: JsonObject) -> Iterator[ActivityUse]:
    """Every activity: the object, contextActivities, and those of a SubStatement."""
    yield from _activities_of(statement, "", in_substatement=False)


def _activities_of(part: JsonObject, path: str, *, in_substatement: bool) -> Iterator[ActivityUse]:
    target = part["object"]
    kind = target.get("objectType", "Activity")
    if kind in ACTIVITY_TYPES:
        yield ActivityUse(target, ActivityRole.OBJECT, in_substatement, f"{path}/object")
    elif kind == "SubStatement":
        yield from _activities_of(target, f"{path}/object", in_substatement=True)
    groups = (part.get("context") or {}).get("contextActivities") or {}
    for role in (ActivityRole.PARENT, ActivityRole.GROUPING, ActivityRole.CATEGORY, ActivityRole.OTHER):
        place = f"{path}/context/contextActivities/{role}"
        value = groups.get(role.value, ())
        if isinstance(value, dict):
            yield ActivityUse(value, role, in_substatement, place)
            continue
        for index, activity in enumerate(value):
            yield ActivityUse(activity, role, in_substatement, f"{place}/{index}")


def learners_of(statement: JsonObject) -> list[str]:
    """Canonical identifiers of whoever the statement is about, without repetition: under whose keys it goes to Kafka.

    The actor if it is an Agent; for a Group each identified member, and for an identified Group that lists no member
    the group itself. Never empty for a valid statement.
    """
    actor = statement["actor"]
    members = [ifi for member in actor.get("member", ()) if (ifi := canonical_ifi(member)) is not None]
    if members:
        return list(dict.fromkeys(members))
    ifi = canonical_ifi(actor)
    return [] if ifi is None else [ifi]


_NARROW = frozenset({AgentRole.ACTOR, AgentRole.OBJECT})


def filter_agents(statement: JsonObject, *, related: bool) -> set[str]:
    """Identifiers by which `agent=` (and with related_agents=true) finds the statement (Communication 2.1.3).

    Narrow: actor and object, members of groups among them included. Broad: every agent and group, the authority, the
    2.0 contextAgents and contextGroups, and those of a SubStatement.
    """
    return {
        use.ifi
        for use in agents_of(statement)
        if use.ifi is not None and (related or (use.role in _NARROW and not use.in_substatement))
    }


def filter_activities(statement: JsonObject, *, related: bool) -> set[str]:
    """Activity ids by which `activity=` (and with related_activities=true) finds the statement."""
    return {
        use.activity["id"]
        for use in activities_of(statement)
        if related or (use.role is ActivityRole.OBJECT and not use.in_substatement)
    }
