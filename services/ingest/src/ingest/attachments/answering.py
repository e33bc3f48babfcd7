"""Statements out with their attachments' data: `multipart/mixed` (1.0.3 Communication 2.1.3, `attachments`)."""

import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from service_kit.mongo import Document
from xapi import loads
from xapi.parsing import JsonObject

from ingest.attachments.multipart import MEDIA_TYPE
from ingest.attachments.repository import AttachmentRepository, Held, sha2_of

Statements = Sequence[tuple[Document, bytes]]
"""As documents, and opened."""

_UNKNOWN_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class _Part:
    head: bytes
    data: bytes | Held

    @property
    def size(self) -> int:
        return len(self.head) + (len(self.data) if isinstance(self.data, bytes) else self.data.size)


class Answerer:
    """Each attachment's data comes once, in the order in which the statements name them; forgotten data does not."""

    def __init__(self, repository: AttachmentRepository) -> None:
        self._repository = repository

    async def answer(
        self,
        request: Request,
        content: bytes,
        statements: Statements,
        headers: Mapping[str, str],
    ) -> Response:
        """`content` is the JSON that comes first, `statements` are those in it."""
        boundary = secrets.token_hex(24)
        parts = [_Part(_head(boundary, {"Content-Type": "application/json"}, len(content)), content)]
        for sha2, content_type, held in await self._data(statements):
            about = {
                "Content-Type": content_type,
                "Content-Transfer-Encoding": "binary",
                "X-Experience-API-Hash": sha2,
            }
            parts.append(_Part(_head(boundary, about, held.size, is_first=False), held))
        end = f"\r\n--{boundary}--\r\n".encode()
        length = sum(part.size for part in parts) + len(end)
        headers = dict(headers) | {
            "Content-Type": f"{MEDIA_TYPE}; boundary={boundary}",
            "Content-Length": str(length),
        }
        if request.method == "HEAD":
            return Response(status_code=200, headers=headers)
        return StreamingResponse(self._body(parts, end), 200, headers)

    async def _data(self, statements: Statements) -> list[tuple[str, str, Held]]:
        """SHA-2, media type and where the data is."""
        keys: dict[str, str] = {}
        for document, opened in statements:
            if not document.get("blobs"):
                continue
            types = dict(_types(loads(opened)))
            for key in document["blobs"]:
                keys.setdefault(key, types.get(sha2_of(key), _UNKNOWN_TYPE))
        held = await self._repository.find(keys.keys())
        once = {sha2_of(key): (content_type, held[key]) for key, content_type in reversed(keys.items()) if key in held}
        return [(sha2, *one) for sha2, one in reversed(once.items())]

    async def _body(self, parts: Iterable[_Part], end: bytes) -> AsyncIterator[bytes]:
        for part in parts:
            yield part.head
            if isinstance(part.data, bytes):
                yield part.data
            else:
                async for chunk in self._repository.read(part.data):
                    yield chunk
        yield end


def _head(boundary: str, headers: Mapping[str, str], size: int, *, is_first: bool = True) -> bytes:
    lines = [f"--{boundary}", *(f"{name}: {_one_line(value)}" for name, value in headers.items())]
    text = "\r\n".join([*lines, f"Content-Length: {size}", "", ""])
    return ("" if is_first else "\r\n").encode() + text.encode("ascii", "replace")


def _one_line(value: str) -> str:
    """A media type's parameters come from outside."""
    return " ".join(value.split())


def _types(raw: JsonObject) -> Iterable[tuple[str, str]]:
    """Of each attachment; the statement's own before its SubStatement's."""
    for part in (raw["object"], raw):
        for one in part.get("attachments", ()):
            yield one["sha2"].lower(), one["contentType"]
