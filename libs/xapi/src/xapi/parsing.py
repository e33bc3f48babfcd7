"""Bytes or JSON objects → checked statements.

`exact` reads strict JSON, `models` knows the shape, `rules` what a shape can't say; here come the rules of a batch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NoReturn, cast

from pydantic import ValidationError

from .errors import Problem, StatementInvalid
from .exact import JsonObject as JsonObject
from .exact import loads as loads
from .identifiers import canonical_ifi
from .models import Agent, Group, Statement, shape
from .reasons import problems_of
from .rules import problems_of_agent, problems_of_statement
from .versions import Version

MOST_PROBLEMS: Final = 100
"""More are not reported of one body."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A checked statement: `raw` is the JSON object exactly as it was sent, `statement` the same with its types."""

    raw: JsonObject

    @property
    def statement(self) -> Statement:
        """For reading where the type checker knows the properties."""
        return cast("Statement", self.raw)

    @property
    def id(self) -> str | None:
        """The statement's id as sent, in lower case (UUIDs are compared without regard to case, RFC 4122 3)."""
        found: str | None = self.raw.get("id")
        return None if found is None else found.lower()


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
    _shaped(_GROUP if is_group else _AGENT, value)
    if problems := problems_of_agent(value):
        raise StatementInvalid(tuple(problems[:MOST_PROBLEMS]))
    if canonical_ifi(value) is None:
        _refuse("expected an Agent or an identified Group, found an anonymous Group")
    agent: JsonObject = value
    return agent


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
    _shaped(_STATEMENT, value)
    if problems := problems_of_statement(value, version):
        raise StatementInvalid(tuple(problems[:MOST_PROBLEMS]))
    return Parsed(value)


def _shaped(check: Callable[[Any], Any], value: Any) -> None:
    try:
        check(value)
    except ValidationError as invalid:
        raise StatementInvalid(tuple(problems_of(invalid)[:MOST_PROBLEMS])) from None


_STATEMENT: Final = shape(Statement)
_AGENT: Final = shape(Agent)
_GROUP: Final = shape(Group)
