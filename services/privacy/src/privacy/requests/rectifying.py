"""Carries approved rectifications out: ingest voids the statement and stores the correction."""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Final

from service_kit.mongo import Session, in_transaction
from service_kit.peers import PeerAway, PeerRefuses, Peers
from service_kit.turning import Turning

from privacy.requests.progress import Carried, DataRequest, Status, overdue, received
from privacy.requests.settings import RequestSettings
from privacy.state import State

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 1.0
RECTIFIED: Final = ("rectification",)


class Rectifying:
    """The worker's job."""

    def __init__(self, state: State, peers: Peers, settings: RequestSettings) -> None:
        self._state = state
        self._peers = peers
        self._resend = timedelta(seconds=settings.erasure_resend_seconds)
        self._escalate_after = timedelta(seconds=settings.request_escalation_seconds)
        self.run = Turning("rectifications", self._turn, rest_seconds=POLL_SECONDS).run

    async def _turn(self) -> bool:
        return await self.turn() > 0

    async def turn(self) -> int:
        """Carry out what is due; how many were tried."""
        due = await self._state.requests.due(self._state.clock(), RECTIFIED, limit=10)
        for tenant, request in due:
            taken = overdue(request, self._state.clock(), self._resend, self._escalate_after)
            if await self._state.requests.resend(tenant, request, taken, send=False) and taken.status is Status.running:
                await self._try(tenant, taken)
        return len(due)

    async def _try(self, tenant: str, request: DataRequest) -> None:
        if not self._peers.serves(tenant):
            log.warning("a rectification waits: TRELLIS_SERVICE_TOKEN is missing or of another tenant")
            return
        body = {
            "request": request.id,
            "asked_at": request.requested_at.isoformat(),
            "statement_id": request.details["statement_id"],
            "correction": request.details.get("correction"),
        }
        try:
            answer = await self._peers.post("ingest", tenant, request.learner, "rectifications", body)
        except PeerAway as error:
            log.warning("a rectification waits for %s: %s", error.service, error.reason, extra={"request": request.id})
        except PeerRefuses as error:
            await self._back_to_the_officer(tenant, request, str(error))
        else:
            await self._done(tenant, request, answer["counts"])

    async def _done(self, tenant: str, request: DataRequest, counts: dict[str, int]) -> None:
        now = self._state.clock()

        async def finish(session: Session) -> None:
            held = await self._state.requests.find(tenant, request.id, session)
            if held is not None:
                done = received(received(held, "privacy", Carried({}, now)), "ingest", Carried(counts, now))
                await self._state.requests.put(tenant, done, session, certify=done.status is Status.completed)

        await in_transaction(self._state.client, finish)

    async def _back_to_the_officer(self, tenant: str, request: DataRequest, reason: str) -> None:
        """It cannot be carried out as it stands: pending again, with the reason."""

        async def back(session: Session) -> None:
            held = await self._state.requests.find(tenant, request.id, session)
            if held is not None and held.status is Status.running:
                details = {**held.details, "not_carried_out": reason}
                again = replace(held, status=Status.pending, details=details, started_at=None, send_again_at=None)
                await self._state.requests.put(tenant, again, session, texts=True)

        await in_transaction(self._state.client, back)
