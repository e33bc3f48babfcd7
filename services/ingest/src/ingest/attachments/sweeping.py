"""Attachments' data that no statement came to hold: a job of `work`."""

import asyncio
import logging
from typing import Final

from service_kit.mongo import away

from ingest.attachments.repository import AttachmentRepository, Holders

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 60.0


class Sweeping:
    def __init__(
        self, repository: AttachmentRepository, holders: Holders, every_seconds: float = EVERY_SECONDS
    ) -> None:
        self._repository = repository
        self._holders = holders
        self._every_seconds = every_seconds

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                swept = await self._repository.sweep(self._holders)
            except Exception as error:
                if not away(error):
                    raise
                swept = 0
            if swept:
                log.info("swept %d attachments that no statement holds", swept)
            await asyncio.sleep(self._every_seconds)
