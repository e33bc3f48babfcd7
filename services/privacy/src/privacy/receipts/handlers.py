"""Receipts in: what enforces a decision now, and who has erased what."""

from collections.abc import Sequence
from typing import Final

from events.consumer import Rejected
from events.envelope import Message
from events.payloads import Receipt
from service_kit.mongo import Session

from privacy.consents.decisions import ENFORCERS
from privacy.consents.repository import Consents
from privacy.requests.progress import Carried, received
from privacy.requests.repository import Requests

UNKNOWN_SERVICE: Final = "/service: not one that enforces decisions"


class ReceiptHandler:
    def __init__(self, consents: Consents, requests: Requests) -> None:
        self._consents = consents
        self._requests = requests

    async def handle(self, messages: Sequence[Message], session: Session) -> None:
        strangers = [(m, UNKNOWN_SERVICE) for m in messages if m.payload and m.payload.service not in ENFORCERS]
        if strangers:
            raise Rejected(strangers)
        await self._acknowledged(messages, session)
        for message in messages:
            receipt: Receipt | None = message.payload
            if receipt is not None and receipt.kind == "erasure" and message.subject and receipt.request_id:
                await self._erased(message.tenant, message.subject, receipt, session)

    async def committed(self) -> None:
        """Nothing here publishes."""

    async def _acknowledged(self, messages: Sequence[Message], session: Session) -> None:
        versions: dict[tuple[str, str, str], int] = {}
        for message in messages:
            receipt: Receipt | None = message.payload
            if receipt is not None and receipt.kind == "consent" and message.subject and receipt.version:
                place = (message.tenant, message.subject, receipt.service)
                versions[place] = max(receipt.version, versions.get(place, 0))
        for tenant in {tenant for tenant, _, _ in versions}:
            own = [(learner, service, v) for (t, learner, service), v in versions.items() if t == tenant]
            await self._consents.acknowledge(tenant, own, session)

    async def _erased(self, tenant: str, learner: str, receipt: Receipt, session: Session) -> None:
        request = await self._requests.find(tenant, receipt.request_id or "", session)
        if request is None or request.learner != learner:
            return
        after = received(request, receipt.service, Carried(receipt.counts, receipt.completed_at))
        if after is not request:
            await self._requests.put(tenant, after, session)
