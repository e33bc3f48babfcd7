"""Makes the archives that access and portability requests ask for, in the background.

Each attempt asks every service anew and seals what comes chunk by chunk. A service that does not answer ends the
attempt; the next comes later, and who stays silent is escalated as with every other request.
"""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Final

from events.sealing import KeyGone
from service_kit.audit import Action, AuditEntry, Who
from service_kit.mongo import Session, in_transaction
from service_kit.peers import PeerAway, Peers
from service_kit.turning import Turning

from privacy.access.making import Counts, Plan, make
from privacy.access.repository import Made
from privacy.requests.progress import COLLECTED, Carried, DataRequest, Status, overdue, received
from privacy.requests.settings import RequestSettings
from privacy.retention.holding import let_go
from privacy.retention.holds import inspection
from privacy.state import State

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 1.0


class Collecting:
    """The worker's job."""

    def __init__(self, state: State, peers: Peers, settings: RequestSettings) -> None:
        self._state = state
        self._peers = peers
        self._resend = timedelta(seconds=settings.erasure_resend_seconds)
        self._escalate_after = timedelta(seconds=settings.request_escalation_seconds)
        self._kept_for = timedelta(days=settings.archive_days)
        turning = Turning("access requests", self._turn, rest_seconds=POLL_SECONDS)
        self.run, self.wake = turning.run, turning.wake

    async def _turn(self) -> bool:
        return await self.turn() > 0

    async def turn(self) -> int:
        """Make the archives that are due; how many were tried."""
        tried = 0
        for tenant, request in await self._state.requests.due(self._state.clock(), sorted(COLLECTED), limit=10):
            tried += await self._try(tenant, request)
        return tried

    async def _try(self, tenant: str, request: DataRequest) -> bool:
        """Take the request for a while and make its archive; whether it was ours."""
        taken = overdue(request, self._state.clock(), self._resend, self._escalate_after)
        if not await self._state.requests.resend(tenant, request, taken, send=False):
            return False
        if taken.status is not Status.running:
            return True
        try:
            await self._make(tenant, taken)
        except PeerAway as error:
            log.warning(
                "an access request waits for %s: %s", error.service, error.reason, extra={"request": request.id}
            )
        except KeyGone:
            log.warning("an access request is about someone forgotten", extra={"request": request.id})
        return True

    async def _make(self, tenant: str, request: DataRequest) -> None:
        expires_at, services = self._state.clock() + self._kept_for, tuple(sorted(request.carriers))
        plan = Plan(tenant, request.learner, request.id, request.sent, request.type, services, expires_at)
        made, counts = await make(plan, self._state, self._peers)
        await self._finish(tenant, request, made, counts)

    async def _finish(self, tenant: str, request: DataRequest, made: Made, counts: Counts) -> None:
        now = self._state.clock()

        async def finish(session: Session) -> None:
            held = await self._state.requests.find(tenant, request.id, session)
            if held is None or held.status not in (Status.running, Status.failed):
                return  # the learner was erased meanwhile, or another attempt was quicker
            done = replace(held, receipts={})
            for service, own_counts in counts.items():
                done = received(done, service, Carried(own_counts, now))
            await self._state.archives.put(tenant, made, session)
            await self._state.requests.put(tenant, done, session, certify=True)
            await let_go(tenant, request.learner, inspection(request.id), self._state, session)
            entry = AuditEntry(
                tenant,
                Who.itself("privacy"),
                Action.exported,
                f"requests/{request.type}",
                (request.learner,),
                request.clauses[0] if request.clauses else "",
            )
            await self._state.audit.record(entry, session)

        await in_transaction(self._state.client, finish)
