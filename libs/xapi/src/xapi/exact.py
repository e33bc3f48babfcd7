"""JSON as it was sent: what `loads` reads, `dumps` writes back with every number as it stood.

Nearly every body is what orjson would write itself, but for spaces and escaped slashes; that one comparison proves that
no number is odd and no property repeated. Only other bodies (escaped letters, `1.10`, integers beyond 64 bits) are read
a second, closer time.
"""

import json
import math
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

import orjson

from .errors import Problem, StatementInvalid

JsonObject = dict[str, Any]

LONGEST_NUMBER: Final = 1_000
"""Characters; reading a number takes time that grows with the square of its length."""

_SPARE_LEVELS: Final = b"[[[[[[[["
"""orjson reads 1,024 levels and writes 254: so many of them are left to whoever puts the value into something else."""

_SPACE: Final = b" \t\r\n"


class Number(float):
    """A number whose text says more than a float's: `1.10`, `1E5`, `-0`, 25 digits, an integer beyond 64 bits.

    It reckons as the nearest float; `str` gives the text.
    """

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> "Number":
        self = super().__new__(cls, text)
        self.text = text
        return self

    def __getnewargs__(self) -> tuple[str]:  # type: ignore[override]  # copies are made from the text
        return (self.text,)

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__


def loads(body: bytes) -> Any:
    """Strict JSON (RFC 8259) within I-JSON (RFC 7493): UTF-8, no NaN, no property twice, no half of a surrogate pair.

    Raises StatementInvalid; a repeated property is named by its place. Numbers are int and float, or a `Number` where
    those would not be written back as they stood.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        _refuse_text(error)
    return value if _is_text_of(body, _written(value)) else _read_closely(body)


def _is_text_of(body: bytes, written: bytes) -> bool:
    """Whether they differ at most in spaces and escaped slashes, as PHP and Python send them.

    What is left out alike on both sides, within strings too, moves no boundary of a string or number: `written` was
    made from `body`, and orjson escapes no slash.
    """
    if body == written:
        return True
    return body.replace(rb"\/", b"/").translate(None, _SPACE) == written.translate(None, _SPACE)


def dumps(value: Any) -> bytes:
    """Compact JSON in UTF-8 of what `loads` gave, or of what was made from it."""
    return orjson.dumps(value, default=as_it_stood)


def as_it_stood(value: Any) -> orjson.Fragment:
    """What orjson asks for where a `Number` stands."""
    if isinstance(value, Number):
        return orjson.Fragment(value.text)
    raise TypeError(f"{type(value).__name__} is no JSON")


def _written(value: Any) -> bytes:
    try:
        return orjson.dumps([[[[[[[[value]]]]]]]], default=as_it_stood)[len(_SPARE_LEVELS) : -len(_SPARE_LEVELS)]
    except TypeError as error:
        if "surrogate" in str(error):
            _refuse(_SURROGATE)
        _refuse("expected JSON of moderate depth, found one nested too deeply")


def _read_closely(body: bytes) -> Any:
    try:
        value = _CLOSELY.decode(body.decode())
    except _Repeated:
        _refuse_repeated(body)
    except UnicodeDecodeError:
        _refuse("expected UTF-8, found other bytes")
    except json.JSONDecodeError as error:
        _refuse_text(error)
    except RecursionError:
        _refuse("expected JSON of moderate depth, found one nested too deeply")
    _written(value)
    return value


class _Repeated(Exception):
    """A property stands twice in one object."""


def _distinct(pairs: list[tuple[str, Any]]) -> JsonObject:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise _Repeated
    return value


def _integer(text: str) -> int | Number:
    if len(text) < 19 and text != "-0":
        return int(text)
    if len(text) > LONGEST_NUMBER:
        _refuse(f"expected numbers of at most {LONGEST_NUMBER} characters, found a longer one")
    if text != "-0" and -(2**63) <= (value := int(text)) < 2**64:
        return value
    return Number(text) if math.isfinite(float(text)) else _refuse(_BEYOND)


def _float(text: str) -> float:
    if len(text) > LONGEST_NUMBER:
        _refuse(f"expected numbers of at most {LONGEST_NUMBER} characters, found a longer one")
    value = float(text)
    if not math.isfinite(value):
        _refuse(_BEYOND)
    return value if orjson.dumps(value).decode() == text else Number(text)


def _refuse_constant(text: str) -> NoReturn:
    _refuse(f"expected JSON, found {text}")


def _decoder(as_object: Callable[[list[tuple[str, Any]]], Any]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=as_object, parse_int=_integer, parse_float=_float, parse_constant=_refuse_constant
    )


_CLOSELY: Final = _decoder(_distinct)


class _Twice:
    """Stands for an object that has the property `key` twice."""

    def __init__(self, key: str) -> None:
        self.key = key


def _refuse_repeated(body: bytes) -> NoReturn:
    """Read once more, to say where."""

    def marked(pairs: list[tuple[str, Any]]) -> JsonObject | _Twice:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                return _Twice(key)
            seen.add(key)
        return dict(pairs)

    value = _decoder(marked).decode(body.decode())
    raise StatementInvalid((Problem(next(_places(value, "")), "expected each property once, found this one twice"),))


def _places(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, _Twice):
        yield path + pointer(value.key)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, path + pointer(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places(inner, f"{path}/{index}")


def pointer(key: str) -> str:
    """A property's name as one step of a JSON pointer (RFC 6901 3)."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


_SURROGATE: Final = "expected Unicode text, found half of a surrogate pair (RFC 7493 2.1)"


_BEYOND: Final = "expected numbers within the range of a double, found one beyond (RFC 7493 2.2)"


def _refuse_text(error: json.JSONDecodeError) -> NoReturn:
    if "UTF-8" in error.msg and "BOM" not in error.msg:
        _refuse("expected UTF-8, found other bytes")
    if "surrogate" in error.msg:
        _refuse(f"{_SURROGATE} at line {error.lineno}, column {error.colno}")
    if "infinity" in error.msg:
        _refuse(f"{_BEYOND} at line {error.lineno}, column {error.colno}")
    if "depth" in error.msg:
        _refuse("expected JSON of moderate depth, found one nested too deeply")
    _refuse(f"expected JSON; at line {error.lineno}, column {error.colno} it is not")


def _refuse(reason: str) -> NoReturn:
    raise StatementInvalid((Problem("", reason),))
