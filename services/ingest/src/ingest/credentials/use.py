"""When a credential was last used: written beside the requests, at most once a minute each."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from ingest.identities.cache import Cache

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 60.0
KEYS: Final = 10_000


class LastUse:
    def __init__(self, write: Callable[[str], Awaitable[None]], now: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._noted: Cache[str, bool] = Cache(KEYS, EVERY_SECONDS, now)
        self._tasks: set[asyncio.Task[None]] = set()

    def note(self, key: str) -> None:
        """Returns at once; what cannot be written is left out."""
        if self._noted.get(key) is not None:
            return
        self._noted.put(key, True)
        task = asyncio.create_task(self._try(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait for what is being written."""
        await asyncio.gather(*self._tasks)

    async def _try(self, key: str) -> None:
        try:
            await self._write(key)
        except Exception as error:
            log.warning("the last use of a credential was not written: %s", type(error).__name__)
