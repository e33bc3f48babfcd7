"""pydantic's errors in our words: a JSON pointer, what was expected, and what kind of thing was found."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from . import models
from .errors import Problem
from .exact import Number, pointer

_FORMATS: Final = {
    models.IRI: "an IRI with a scheme (RFC 3987)",
    models.MAILTO: "a mailto IRI with one e-mail address",
    models.SHA1: "a SHA-1 in 40 hexadecimal digits",
    models.SHA2: "a SHA-2 in hexadecimal digits",
    models.UUID: "a UUID in its standard form (RFC 4122)",
    models.LANGUAGE: "a language tag (RFC 5646)",
    models.MEDIA_TYPE: "an Internet media type",
    models.VERSION: "a version 1.0.x or 2.0.x",
}
_EXPECTED: Final = {
    "string_type": "a string",
    "float_type": "a number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "an array",
    "dict_type": "an object",
    "too_short": "a non-empty array",
}
_FOUND: Final = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    Number: "a number",
    str: "a string",
    list: "an array",
    dict: "an object",
}
_UNIONS: Final = frozenset(
    {"actor", "object", "instructor", "authority", "parent", "grouping", "category", "other"},
)
_TAGS: Final = frozenset({"Activity", "Agent", "Group", "StatementRef", "SubStatement", "[]"})


def problems_of(invalid: ValidationError) -> list[Problem]:
    """One problem for each of pydantic's errors."""
    return [_problem(error) for error in invalid.errors(include_url=False)]


def _problem(error: ErrorDetails) -> Problem:
    kind, path, context = error["type"], _pointer(error["loc"]), error.get("ctx", {})
    if kind == "missing":
        return Problem(path, "is required, and missing")
    if kind == "extra_forbidden":
        return Problem(path, "is not a property that the standard knows here (names are case sensitive)")
    if kind == "union_tag_invalid":
        return Problem(f"{path}/objectType", f"expected one of {context['expected_tags']}, found another value")
    if kind == "union_tag_not_found":
        return Problem(f"{path}/objectType", "expected a string, found another type")
    subject = "the property's name: " if error["loc"][-1:] == ("[key]",) else ""
    return Problem(path, f"{subject}expected {_expected(kind, context)}, found {_found(error['input'], kind)}")


def _expected(kind: str, context: dict[str, Any]) -> str:
    if kind == "string_pattern_mismatch":
        return _FORMATS.get(context["pattern"], "another format")
    if kind == "literal_error":
        return str(context["expected"])
    if kind == "greater_than_equal":
        return f"at least {context['ge']}"
    if kind == "less_than_equal":
        return f"at most {context['le']}"
    return _EXPECTED.get(kind, "something else")


def _found(value: Any, kind: str) -> str:
    if value == "":
        return "an empty string"
    if isinstance(value, list) and not value:
        return "an empty array"
    name = _FOUND.get(type(value), "something else")
    return f"{name} of another form" if kind in ("string_pattern_mismatch", "literal_error") else name


def _pointer(loc: Sequence[int | str]) -> str:
    """RFC 6901. The tags that unions put into the location are no part of the body, nor is the mark of a key."""
    parts: list[str] = []
    after_union = False
    for part in loc:
        if (after_union and part in _TAGS) or part == "[key]":
            after_union = False
            continue
        after_union = part in _UNIONS
        parts.append(pointer(str(part)))
    return "".join(parts)
