"""Compressed bodies (RFC 9110 8.4.1), opened as they stream.

Stands outside the limit of the body, which counts what comes out: a bomb meets it after that many bytes.
"""

import zlib
from typing import Final

from service_kit.problems import Problem
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_WINDOW: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # as zlib takes them: with gzip's header, with zlib's
_CHUNK: Final = 256 * 1024
_SLACK: Final = 256 * 1024  # what is read beyond what comes out: empty blocks may follow each other without end


class UnknownEncoding(Problem):
    status, slug, title = 415, "unsupported-encoding", "The body's encoding is not known here"


class ContentDecoding:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        encoding = Headers(scope=scope).get("Content-Encoding") if scope["type"] == "http" else None
        if encoding is None or encoding.strip().lower() in ("", "identity"):
            await self._app(scope, receive, send)
        elif (window := _WINDOW.get(encoding.strip().lower())) is not None:
            dropped = (b"content-encoding", b"content-length")
            headers = [(name, value) for name, value in scope["headers"] if name not in dropped]
            await self._app({**scope, "headers": headers}, Inflater(receive, window), send)
        else:
            problem = UnknownEncoding(
                "Expected Content-Encoding: gzip or deflate, or none", headers={"Accept-Encoding": "gzip, deflate"}
            )
            await problem.response()(scope, receive, send)


class Inflater:
    """Takes the place of `receive`: one piece of the opened body a call."""

    def __init__(self, receive: Receive, window: int) -> None:
        self._receive = receive
        self._stream = zlib.decompressobj(window)
        self._pending = b""
        self._more = True
        self._read = self._given = 0

    async def __call__(self) -> Message:
        while True:
            if piece := self._piece():
                self._given += len(piece)
                return {"type": "http.request", "body": piece, "more_body": True}
            if self._read > self._given + _SLACK:
                raise HTTPException(413, "The compressed body holds next to nothing for its size")
            if not self._more:
                self._check_end()
                self._more = True  # from here on the server has the word: the connection's end
                return {"type": "http.request", "body": b"", "more_body": False}
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            self._pending = message.get("body", b"")
            self._read += len(self._pending)
            self._more = message.get("more_body", False)

    def _piece(self) -> bytes:
        try:
            piece = self._stream.decompress(self._pending, _CHUNK)
        except zlib.error:
            raise HTTPException(400, "The body is not what its Content-Encoding says") from None
        self._pending = self._stream.unconsumed_tail
        return piece

    def _check_end(self) -> None:
        if self._read and (not self._stream.eof or self._stream.unused_data):
            raise HTTPException(400, "The compressed body ends too early or too late")
