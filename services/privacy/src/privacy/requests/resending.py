"""Sends requests again whose receipts have not come: a service may have been wiped, a topic lost.

Who stays silent is escalated: shown with the request, counted in a metric, and a line in the log. So is a request on
which no officer has decided a week before its deadline.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from service_kit import metrics
from service_kit.clock import Clock
from service_kit.turning import Turning

from privacy.requests.progress import overdue
from privacy.requests.repository import Requests
from privacy.requests.settings import RequestSettings

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 2.0
SENT: Final = ("erasure",)
NEARLY_DUE: Final = timedelta(days=7)
WATCHED: Final = ("erasure", "restriction", "objection")


class Resending:
    """The worker's job. The given `wake` makes the relay look at once."""

    def __init__(self, requests: Requests, settings: RequestSettings, clock: Clock, wake: Callable[[], None]) -> None:
        self._requests = requests
        self._resend = timedelta(seconds=settings.erasure_resend_seconds)
        self._escalate_after = timedelta(seconds=settings.request_escalation_seconds)
        rest = min(POLL_SECONDS, settings.erasure_resend_seconds)
        self.run = Turning("resending", self._turn, rest_seconds=rest).run
        self._clock = clock
        self._wake = wake
        self._escalated = 0
        metrics.observe(metrics.REQUESTS_ESCALATED, lambda: [(self._escalated, {})])

    async def _turn(self) -> bool:
        return await self.turn() > 0

    async def turn(self) -> int:
        """Send again what is due; how many."""
        now = self._clock()
        sent = 0
        for tenant, request in await self._requests.due(now, WATCHED, limit=100):
            after = overdue(request, now, self._resend, self._escalate_after)
            sent += await self._requests.resend(tenant, request, after, send=request.type in SENT)
            if after.escalated_at is not None and request.escalated_at is None:
                log.error("services stay silent on a request", extra={"request": request.id, "silent": after.silent})
        for request_id, due_at in await self._requests.escalate_waiting(now + NEARLY_DUE, now):
            log.error("a request waits for an officer", extra={"request": request_id, "due_at": due_at.isoformat()})
        self._escalated = await self._requests.count_escalated()
        if sent:
            log.warning("sent requests again whose receipts are missing", extra={"requests": sent})
            self._wake()
        return sent
