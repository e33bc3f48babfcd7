"""Tells forwarding targets of an erasure by voiding statements (1.0.3 Data 2.3.2), and privacy what came of it."""

import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import httpx2
import xapi
from events.payloads import Receipt, Told
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from service_kit.clock import Clock
from service_kit.mongo import Client, Session, in_transaction
from service_kit.settings import danger
from service_kit.turning import Turning
from xapi import VOIDED
from xapi.parsing import JsonObject

from ingest.attachments.repository import AttachmentRepository
from ingest.disclosures.repository import DisclosureRepository, Passing
from ingest.disclosures.telling import FORWARDING_GONE
from ingest.forwarding.repository import Forwarding, ForwardingRepository
from ingest.forwarding.sending import HttpTarget, Item, Target, Waits, deliver

log = logging.getLogger(__name__)

REST_SECONDS: Final = 1.0
CLAIM: Final = timedelta(minutes=5)
FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(hours=1)
BATCH: Final = 100
WHO: Final[JsonObject] = {
    "objectType": "Agent",
    "account": {"homePage": "https://trellis.invalid/privacy", "name": "erasure"},
}

SendReceipt = Callable[[str, str, Receipt, Session], Awaitable[None]]


class PassingSettings(BaseSettings):
    """How long recipients have to answer."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", frozen=True, extra="ignore")

    passing_on_hours: float = Field(
        72,
        gt=0,
        description="A recipient that has not taken an erasure by then is named on its certificate as failed",
        json_schema_extra=danger("Short: a recipient that is down over a weekend counts as one that refused."),
    )


@dataclass
class PassingOn:
    """The worker's job."""

    client: Client
    disclosures: DisclosureRepository
    forwardings: ForwardingRepository
    target_of: Callable[[Forwarding], Target]
    clock: Clock
    receipt: SendReceipt
    patience: timedelta = field(default_factory=lambda: timedelta(hours=PassingSettings().passing_on_hours))

    def __post_init__(self) -> None:
        self.run = Turning("passing on", self.turn, rest_seconds=REST_SECONDS).run

    async def turn(self) -> bool:
        """Pass on the next that is due; whether there was one."""
        now = self.clock()
        passing = await self.disclosures.next_due(now, now + CLAIM)
        if passing is None:
            return False
        forwarding = await self.forwardings.one(passing.tenant, passing.forwarding)
        if forwarding is None:
            await self._end(passing, FORWARDING_GONE)
            return True
        try:
            refused = await self._tell(passing, self.target_of(forwarding))
        except Waits as waits:
            await self._wait(passing, waits)
        else:
            await self._end(passing, refused)
        return True

    async def _tell(self, passing: Passing, target: Target) -> str | None:
        """Why it was refused, if it was. Raises `Waits`."""
        items = [_voiding(passing, one) for one in passing.statements]
        for start in range(0, len(items), BATCH):
            delivery = await deliver(target, items[start : start + BATCH], failing_long=passing.tries > BATCH)
            if delivery.dead:
                return f"refused: {delivery.dead[0].reason}"
        return None

    async def _wait(self, passing: Passing, waits: Waits) -> None:
        now = self.clock()
        if now - passing.since >= self.patience:
            await self._end(passing, f"no answer: {waits.reason}")
            return
        pause = min(FIRST_PAUSE * 2 ** min(passing.tries, 20), LONGEST_PAUSE)
        await self.disclosures.again(passing, now + pause)

    async def _end(self, passing: Passing, reason: str | None) -> None:
        """With its last part the recipient has answered; a refused part ends it at once."""
        told = Told(
            name=passing.name,
            purpose=passing.purpose,
            outcome="received" if reason is None else "failed",
            statements=passing.total,
            reason=reason,
        )

        async def end(session: Session) -> bool:
            last = await self.disclosures.done(passing, all_parts=reason is not None, session=session)
            if last:
                receipt = Receipt(
                    service="ingest",
                    kind="recipients",
                    request_id=passing.request,
                    recipients=[told],
                    completed_at=self.clock(),
                )
                await self.receipt(passing.tenant, passing.request, receipt, session)
            return last

        if await in_transaction(self.client, end):
            log.info("a recipient has answered", extra={"request": passing.request, "outcome": told.outcome})


def targets(http: httpx2.AsyncClient, attachments: AttachmentRepository) -> Callable[[Forwarding], Target]:
    return lambda forwarding: HttpTarget(http, attachments, forwarding)


def _voiding(passing: Passing, statement: str) -> Item:
    """The same each time it is sent; about nobody."""
    body: JsonObject = {
        "id": str(uuid.uuid5(uuid.UUID(passing.request), statement)),
        "actor": WHO,
        "verb": {"id": VOIDED},
        "object": {"objectType": "StatementRef", "id": statement},
        "timestamp": passing.since.isoformat().replace("+00:00", "Z"),
    }
    return Item(f"{passing.tenant}/{body['id']}", body, xapi.dumps(body))
