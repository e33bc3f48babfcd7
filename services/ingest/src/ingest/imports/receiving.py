"""Lines, and with `multipart/mixed` the data of their attachments: first the lines, then each under its hash."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from service_kit.problems import TooLarge

from ingest.attachments.multipart import MEDIA_TYPE, Head, Malformed, Splitter, boundary_of
from ingest.attachments.repository import AttachmentRepository, Attachments
from ingest.attachments.spool import Spool
from ingest.statements.refusals import wrong_header

MOST_BYTES: Final = 8 * 1024 * 1024
"""Of the lines; what attachments may bring is limited as for the statements resource."""
MOST_ATTACHMENTS: Final = 1000
_HASH: Final = "X-Experience-API-Hash"
_LENGTHS: Final = frozenset({56, 64, 96, 128})


@dataclass(frozen=True, slots=True)
class Received:
    lines: bytes
    attachments: Attachments | None = None


@asynccontextmanager
async def received(request: Request, repository: AttachmentRepository) -> AsyncIterator[Received]:
    """The lines, with the data as long as the block lasts. Raises `BadRequest`, `TooLarge`.

    Data under a wrong hash, or under none, is left out: what another LRS has lost is no reason to lose the statement.
    """
    content_type = request.headers.get("Content-Type", "")
    if content_type.partition(";")[0].strip().lower() != MEDIA_TYPE:
        yield Received(await request.body())
        return
    parts = _Parts()
    try:
        splitter = Splitter(boundary_of(content_type))
        async for chunk in request.stream():
            for event in splitter.feed(chunk):
                await parts.take(event)
        splitter.close()
        right = {sha2: spool for sha2, spool in parts.spools.items() if spool.is_right}
        yield Received(bytes(parts.lines), Attachments(repository, right))
    except Malformed as error:
        raise wrong_header("Content-Type", str(error)) from None
    finally:
        for spool in parts.spools.values():
            spool.close()


class _Parts:
    def __init__(self) -> None:
        self.lines = bytearray()
        self.spools: dict[str, Spool] = {}
        self._count = 0
        self._current: Spool | None = None

    async def take(self, event: object) -> None:
        if isinstance(event, Head):
            self._count += 1
            self._current = self._spool(event) if self._count > 1 else None
        elif isinstance(event, bytes):
            await self._data(event)
        elif self._current is not None:
            await self._current.finish()

    async def _data(self, data: bytes) -> None:
        if self._current is not None:
            await self._current.write(data)
        elif self._count == 1:
            self.lines += data
            if len(self.lines) > MOST_BYTES:
                raise TooLarge(f"The lines are larger than {MOST_BYTES} bytes")

    def _spool(self, head: Head) -> Spool | None:
        sha2 = head.headers.get(_HASH, "").lower()
        if len(sha2) not in _LENGTHS or sha2 in self.spools:
            return None
        if len(self.spools) >= MOST_ATTACHMENTS:
            raise TooLarge(f"More than {MOST_ATTACHMENTS} attachments in one request")
        self.spools[sha2] = Spool(sha2)
        return self.spools[sha2]
