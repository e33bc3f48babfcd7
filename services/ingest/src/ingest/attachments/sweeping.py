"""Attachments' data that no statement came to hold: a job of `work`."""

import logging
from typing import Final

from service_kit.turning import Turning

from ingest.attachments.repository import AttachmentRepository, Holders

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 60.0


class Sweeping:
    def __init__(
        self, repository: AttachmentRepository, holders: Holders, every_seconds: float = EVERY_SECONDS
    ) -> None:
        self._repository = repository
        self._holders = holders
        self.run = Turning("attachments", self._turn, rest_seconds=every_seconds).run

    async def _turn(self) -> bool:
        if swept := await self._repository.sweep(self._holders):
            log.info("swept %d attachments that no statement holds", swept)
        return False
