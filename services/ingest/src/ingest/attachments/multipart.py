"""`multipart/mixed` bodies as a stream (RFC 2046 5.1): bytes in, heads, data and ends of parts out.

The parser is python-multipart's; around it comes what RFC 2046 asks of a receiver and a form's parser leaves out: the
preamble, and that a body without its last boundary is not whole.
"""

import re
from dataclasses import dataclass
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import Headers

MEDIA_TYPE: Final = "multipart/mixed"
_BOUNDARY: Final = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_MOST_PREAMBLE: Final = 8 * 1024
_MOST_HEADERS: Final = 16


class Malformed(Exception):
    """The body is not the `multipart/mixed` that its header says."""


@dataclass(frozen=True, slots=True)
class Head:
    """A part begins."""

    headers: Headers


@dataclass(frozen=True, slots=True)
class End:
    """The part ends."""


Event = Head | bytes | End


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type names. Raises `Malformed`."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if boundary is None:
        raise Malformed("expected the parameter boundary, found none")
    if _BOUNDARY.fullmatch(boundary) is None:
        raise Malformed("expected a boundary of 1 to 70 characters as RFC 2046 names them")
    return boundary


class Splitter:
    """Feed it a body in pieces of any size, then close it."""

    def __init__(self, boundary: bytes) -> None:
        delimiter = b"--" + boundary
        self._opening = delimiter + b"\r\n"
        self._first = re.compile(rb"(?:\A|\r\n)" + re.escape(delimiter) + rb"[ \t]*\r\n")
        self._preamble: bytes | None = b""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._name.append(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.append(data[start:end]),
                "on_header_end": self._header,
                "on_headers_finished": lambda: self._events.append(Head(Headers(self._headers))),
                "on_part_data": lambda data, start, end: self._events.append(data[start:end]),
                "on_part_end": lambda: self._events.append(End()),
                "on_end": self._finish,
            },
            max_header_count=_MOST_HEADERS,
        )
        self._events: list[Event] = []
        self._begin()
        self._ended = False

    def feed(self, data: bytes) -> list[Event]:
        """What the bytes so far let one say. Raises `Malformed`."""
        if self._preamble is not None:
            data = self._without_preamble(self._preamble + data)
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise Malformed(f"expected parts with boundaries and headers; {error}") from None
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """The body is over. Raises `Malformed` where its last boundary did not come."""
        if not self._ended:
            missing = "first" if self._preamble is not None else "last"
            raise Malformed(f"expected the {missing} boundary, found the end of the body")

    def _without_preamble(self, data: bytes) -> bytes:
        """Nothing as long as the first boundary has not come; then all from there on."""
        found = self._first.search(data)
        if found is None:
            if len(data) > _MOST_PREAMBLE:
                raise Malformed(f"expected the first boundary within {_MOST_PREAMBLE} bytes")
            self._preamble = data
            return b""
        self._preamble = None
        return self._opening + data[found.end() :]

    def _begin(self) -> None:
        self._headers: dict[str, str] = {}
        self._name: list[bytes] = []
        self._value: list[bytes] = []

    def _header(self) -> None:
        name = b"".join(self._name).decode("ascii").lower()
        if name in self._headers:
            raise Malformed(f"expected each header once in a part, found {name} again")
        self._headers[name] = b"".join(self._value).decode("latin-1").strip()
        self._name, self._value = [], []

    def _finish(self) -> None:
        self._ended = True
