"""JSON Lines into activities: every line is checked before any is taken."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from events.payloads import CatalogActivity
from pydantic import ValidationError

from recommendation.catalog.schemas import ImportedActivity

ERRORS_SHOWN = 100
Place = dict[str, Any]


@dataclass(frozen=True)
class Parsed:
    """The activities in their order, or what is wrong: line (from 1), JSON pointer, detail."""

    activities: list[CatalogActivity]
    errors: list[Place]


def numbered(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers."""
    for number, line in enumerate(body.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if line.strip():
            yield number, line


def parse(lines: Iterable[tuple[int, bytes]]) -> Parsed:
    """Check all lines; at most `ERRORS_SHOWN` errors are named."""
    activities: list[CatalogActivity] = []
    errors: list[Place] = []
    seen: dict[str, int] = {}
    for number, line in lines:
        found = _line(number, line)
        if isinstance(found, list):
            errors += found
        elif found.id in seen:
            errors.append(_place(number, "/id", f"this activity stands in line {seen[found.id]} already"))
        else:
            seen[found.id] = number
            activities.append(found.activity())
        if len(errors) >= ERRORS_SHOWN:
            break
    return Parsed(activities, errors[:ERRORS_SHOWN])


def _line(number: int, line: bytes) -> ImportedActivity | list[Place]:
    try:
        value = orjson.loads(line)
    except ValueError:
        return [_place(number, "", "this line is not JSON")]
    try:
        return ImportedActivity.model_validate(value)
    except ValidationError as error:
        return [_place(number, pointer(e["loc"]), _detail(e)) for e in error.errors(include_input=False)]


def _place(line: int, pointer: str, detail: str) -> Place:
    return {"line": line, "pointer": pointer, "detail": detail}


def pointer(location: tuple[str | int, ...]) -> str:
    """RFC 6901."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def _detail(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return f"the key {error['loc'][-1]!r} is unknown; known are: {', '.join(ImportedActivity.model_fields)}"
    if error["type"] == "string_pattern_mismatch":
        return "expected an IRI with a scheme (RFC 3987)"
    return str(error["msg"])
