"""The work of closing a tenant: export, wait, erase all learners, certify. The worker's job, resumable at each step."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from events.payloads import Policy, Unknown
from service_kit.audit import Action, AuditEntry, Who
from service_kit.mongo import Session, in_transaction
from service_kit.peers import PeerAway, Peers
from service_kit.problems import Conflict, NotFound
from service_kit.turning import Turning
from uuid_utils.compat import uuid7

from privacy.access.making import Plan, make
from privacy.certificates.jws import signed
from privacy.certificates.wording import CONTEXT
from privacy.closing.repository import Closing, Stage
from privacy.closing.settings import ClosingSettings
from privacy.keys.replacing import Replacing
from privacy.requests.asking import Asking, ask
from privacy.requests.progress import CARRIERS
from privacy.state import State

log = logging.getLogger(__name__)

REST_SECONDS: Final = 2.0
CLAIM: Final = timedelta(minutes=5)
AGAIN: Final = timedelta(seconds=30)
AT_ONCE: Final = 50
BY: Final = "closing"


async def begin(tenant: str, state: State) -> Closing:
    """Start to close; one that is under way stays as it is."""

    async def start(session: Session) -> Closing:
        held = await state.closings.find(tenant, session)
        if held is not None and (held.open or held.stage is Stage.closed):
            return held
        now = state.clock()
        made = Closing(tenant, Stage.exporting, now, now + timedelta(days=ClosingSettings().closing_wait_days))
        await state.closings.put(made, now, session)
        return made

    return await in_transaction(state.client, start)


async def cancel(tenant: str, state: State) -> Closing:
    """Change one's mind, while nothing is erased yet. Raises `NotFound`, `Conflict`."""

    async def stop(session: Session) -> Closing:
        held = await state.closings.find(tenant, session)
        if held is None:
            raise NotFound("This tenant is not being closed")
        if held.stage not in (Stage.exporting, Stage.waiting, Stage.cancelled):
            raise Conflict(f"The tenant is {held.stage.value}: that cannot be undone")
        stopped = replace(held, stage=Stage.cancelled)
        await state.closings.put(stopped, None, session)
        return stopped

    return await in_transaction(state.client, stop)


def archive_key(tenant: str, number: int) -> str:
    return f"closing/{tenant}/{number:08}"


