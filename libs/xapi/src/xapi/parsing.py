"""Bytes or JSON objects → checked statements.

The shape is checked by `models`; here come strict JSON (no NaN, no duplicate property), the rules that need two places
of a statement, what differs between the dialects, and the rules of a batch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from . import timestamps
from .errors import Problem, StatementInvalid
from .exact import loads as loads
from .models import Activity, Agent, Group, Statement, StatementRef, SubStatement
from .reasons import problems_of
from .versions import Version

JsonObject = dict[str, Any]
Model = TypeVar("Model", bound=BaseModel)

MOST_PROBLEMS: Final = 100
"""More are not reported of one body."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A checked statement: `statement` to read, `raw` to store (exactly the JSON that was sent, nothing changed)."""

    statement: Statement
    raw: JsonObject

    @property
    def id(self) -> str | None:
        """The statement's id as sent, in lower case (UUIDs are compared without regard to case, RFC 4122 3)."""
        return self.statement.id.lower() if self.statement.id else None


def parse_statements(body: bytes, version: Version = Version.V2_0_0) -> list[Parsed]:
    """One statement or a non-empty batch (JSON array) from a request body; ids within a batch are distinct.

    Raises StatementInvalid; in a batch each pointer begins with the index (`/3/actor/mbox`).
    """
    value = loads(body)
    if isinstance(value, list):
        return _batch(value, version)
    return [_statement(value, version)]


def parse_statement(raw: bytes | JsonObject, version: Version = Version.V2_0_0) -> Parsed:
    """Exactly one statement (an array is refused). Raises StatementInvalid."""
    return _statement(loads(raw) if isinstance(raw, bytes) else raw, version)


def parse_agent(raw: bytes | str | JsonObject, version: Version = Version.V2_0_0) -> JsonObject:
    """An identified Agent or Group, as GET parameters and POST /identities carry it; returns the JSON object.

    Raises StatementInvalid; an anonymous Group is refused. Both dialects know the same agents.
    """
    value = raw if isinstance(raw, dict) else loads(raw.encode() if isinstance(raw, str) else raw)
    is_group = isinstance(value, dict) and value.get("objectType") == "Group"
    checked = _checked(Group, value) if is_group else _checked(Agent, value)
    if checked.identifiers == 0:
        _refuse("expected an Agent or an identified Group, found an anonymous Group")
    return value


def _refuse(reason: str) -> NoReturn:
    raise StatementInvalid((Problem("", reason),))


def _batch(values: list[Any], version: Version) -> list[Parsed]:
    if not values:
        _refuse("expected at least one statement, found an empty array")
    parsed: list[Parsed] = []
    problems: list[Problem] = []
    for index, value in enumerate(values):
        try:
            parsed.append(_statement(value, version))
        except StatementInvalid as invalid:
            problems += (Problem(f"/{index}{problem.path}", problem.reason) for problem in invalid.errors)
        if len(problems) >= MOST_PROBLEMS:
            break
    problems = problems or list(_repeated_ids(parsed))
    if problems:
        raise StatementInvalid(tuple(problems[:MOST_PROBLEMS]))
    return parsed


def _repeated_ids(batch: list[Parsed]) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, parsed in enumerate(batch):
        if parsed.id is not None and (first := seen.setdefault(parsed.id, index)) != index:
            yield Problem(f"/{index}/id", f"expected distinct ids in a batch, found that of statement {first} again")


def _statement(value: Any, version: Version) -> Parsed:
    statement = _checked(Statement, value)
    if problems := list(_rules(statement, version)):
        raise StatementInvalid(tuple(problems[:MOST_PROBLEMS]))
    return Parsed(statement, value)


def _checked(model: type[Model], value: Any) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as invalid:
        raise StatementInvalid(tuple(problems_of(invalid)[:MOST_PROBLEMS])) from None


def _rules(statement: Statement, version: Version) -> Iterator[Problem]:
    yield from _about_context(statement, version, "")
    if isinstance(statement.object, SubStatement):
        yield from _about_context(statement.object, version, "/object")
    if statement.is_voiding and not isinstance(statement.object, StatementRef):
        yield Problem("/object/objectType", "a voiding statement has a StatementRef as object")  # Data 2.3.2
    if isinstance(statement.authority, Group):
        yield from _about_authority(statement.authority)
    if statement.version is not None and not version.is_2 and not statement.version.startswith("1.0"):
        yield Problem("/version", "expected 1.0.x in a request of version 1.0.x, found another version")  # Data 2.4.10
    if version.is_2:
        yield from _about_times(statement)


def _about_context(part: Statement | SubStatement, version: Version, path: str) -> Iterator[Problem]:
    context = part.context
    if context is None:
        return
    if not isinstance(part.object, Activity):  # Data 2.4.6
        for name in ("revision", "platform"):
            if getattr(context, name) is not None:
                yield Problem(f"{path}/context/{name}", f"{name} is used only where the object is an Activity")
    if not version.is_2:
        if context.context_agents is not None:
            yield Problem(f"{path}/context/contextAgents", "contextAgents belongs to xAPI 2.0, found in 1.0.x")
        if context.context_groups is not None:
            yield Problem(f"{path}/context/contextGroups", "contextGroups belongs to xAPI 2.0, found in 1.0.x")


def _about_authority(group: Group) -> Iterator[Problem]:
    """A Group as authority is that of three-legged OAuth: anonymous, of exactly two Agents (Data 2.4.9)."""
    if group.identifiers:
        yield Problem("/authority", "expected an Agent or an anonymous Group of two Agents, found an identified Group")
    elif (count := len(group.member or ())) != 2:
        yield Problem("/authority/member", f"expected exactly two Agents, found {count}")


def _about_times(statement: Statement) -> Iterator[Problem]:
    times = [("/timestamp", statement.timestamp), ("/stored", statement.stored)]
    if isinstance(statement.object, SubStatement):
        times.append(("/object/timestamp", statement.object.timestamp))
    for path, text in times:
        if text is None:
            continue
        try:
            timestamps.parse(text, rfc3339=True)
        except ValueError as error:
            yield Problem(path, str(error))
