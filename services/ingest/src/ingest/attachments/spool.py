"""The data of one attachment on its way: hashed as it comes, small in memory, larger in a nameless temporary file."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from tempfile import SpooledTemporaryFile
from typing import Final

IN_MEMORY: Final = 64 * 1024
_AT_ONCE: Final = 256 * 1024
_ALGORITHMS: Final = {56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}


class Spool:
    """Write all of it, then read it as often as needed; never both at the same time."""

    def __init__(self, sha2: str) -> None:
        """`sha2` is the hash that the data should have, in lower case; its length tells which one of the family."""
        self.size = 0
        self._wanted = sha2
        self._hash = hashlib.new(_ALGORITHMS[len(sha2)])
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 — closed by `close`
        self._waiting = bytearray()

    async def write(self, data: bytes) -> None:
        self.size += len(data)
        self._hash.update(data)
        self._waiting += data
        if len(self._waiting) >= _AT_ONCE:
            await self.finish()

    @property
    def is_right(self) -> bool:
        """Whether the data so far has the hash that it should."""
        return self._hash.hexdigest() == self._wanted

    async def chunks(self, size: int) -> AsyncIterator[bytes]:
        """All of it from the beginning; each chunk but the last is of this size."""
        await self.finish()
        self._file.seek(0)
        while chunk := await asyncio.to_thread(self._file.read, size) if self._is_on_disk else self._file.read(size):
            yield chunk

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self.chunks(_AT_ONCE)])

    def close(self) -> None:
        self._file.close()

    @property
    def _is_on_disk(self) -> bool:
        return self.size > IN_MEMORY

    async def finish(self) -> None:
        """Let go of the memory that small writes are gathered in."""
        data, self._waiting = self._waiting, bytearray()
        if self._is_on_disk:
            await asyncio.to_thread(self._file.write, data)
        else:
            self._file.write(data)
