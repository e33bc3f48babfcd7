"""`multipart/mixed` (1.0.3 Communication 1.5.2): the JSON of a page in memory, the data of attachments in files."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import IO, Final

import httpx2
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from cli.transfer.pages import NotAPage

HASH: Final = "X-Experience-API-Hash"
_SHA2: Final = re.compile(r"[0-9a-f]{56,128}")
_CHUNK: Final = 256 * 1024


async def received(answer: httpx2.Response, folder: Path) -> tuple[bytes, dict[str, Path]]:
    """The first part of an answer that is still to be read, or all of it; the others as files by their hash.

    Raises `NotAPage`.
    """
    kind, options = parse_options_header(answer.headers.get("Content-Type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/mixed" or boundary is None or not answer.is_success:
        return await answer.aread(), {}
    taking = _Taking(folder)
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": taking.begin,
            "on_header_field": lambda data, start, end: taking.name.append(data[start:end]),
            "on_header_value": lambda data, start, end: taking.value.append(data[start:end]),
            "on_header_end": taking.header,
            "on_headers_finished": taking.open,
            "on_part_data": lambda data, start, end: taking.write(data[start:end]),
            "on_part_end": taking.close,
        },
    )
    try:
        first = True
        async for chunk in answer.aiter_bytes():
            parser.write(chunk.lstrip(b"\r\n") if first else chunk)
            first = False
    except FormParserError:
        raise NotAPage("the answer is not multipart/mixed as its header says") from None
    finally:
        taking.close()
    return bytes(taking.json), taking.files


class _Taking:
    """What the parser calls."""

    def __init__(self, folder: Path) -> None:
        self.json = bytearray()
        self.files: dict[str, Path] = {}
        self.name: list[bytes] = []
        self.value: list[bytes] = []
        self._folder = folder
        self._parts = 0
        self._hash = ""
        self._file: IO[bytes] | None = None

    def begin(self) -> None:
        self._parts += 1
        self._hash = ""

    def header(self) -> None:
        name, value = b"".join(self.name).decode("latin-1"), b"".join(self.value).decode("latin-1")
        if name.lower() == HASH.lower():
            self._hash = value.strip().lower()
        self.name.clear()
        self.value.clear()

    def open(self) -> None:
        if self._parts > 1 and _SHA2.fullmatch(self._hash):
            path = self._folder / self._hash
            self.files[self._hash] = path
            self._file = path.open("wb")

    def write(self, data: bytes) -> None:
        if self._file is not None:
            self._file.write(data)
        elif self._parts == 1:
            self.json += data

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def sent(lines: bytes, data: Mapping[str, Path]) -> tuple[str, Iterable[tuple[bytes, Path | None]]]:
    """The Content-Type of a body, and its parts: bytes, and the file that follows them."""
    boundary = secrets.token_hex(16)
    heads: list[tuple[bytes, Path | None]] = [
        (f"--{boundary}\r\nContent-Type: application/x-ndjson\r\n\r\n".encode() + lines, None)
    ]
    for sha2, path in data.items():
        head = (
            f"\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Transfer-Encoding: binary\r\n{HASH}: {sha2}\r\n\r\n"
        )
        heads.append((head.encode(), path))
    heads.append((f"\r\n--{boundary}--\r\n".encode(), None))
    return f"multipart/mixed; boundary={boundary}", heads


async def streamed(parts: Iterable[tuple[bytes, Path | None]]) -> AsyncIterator[bytes]:
    for head, path in parts:
        yield head
        if path is not None:
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
