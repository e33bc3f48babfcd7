"""Checkpoints when it is time, and the pruning of what is older than it is kept."""

import logging
from datetime import timedelta
from functools import partial
from typing import Final

from service_kit.audit import Action, Audit, AuditEntry, Who
from service_kit.mongo import Client, Session, in_transaction
from service_kit.turning import Turning

from privacy.audit.chaining import Chaining, due
from privacy.settings import AuditChainSettings

log = logging.getLogger(__name__)

REST_SECONDS: Final = 60.0


class Keeping:
    """The worker's job."""

    def __init__(self, client: Client, chaining: Chaining, audit: Audit, settings: AuditChainSettings) -> None:
        self._client = client
        self._chaining = chaining
        self._audit = audit
        self._pause = timedelta(minutes=settings.audit_checkpoint_minutes)
        self._keep = timedelta(days=settings.audit_keep_days)
        self.run = Turning("audit", self._turn, rest_seconds=REST_SECONDS).run

    async def _turn(self) -> bool:
        await self.turn()
        return False

    async def turn(self) -> int:
        """How many entries were pruned."""
        now, removed = self._chaining.clock(), 0
        for head in await self._chaining.chain.heads():
            tenant = head.signed.mark.tenant
            if due(head, now, self._pause):
                await in_transaction(self._client, partial(self._chaining.checkpoint, tenant))
            if self._keep:
                removed += await in_transaction(self._client, partial(self._prune, tenant))
        if removed:
            log.info("pruned the audit", extra={"entries": removed})
        return removed

    async def _prune(self, tenant: str, session: Session) -> int:
        removed = await self._chaining.prune(tenant, self._chaining.clock() - self._keep, session)
        if removed:
            who = Who.itself("privacy")
            entry = AuditEntry(tenant, who, Action.erased, "audit", ground="audit_keep_days", count=removed)
            await self._audit.record(entry, session)
        return removed
