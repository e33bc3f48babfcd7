"""Receipts in: what enforces a decision now, who has carried a request out, what recipients outside have answered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from events.consumer import Rejected
from events.envelope import Message
from events.payloads import Receipt
from service_kit.mongo import Session

from privacy.consents.decisions import ENFORCERS
from privacy.consents.repository import Consents
from privacy.keys.repository import KeyErasure, KeyRepository
from privacy.requests.progress import Carried, DataRequest, Recipient, Status, received, with_recipient
from privacy.requests.repository import Requests
from privacy.retention.receiving import PortionReceipts

UNKNOWN_SERVICE: Final = "/service: not one that enforces decisions"
Acknowledged = Mapping[tuple[str, str], tuple[int, datetime]]
"""The version that a service holds of a learner's decisions, by (learner, service), and since when."""


class ReceiptHandler:
    def __init__(
        self,
        consents: Consents,
        requests: Requests,
        portions: PortionReceipts,
        keys: KeyRepository | None = None,
        closed: Callable[[], None] | None = None,
    ) -> None:
        """`keys`: where a learner who is closed to the services waits for the end of the key; `closed` then wakes."""
        self._consents = consents
        self._requests = requests
        self._portions = portions
        self._keys = keys
        self._closed = closed

    async def handle(self, messages: Sequence[Message], session: Session) -> None:
        strangers = [(m, UNKNOWN_SERVICE) for m in messages if m.payload and m.payload.service not in ENFORCERS]
        if strangers:
            raise Rejected(strangers)
        await self._acknowledged(messages, session)
        for message in messages:
            receipt: Receipt | None = message.payload
            if receipt is not None and receipt.kind == "retention":
                await self._portions.take(message.tenant, receipt, session)
            elif receipt is not None and receipt.kind != "consent" and message.subject and receipt.request_id:
                await self._answered(message.tenant, message.subject, receipt, session)

    async def committed(self) -> None:
        self._portions.wake()
        if self._closed is not None:
            self._closed()

    async def _acknowledged(self, messages: Sequence[Message], session: Session) -> None:
        held: dict[str, dict[tuple[str, str], tuple[int, datetime]]] = {}
        for message in messages:
            receipt: Receipt | None = message.payload
            if receipt is not None and receipt.kind == "consent" and message.subject and receipt.version:
                own = held.setdefault(message.tenant, {})
                place, now = (message.subject, receipt.service), (receipt.version, receipt.completed_at)
                own[place] = max(own.get(place, now), now)
        for tenant, own in held.items():
            versions = [(learner, service, version) for (learner, service), (version, _) in own.items()]
            await self._consents.acknowledge(tenant, versions, session)
            await self._consents.settle(
                tenant, [learner for learner, _ in own], max(at for _, at in own.values()), session
            )
            await self._stopped(tenant, own, session)

    async def _stopped(self, tenant: str, held: Acknowledged, session: Session) -> None:
        """Restrictions and objections: who holds that version of the learner's standing has carried them out."""
        for request in await self._requests.awaiting(tenant, sorted({learner for learner, _ in held}), session):
            after = request
            for (learner, service), (version, at) in held.items():
                if learner == request.learner and request.version is not None and version >= request.version:
                    after = received(after, service, Carried({}, at))
            await self._put(tenant, request, after, session)

    async def _answered(self, tenant: str, learner: str, receipt: Receipt, session: Session) -> None:
        request = await self._requests.find(tenant, receipt.request_id or "", session)
        if request is None:
            if receipt.kind == "recipients":
                await self._portions.answer(tenant, receipt, session)
            return
        # What recipients answer comes later, under the request's id: the learner's is gone by then.
        if receipt.kind != "recipients" and not await self._requests.is_about(tenant, request.id, learner):
            return
        after = request
        if receipt.returning_refused_until is not None:
            after = replace(after, returning_refused_until=receipt.returning_refused_until)
        for told in receipt.recipients:
            after = with_recipient(after, Recipient(**told.model_dump()))
        if receipt.kind == "erasure":
            after = received(after, receipt.service, Carried(receipt.counts, receipt.completed_at))
        await self._put(tenant, request, after, session)
        if self._keys is not None and request.type == "erasure" and after.status is Status.completed:
            await self._keys.to_destroy(KeyErasure(request.id, tenant, learner), receipt.completed_at, session)

    async def _put(self, tenant: str, before: DataRequest, after: DataRequest, session: Session) -> None:
        if after is not before:
            await self._requests.put(tenant, after, session, certify=after.status is Status.completed)
