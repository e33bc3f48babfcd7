"""Who and what a statement names."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from .parsing import JsonObject


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


def canonical_ifi(agent: JsonObject) -> str | None:
    """The inverse functional identifier as one unambiguous string; None for an anonymous group."""
    raise NotImplementedError


def agents_of(statement: JsonObject) -> Iterator[AgentUse]:
    """Every agent and group in order of appearance, a group before its members."""
    raise NotImplementedError


def activities_of(statement: JsonObject) -> Iterator[ActivityUse]:
    """Every activity: the object, contextActivities, and those of a SubStatement."""
    raise NotImplementedError


def learners_of(statement: JsonObject) -> list[str]:
    """Canonical identifiers of whoever the statement is about, without repetition: under whose key it goes to Kafka.

    The actor if it is an Agent; for a Group each identified member, and where none is identified the group itself if
    that is identified; else (anonymous group of nobody) empty, which a valid statement cannot be.
    """
    raise NotImplementedError


def filter_agents(statement: JsonObject, *, related: bool) -> set[str]:
    """Identifiers by which `agent=` (and with related_agents=true) finds the statement (1.0.3 Communication 2.1.3)."""
    raise NotImplementedError


def filter_activities(statement: JsonObject, *, related: bool) -> set[str]:
    """Activity ids by which `activity=` (and with related_activities=true) finds the statement."""
    raise NotImplementedError
