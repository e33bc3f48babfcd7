"""Query parameters of documents, activities and agents, checked as strictly as those of statements."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, Final

from fastapi import Request
from xapi import Problem, QueryInvalid, StatementInvalid, Version, parse_agent, timestamps
from xapi.models import IRI, UUID
from xapi.parsing import JsonObject

from ingest.documents.kinds import Kind, Place
from ingest.statements.refusals import invalid_query
from ingest.statements.stamps import to_micros

LONGEST_NAME: Final = 2048
LONGEST_IRI: Final = 2048
Reader = Callable[[str], Any]
_IRI: Final = re.compile(IRI.removesuffix("$") + r"\Z")
_UUID: Final = re.compile(UUID.removesuffix("$") + r"\Z")


def read(params: Iterable[tuple[str, str]], readers: Mapping[str, Reader], required: Collection[str]) -> dict[str, Any]:
    """The values by parameter. Raises `BadRequest` that names every parameter that is wrong."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, text in params:
        if name not in readers:
            problems.append(Problem(name, "is not a parameter of this request (names are case sensitive)"))
        elif name in values:
            problems.append(Problem(name, "expected at most once, found twice"))
        else:
            values[name] = None
            try:
                values[name] = readers[name](text)
            except StatementInvalid as invalid:
                problems += (Problem(f"{name}{p.path}", p.reason) for p in invalid.errors)
            except ValueError as error:
                problems.append(Problem(name, str(error)))
    problems += (Problem(name, "is required, and missing") for name in required if name not in values)
    if problems:
        raise invalid_query(QueryInvalid(tuple(problems)))
    return values


def place_of(request: Request, kind: Kind, version: Version, *, single: bool, since: bool = False) -> Place:
    """`single`: the document's name is required. `since`: a list may be asked for. Raises `BadRequest`."""
    readers: dict[str, Reader] = {kind.name: name}
    required = [kind.name] if single else []
    if kind.of_activity:
        readers["activityId"] = iri
        required.append("activityId")
    if kind.of_agent:
        readers["agent"] = partial(agent, version)
        required.append("agent")
    if kind.has_registration:
        readers["registration"] = uuid
    if since:
        readers["since"] = partial(moment, version)
    values = read(request.query_params.multi_items(), readers, required)
    return Place(
        kind,
        values.get("activityId"),
        values.get("agent"),
        values.get("registration"),
        values.get(kind.name),
        values.get("since"),
    )


def iri(text: str) -> str:
    if len(text) > LONGEST_IRI:
        raise ValueError(f"expected an IRI of at most {LONGEST_IRI} characters, found a longer one")
    if _IRI.match(text) is None:
        raise ValueError("expected an IRI with a scheme (RFC 3987), found another value")
    return text


def uuid(text: str) -> str:
    if _UUID.match(text) is None:
        raise ValueError("expected a UUID in its standard form (RFC 4122), found another value")
    return text.lower()


def name(text: str) -> str:
    if not 1 <= len(text) <= LONGEST_NAME:
        raise ValueError(f"expected 1 to {LONGEST_NAME} characters, found {len(text)}")
    return text


def moment(version: Version, text: str) -> int:
    """Microseconds since the epoch."""
    return to_micros(timestamps.parse(text, rfc3339=version.is_2))


def agent(version: Version, text: str) -> JsonObject:
    """An Agent; in 2.0 an identified Group too, which 1.0.3 excludes (Communication 2.4, 2.6)."""
    value = parse_agent(text, version)
    if value.get("objectType") == "Group" and not version.is_2:
        raise ValueError("expected an Agent, found a Group; 1.0.3 takes a Group's identifier within an Agent")
    return value
