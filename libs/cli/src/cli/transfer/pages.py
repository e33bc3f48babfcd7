"""A StatementResult, taken apart without touching a byte of its statements."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from xapi import VOIDED, timestamps

_DECODER: Final = json.JSONDecoder(strict=False)
_SPACE: Final = " \t\r\n"


class NotAPage(ValueError):
    """The body is not a StatementResult."""


@dataclass(frozen=True, slots=True)
class Given:
    """A statement as a source gave it: `text` is one line, its bytes as they were but for line breaks."""

    text: bytes
    value: Any

    @property
    def id(self) -> str:
        return self._text("id")

    @property
    def stored_text(self) -> str:
        return self._text("stored")

    @property
    def stored(self) -> datetime | None:
        """None where the source does not say, or not in a form that can be read."""
        try:
            return timestamps.parse(self.stored_text)
        except ValueError:
            return None

    @property
    def voids(self) -> str | None:
        """The id of the statement that this one voids."""
        try:
            return str(self.value["object"]["id"]) if self.value["verb"]["id"] == VOIDED else None
        except (LookupError, TypeError):
            return None

    @property
    def hashes(self) -> list[str]:
        """The SHA-2 of the attachments it names, in itself and in its SubStatement."""
        return [str(one["sha2"]) for one in _attachments(self.value) if "sha2" in one]

    def _text(self, name: str) -> str:
        found = self.value.get(name) if isinstance(self.value, dict) else None
        return found if isinstance(found, str) else ""


def read(body: bytes) -> tuple[list[Given], str]:
    """The statements of a StatementResult (1.0.3 Data 2.5) and its `more`. Raises `NotAPage`.

    Each statement is cut out of the text, so that numbers, escapes and even faults reach the other side as they are.
    """
    text = body.decode("utf-8", "surrogateescape")
    try:
        found = dict(_properties(text))
    except (ValueError, RecursionError, IndexError):
        raise NotAPage("the answer is not a StatementResult") from None
    statements, more = found.get("statements"), found.get("more", "")
    if not isinstance(statements, list):
        raise NotAPage("the answer has no statements")
    return statements, more if isinstance(more, str) else ""


def read_one(body: bytes) -> Given:
    """A single statement. Raises `NotAPage`."""
    text = body.decode("utf-8", "surrogateescape")
    try:
        given, _ = _given(text, _behind_space(text, 0))
    except (ValueError, RecursionError, IndexError):
        raise NotAPage("the answer is not a statement") from None
    return given


def _properties(text: str) -> Iterator[tuple[str, Any]]:
    at = _expect(text, _behind_space(text, 0), "{")
    while text[at := _behind_space(text, at)] != "}":
        name, at = _DECODER.raw_decode(text, at)
        at = _behind_space(text, _expect(text, _behind_space(text, at), ":"))
        value: Any
        if name == "statements" and text[at] == "[":
            value, at = _elements(text, at + 1)
        else:
            value, at = _DECODER.raw_decode(text, at)
        yield name, value
        at = _behind_comma(text, at)


def _elements(text: str, at: int) -> tuple[list[Given], int]:
    found: list[Given] = []
    while text[at := _behind_space(text, at)] != "]":
        given, at = _given(text, at)
        found.append(given)
        at = _behind_comma(text, at)
    return found, at + 1


def _given(text: str, at: int) -> tuple[Given, int]:
    value, end = _DECODER.raw_decode(text, at)
    line = text[at:end].replace("\r", " ").replace("\n", " ")
    return Given(line.encode("utf-8", "surrogateescape"), value), end


def _expect(text: str, at: int, sign: str) -> int:
    if text[at] != sign:
        raise NotAPage(f"expected {sign}")
    return at + 1


def _behind_comma(text: str, at: int) -> int:
    at = _behind_space(text, at)
    return at + 1 if text[at] == "," else at


def _behind_space(text: str, at: int) -> int:
    while text[at] in _SPACE:
        at += 1
    return at


def _attachments(value: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(value, dict):
        return
    listed = value.get("attachments")
    yield from (one for one in (listed if isinstance(listed, list) else ()) if isinstance(one, dict))
    if isinstance(inner := value.get("object"), dict) and inner.get("objectType") == "SubStatement":
        yield from _attachments(inner)
