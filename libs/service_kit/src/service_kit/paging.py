"""Lists: `{"items": […], "next": cursor or null}`. A cursor is opaque to callers; it holds the last item's sort key."""

import base64
from typing import Any, Generic, TypeVar

import orjson
from pydantic import BaseModel

from service_kit.problems import BadRequest

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    items: list[T]
    next: str | None = None


def encode_cursor(key: list[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def decode_cursor(cursor: str | None, length: int) -> list[Any] | None:
    """The sort key in a cursor, `length` strings or numbers. Raises `BadRequest`."""
    if cursor is None:
        return None
    try:
        key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        key = None
    if not isinstance(key, list) or len(key) != length or not all(isinstance(v, str | int | float) for v in key):
        raise BadRequest(
            "`cursor` is not one that this list has given", errors=[{"parameter": "cursor", "in": "query"}]
        )
    return key