class ClosingTenants:
    """The worker's job."""

    def __init__(self, state: State, peers: Peers, replacing: Replacing | None = None) -> None:
        self._state = state
        self._replacing = replacing  # None: everything lies in the clear
        self._peers = peers
        self.run = Turning("closing tenants", self.turn, rest_seconds=REST_SECONDS).run

    async def turn(self) -> bool:
        """One step of the next tenant that is due; whether there was one that goes on at once."""
        now = self._state.clock()
        closing = await self._state.closings.next_due(now, now + CLAIM)
        if closing is None:
            return False
        try:
            after, due = await self._step(closing, now)
        except PeerAway as error:
            log.warning("closing a tenant waits for %s: %s", error.service, error.reason)
            after, due = closing, now + AGAIN
        await self._state.closings.move(closing, after, due)
        return due is not None and due <= now

    async def _step(self, closing: Closing, now: datetime) -> tuple[Closing, datetime | None]:
        """The closing afterwards, and when to look again."""
        if closing.stage is Stage.exporting:
            return await self._export(closing, now)
        if closing.stage is Stage.waiting:
            await self._shut(closing.tenant)
            return replace(closing, stage=Stage.erasing, cursor=""), now
        return await self._erase(closing, now)

    async def _export(self, closing: Closing, now: datetime) -> tuple[Closing, datetime | None]:
        """The next learners' archives; they stay until the erasure."""
        learners = await self._learners(closing)
        for learner in learners:
            closing = replace(closing, cursor=learner, exported=closing.exported + 1)
            key, services = archive_key(closing.tenant, closing.exported), tuple(sorted(CARRIERS))
            expires = closing.erase_after + timedelta(days=1)
            made, _ = await make(
                Plan(closing.tenant, learner, key, 1, "access", services, expires), self._state, self._peers
            )
            put = partial(self._state.archives.put, closing.tenant, made)
            await in_transaction(self._state.client, put)
        if learners:
            return closing, now
        return replace(closing, stage=Stage.waiting), max(closing.erase_after, now)

    async def _shut(self, tenant: str) -> None:
        """From now on nothing comes in: no credential is left, and no purpose allows anything."""
        await self._peers.whole("ingest", tenant, "close")

        async def deny(session: Session) -> None:
            policy = await self._state.policies.find(tenant, session)
            if policy is not None:
                await self._state.policies.put(tenant, _denied(policy), self._state.clock(), session)

        await in_transaction(self._state.client, deny)

    async def _erase(self, closing: Closing, now: datetime) -> tuple[Closing, datetime | None]:
        """The next learners, as many as are carried out at a time; when none is left, the certificate."""
        running = await self._state.requests.count_unfinished(closing.tenant, "erasure")
        learners = (await self._learners(closing))[: max(0, AT_ONCE - running)]
        for learner in learners:
            try:
                await ask(Asking(closing.tenant, "erasure", learner, True, BY, by=BY), self._state)
            except Conflict:  # an inspection is open: nothing is destroyed before it is over
                log.warning("closing a tenant waits for an open request")
                return closing, now + AGAIN
            closing = replace(closing, cursor=learner)
        if learners or running:
            return closing, now + timedelta(seconds=REST_SECONDS)
        if closing.cursor and await self._peers.learners(closing.tenant, "", AT_ONCE):
            return replace(closing, cursor=""), now + AGAIN  # some are there still: from the beginning again
        await self._peers.whole("ingest", closing.tenant, "destroy-key")
        if self._replacing is None:
            return await self._certified(closing, now), None
        await self._replacing.end(closing.tenant)
        return await self._certified(replace(closing, keys_destroyed_at=self._state.clock()), now), None

    async def _certified(self, closing: Closing, now: datetime) -> Closing:
        counts, erased, failed = await self._state.requests.sum_of(closing.tenant, BY)
        done = replace(
            closing, stage=Stage.closed, counts=counts, erased=erased, failed=failed, closed_at=now, cursor=""
        )
        jws = signed(certificate(done, now), await self._state.signing.signer(), "ld+json")
        entry = AuditEntry(closing.tenant, Who.itself("privacy"), Action.erased, "tenant", count=erased)
        await self._state.audit.record(entry)
        return replace(done, jws=jws)

    async def _learners(self, closing: Closing) -> list[str]:
        if not self._peers.serves(closing.tenant):
            raise PeerAway("privacy", "TRELLIS_SERVICE_TOKEN is missing or of another tenant")
        return await self._peers.learners(closing.tenant, closing.cursor, AT_ONCE)


def certificate(closing: Closing, now: datetime) -> dict[str, Any]:
    """What is signed when a tenant has left."""
    return {
        "@context": CONTEXT,
        "@id": f"urn:uuid:{uuid7()}",
        "@type": "ClosingCertificate",
        "dct:issued": _moment(now),
        "tenant": closing.tenant,
        "asked_at": _moment(closing.asked_at),
        "erased_from": _moment(closing.erase_after),
        "closed_at": _moment(closing.closed_at or now),
        "learners": {"exported": closing.exported, "erased": closing.erased, "failed": closing.failed},
        "services": closing.counts,
        "keys_destroyed_at": closing.keys_destroyed_at and _moment(closing.keys_destroyed_at),
    }


def _denied(policy: Policy) -> Policy:
    purposes = {name: rule.model_copy(update={"unknown": Unknown.denied}) for name, rule in policy.purposes.items()}
    return policy.model_copy(update={"version": policy.version + 1, "purposes": purposes})


def _moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
