"""Sends requests again whose receipts have not come: a service may have been wiped, a topic lost."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from service_kit.clock import Clock
from service_kit.turning import Turning

from privacy.requests.progress import overdue
from privacy.requests.repository import Requests
from privacy.settings import ErasureSettings

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 2.0


class Resending:
    """The worker's job. The given `wake` makes the relay look at once."""

    def __init__(self, requests: Requests, settings: ErasureSettings, clock: Clock, wake: Callable[[], None]) -> None:
        self._requests = requests
        self._resend = timedelta(seconds=settings.erasure_resend_seconds)
        self._failed_after = timedelta(days=settings.erasure_failed_days)
        rest = min(POLL_SECONDS, settings.erasure_resend_seconds)
        self.run = Turning("resending", self._turn, rest_seconds=rest).run
        self._clock = clock
        self._wake = wake

    async def _turn(self) -> bool:
        return await self.turn() > 0

    async def turn(self) -> int:
        """Send again what is due; how many."""
        now = self._clock()
        sent = 0
        for tenant, request in await self._requests.due(now, limit=100):
            sent += await self._requests.resend(
                tenant, request, overdue(request, now, self._resend, self._failed_after)
            )
        if sent:
            log.warning("sent requests again whose receipts are missing", extra={"requests": sent})
            self._wake()
        return sent
