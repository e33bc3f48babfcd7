"""A closed loop over raw HTTP/1.1: as many requests under way as there are connections, at little cost of its own.

Requests are rendered beforehand, so that what is measured is the server. An answer other than 200 or 204 counts as
failed and is not timed.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_GOOD = (b"200", b"204")


@dataclass(frozen=True)
class Lrs:
    """Where an LRS answers, and for whom."""

    name: str
    xapi: str
    key: str
    secret: str

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """A whole request, rendered; `path` comes after the xAPI endpoint, or is absolute (`more`)."""
        where = urlsplit(self.xapi)
        basic = base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()
        lines = [
            f"{method} {path if path.startswith(where.path) else where.path + path} HTTP/1.1",
            f"Host: {where.netloc}",
            f"Authorization: Basic {basic}",
            "X-Experience-API-Version: 1.0.3",
        ]
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def post(self, statements: Any) -> bytes:
        return self.request("POST", "/statements", json.dumps(statements).encode())


@dataclass
class Outcome:
    """Seconds of each answered request, and what went wrong."""

    took: float = 0.0
    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    first_failure: str = ""
    body: bytes = b""


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], outcome: Outcome, until: float) -> None:
        self._requests = requests
        self._outcome = outcome
        self._until = until
        self._transport: asyncio.Transport | None = None
        self._answer = bytearray()
        self._end = -1
        self._chunked = False
        self._sent = 0.0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if self._end < 0 and not self._chunked:
            self._read_head()
        whole = self._answer.endswith(b"0\r\n\r\n") if self._chunked else 0 <= self._end <= len(self._answer)
        if whole:
            self._finish()

    def _read_head(self) -> None:
        head = self._answer.find(b"\r\n\r\n")
        if head < 0:
            return
        if _CHUNKED.search(self._answer, 0, head + 2):
            self._chunked = True
            return
        length = _LENGTH.search(self._answer, 0, head + 2)
        self._end = head + 4 + (int(length[1]) if length else 0)

    def _finish(self) -> None:
        outcome = self._outcome
        if self._answer[9:12] in _GOOD:
            outcome.seconds.append(time.perf_counter() - self._sent)
        else:
            outcome.failed += 1
            outcome.first_failure = outcome.first_failure or self._answer[:400].decode(errors="replace")
        _head, _, body = bytes(self._answer).partition(b"\r\n\r\n")
        outcome.body = _unchunked(body) if self._chunked else body
        self._answer.clear()
        self._end, self._chunked = -1, False
        self._next()

    def _next(self) -> None:
        assert self._transport is not None
        request = next(self._requests, None) if time.perf_counter() < self._until else None
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)


def _unchunked(body: bytes) -> bytes:
    result, rest = b"", body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        result, rest = result + rest[:length], rest[length + 2 :]
    return result


async def _drive(url: str, requests: Iterable[bytes], connections: int, seconds: float) -> Outcome:
    where, outcome, shared = urlsplit(url), Outcome(), iter(requests)
    host, port = where.hostname or "127.0.0.1", where.port or 80
    loop, started = asyncio.get_running_loop(), time.perf_counter()
    until = started + seconds
    protocols = []
    for _ in range(connections):
        _, protocol = await loop.create_connection(lambda: _Connection(shared, outcome, until), host, port)
        protocols.append(protocol)
    await asyncio.gather(*(protocol.done for protocol in protocols))
    outcome.took = time.perf_counter() - started
    return outcome


def drive(lrs: Lrs, requests: Iterable[bytes], *, connections: int, seconds: float = 3600.0) -> Outcome:
    """Send the requests, each once, until they or the seconds are used up."""
    return asyncio.run(_drive(lrs.xapi, requests, connections, seconds))
