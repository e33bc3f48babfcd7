"""Which records a retention rule means: the same answer in every service. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from events.payloads import Selection

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rule asks of a record. `activities`: the object and all activities of the context."""

    verb: str
    activity_type: str | None = None
    tags: frozenset[str] = frozenset()
    activities: frozenset[str] = frozenset()


def facts_of(statement: Json) -> Facts:
    """Of a valid statement, as it says by itself; a type that another statement has given to the activity is none."""
    target: Json = statement["object"]
    is_activity = str(target.get("objectType", "Activity")).endswith("Activity")
    around = {target["id"]} if is_activity else set[str]()
    tags: list[str] = []
    for role, found in statement.get("context", {}).get("contextActivities", {}).items():
        ids = [one["id"] for one in (found if isinstance(found, list) else (found,))]
        around.update(ids)
        if role == "category":
            tags = ids
    return Facts(
        statement["verb"]["id"],
        target.get("definition", {}).get("type") if is_activity else None,
        frozenset(tags),
        frozenset(around),
    )


def matches(selection: Selection, facts: Facts) -> bool:
    """Whether a record is one of those meant, whatever its age."""
    return (
        (not selection.verbs or facts.verb in selection.verbs)
        and (not selection.activity_types or facts.activity_type in selection.activity_types)
        and (not selection.tags or not facts.tags.isdisjoint(selection.tags))
        and (not selection.activities or not facts.activities.isdisjoint(selection.activities))
    )


def is_whole(selection: Selection) -> bool:
    """Whether age alone decides, so that it takes what has no verb and no activity as well."""
    return not (selection.verbs or selection.activity_types or selection.tags or selection.activities)


def before(selection: Selection) -> datetime | None:
    """Before when what is taken was stored; of a learner of whom nothing came since, everything was."""
    times = [one for one in (selection.stored_before, selection.inactive_since) if one is not None]
    return min(times, default=None)


def is_outlived(selection: Selection, newest: datetime | None) -> bool:
    """Whether a copy of what was made of many records goes: all of them are as old as the rule wants.

    A rule that asks for verbs or activities means none; nor does one mean a copy of which nobody knows how old it is.
    """
    until = before(selection)
    return newest is not None and until is not None and newest < until and is_whole(selection)
