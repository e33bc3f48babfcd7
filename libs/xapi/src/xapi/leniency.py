"""What known emitters send beyond the standard, taken by name: kept as it was sent, and read as it is meant.

Each allowance changes a copy of the statement into what the standard knows; the copy is what is checked, the original
is what is kept. Where no allowance is given, or none is needed, nothing is changed.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from .compare import equal
from .errors import Problem, StatementInvalid
from .parsing import JsonObject, Parsed, loads, parse_statement
from .versions import Version


class Allowance(StrEnum):
    """One thing that is taken beyond the standard."""

    group_activity = "group-activity"
    """`objectType: "GroupActivity"`, read as Activity (Open edX, problems with several questions)."""

    interaction_type = "interaction-type"
    """The interactionTypes `compound` (read as other) and `long-choice` (read as choice) of H5P."""

    flat_score = "flat-score"
    """A score whose min and max are the same, of something that gives no points: read without both."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A checked statement at its place in the body, and what was taken beyond the standard."""

    index: int
    parsed: Parsed
    allowances: frozenset[Allowance] = frozenset()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A JSON value that is no valid statement, at its place in the body; the problems' paths begin at the statement."""

    index: int
    value: Any
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A body, statement by statement. `twins` says which statement a repeated one (same id, same content) repeats."""

    is_array: bool
    accepted: Sequence[Accepted]
    rejected: Sequence[Rejected]
    twins: Mapping[int, int]


def judge_statements(
    body: bytes, version: Version = Version.V2_0_0, allowances: Collection[Allowance] = ()
) -> Judgement:
    """Each statement of a body by itself: one, or a non-empty array.

    Raises StatementInvalid where the body cannot be told apart into statements. Of statements with one id the first is
    accepted; a later one is its twin where it is equal, and rejected where it differs.
    """
    value = loads(body)
    if not isinstance(value, list):
        return _judged([value], version, allowances, is_array=False)
    if not value:
        raise StatementInvalid((Problem("", "expected at least one statement, found an empty array"),))
    return _judged(value, version, allowances, is_array=True)


def judge_statement(
    raw: JsonObject, version: Version = Version.V2_0_0, allowances: Collection[Allowance] = ()
) -> Accepted:
    """One statement. Raises StatementInvalid."""
    meant, used = _as_meant(raw, allowances) if allowances else (raw, frozenset[Allowance]())
    parsed = parse_statement(meant, version)
    return Accepted(0, replace(parsed, raw=raw) if used else parsed, used)


def _judged(values: Sequence[Any], version: Version, allowances: Collection[Allowance], *, is_array: bool) -> Judgement:
    accepted: list[Accepted] = []
    rejected: list[Rejected] = []
    twins: dict[int, int] = {}
    first: dict[str, Accepted] = {}
    for index, value in enumerate(values):
        try:
            one = replace(judge_statement(value, version, allowances), index=index)
        except StatementInvalid as invalid:
            rejected.append(Rejected(index, value, invalid.errors))
            continue
        before = one if one.parsed.id is None else first.setdefault(one.parsed.id, one)
        if before is one:
            accepted.append(one)
        elif equal(before.parsed.raw, one.parsed.raw):
            twins[index] = before.index
        else:
            rejected.append(Rejected(index, value, (Problem("/id", repeated_id(before.index)),)))
    return Judgement(is_array, accepted, rejected, twins)


def repeated_id(first: int) -> str:
    """What is wrong with the second statement of one id in a batch."""
    return f"expected distinct ids in a batch, found that of statement {first} again"


def _as_meant(raw: Any, allowances: Collection[Allowance]) -> tuple[Any, frozenset[Allowance]]:
    """The statement as the standard would say it, and what had to be allowed for that. The original stays as it is."""
    if not isinstance(raw, dict):
        return raw, frozenset()
    used: set[Allowance] = set()
    return _part(raw, frozenset(allowances), used), frozenset(used)


def _part(part: JsonObject, allowances: frozenset[Allowance], used: set[Allowance]) -> JsonObject:
    result = dict(part)
    target = part.get("object")
    if isinstance(target, dict):
        is_part = target.get("objectType") == "SubStatement"
        result["object"] = (_part if is_part else _activity)(target, allowances, used)
    if Allowance.flat_score in allowances and isinstance(part.get("result"), dict):
        result["result"] = _result(part["result"], used)
    context = part.get("context")
    if isinstance(context, dict) and isinstance(context.get("contextActivities"), dict):
        groups = {role: _activities(found, allowances, used) for role, found in context["contextActivities"].items()}
        result["context"] = {**context, "contextActivities": groups}
    return result


def _activities(found: Any, allowances: frozenset[Allowance], used: set[Allowance]) -> Any:
    if isinstance(found, list):
        return [_activities(one, allowances, used) for one in found]
    return _activity(found, allowances, used) if isinstance(found, dict) else found


def _activity(target: JsonObject, allowances: frozenset[Allowance], used: set[Allowance]) -> JsonObject:
    result = target
    for allowance, meant in _OF_ACTIVITIES.items():
        if allowance in allowances and (changed := meant(result)) is not None:
            used.add(allowance)
            result = changed
    return result


def _not_grouped(activity: JsonObject) -> JsonObject | None:
    return {**activity, "objectType": "Activity"} if activity.get("objectType") == "GroupActivity" else None


def _known_interaction(activity: JsonObject) -> JsonObject | None:
    definition = activity.get("definition")
    if not isinstance(definition, dict) or not isinstance(kind := definition.get("interactionType"), str):
        return None
    if (meant := _INTERACTIONS.get(kind)) is None:
        return None
    return {**activity, "definition": {**definition, "interactionType": meant}}


def _result(result: JsonObject, used: set[Allowance]) -> JsonObject:
    score = result.get("score")
    if not isinstance(score, dict) or not _is_number(score.get("min")) or score["min"] != score.get("max"):
        return result
    used.add(Allowance.flat_score)
    return {**result, "score": {name: value for name, value in score.items() if name not in ("min", "max")}}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_INTERACTIONS: Final = {"compound": "other", "long-choice": "choice"}
_OF_ACTIVITIES: Final[dict[Allowance, Callable[[JsonObject], JsonObject | None]]] = {
    Allowance.group_activity: _not_grouped,
    Allowance.interaction_type: _known_interaction,
}
