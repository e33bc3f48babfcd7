"""JSON as it was sent: what `loads` reads, `dumps` writes back with every number as it stood."""

import json
from typing import Any, NoReturn

import orjson

from .errors import Problem, StatementInvalid


def loads(body: bytes) -> Any:
    """Strict JSON (RFC 8259): no NaN, no property twice in an object (1.0.3 Data 2.2). Raises StatementInvalid."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        _refuse(f"expected JSON; at line {error.lineno}, column {error.colno} it is not")
    try:
        rendered = orjson.dumps(value)
    except TypeError:  # it reads 1,024 levels and writes 254
        _refuse("expected JSON of moderate depth, found one nested too deeply")
    # What renders to the same bytes had no property twice; only other bytes (spaces, escapes) need a closer look.
    if rendered != body:
        _refuse_duplicates(body)
    return value


def dumps(value: Any) -> bytes:
    """Compact JSON in UTF-8 of what `loads` gave, or of what was made from it."""
    return orjson.dumps(value)


def _refuse_duplicates(body: bytes) -> None:
    try:
        json.loads(body, object_pairs_hook=_distinct)
    except (RecursionError, ValueError):
        _refuse("expected JSON of moderate depth and size of numbers, found one beyond")


def _distinct(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        _refuse("expected each property once in an object, found one twice")


def _refuse(reason: str) -> NoReturn:
    raise StatementInvalid((Problem("", reason),))
