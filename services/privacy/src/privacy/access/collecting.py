"""Makes the archives that access and portability requests ask for, in the background.

Each attempt asks every service anew and seals what comes chunk by chunk. A service that does not answer ends the
attempt; the next comes later, and who stays silent is escalated as with every other request.
"""

import hashlib
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from events.sealing import KeyGone, Owner
from service_kit.audit import Action, AuditEntry, Who
from service_kit.mongo import Session, in_transaction
from service_kit.subjects import Item, Record
from service_kit.turning import Turning

from privacy.access.own import own
from privacy.access.peers import PeerAway, Peers
from privacy.access.readme import readme
from privacy.access.repository import CHUNK, Made
from privacy.access.writing import README, Archive
from privacy.requests.progress import COLLECTED, Carried, DataRequest, Status, overdue, received
from privacy.requests.settings import RequestSettings
from privacy.state import State

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 1.0
# What the learner has provided, and nothing that was worked out from it (GDPR 20(1)).
PORTABLE: Final = frozenset({"identifiers", "statements", "documents", "attachments"})


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
        if not self._peers.serves(tenant):
            raise PeerAway("privacy", "TRELLIS_SERVICE_TOKEN is missing or of another tenant")
        now = self._state.clock()
        writing = _Writing(self._state, tenant, request, now + self._kept_for)
        archive = Archive(now)
        for service in sorted(request.carriers - {"privacy"}):
            async for item in self._peers.held(service, request.learner):
                if request.type == "access" or _name(item) in PORTABLE:
                    archive.add(service, item)
                    await writing.drain(archive)
        if request.type == "access":
            async for item in own(tenant, request.learner, self._state):
                archive.add("privacy", item)
                await writing.drain(archive)
        counts = {service: archive.counts(service) for service in sorted(request.carriers)}
        archive.put(README, readme(archive.entries, request.type, now))
        archive.manifest({"request": request.id, "right": request.type, "made_at": now, "services": counts})
        archive.close()
        await writing.drain(archive, rest=True)
        await self._finish(tenant, request, writing.made(now), counts)

    async def _finish(self, tenant: str, request: DataRequest, made: Made, counts: dict[str, dict[str, int]]) -> None:
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


@dataclass
class _Writing:
    """An archive's bytes on their way into sealed chunks."""

    state: State
    tenant: str
    request: DataRequest
    expires_at: datetime
    number: int = 0
    size: int = 0

    def __post_init__(self) -> None:
        self.digest = hashlib.sha256()

    async def drain(self, archive: Archive, *, rest: bool = False) -> None:
        """Store every whole chunk that waits, with `rest` the last one too."""
        while archive.waiting >= CHUNK or (rest and archive.waiting):
            data = archive.taken(CHUNK)
            self.digest.update(data)
            self.size += len(data)
            owner = Owner(self.tenant, self.request.learner)
            await self.state.archives.add_chunk(
                owner, self.request.id, self.request.sent, self.number, data, self.expires_at
            )
            self.number += 1

    def made(self, now: datetime) -> Made:
        return Made(
            request=self.request.id,
            attempt=self.request.sent,
            size=self.size,
            sha256=self.digest.hexdigest(),
            chunks=self.number,
            made_at=now,
            expires_at=self.expires_at,
        )


def _name(item: Item) -> str:
    """The part of a record, the folder of a file."""
    return item.part if isinstance(item, Record) else item.file.partition("/")[0]
