"""Each service's part in the privacy service's conversation.

What comes changes the view (`service_kit.consent`), and is acknowledged by a receipt in the same transaction.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any, Final, Protocol, runtime_checkable

from events import heartbeats, topics
from events.envelope import Message, Outgoing
from events.payloads import ConsentState, IdentityMerge, Policy, Receipt, Request
from uuid_utils.compat import uuid7

from service_kit.clock import Clock
from service_kit.consent import Change, ConsentView
from service_kit.erasing import ERASURES, Erasures
from service_kit.freshness import CONFIRMATIONS, Freshness
from service_kit.keys.held import HeldKeys
from service_kit.merging import STANDINGS, Merges
from service_kit.mongo import Collection, CollectionSpec, Database, Document, Session
from service_kit.orders import ORDERS, Orders
from service_kit.outbox import OUTBOX_INDEX, flag

RECEIPTS: Final = CollectionSpec("receipts", "source", (OUTBOX_INDEX,))
COLLECTIONS: Final = (STANDINGS, CONFIRMATIONS, RECEIPTS, ERASURES, ORDERS)


class Participant(Protocol):
    """What a service does when a learner's standing changes or a learner is to be forgotten."""

    async def standing_changed(self, change: Change, session: Session) -> None:
        """Carry the change out, in the session's transaction."""
        ...

    async def erase(self, tenant: str, learner: str, session: Session) -> Mapping[str, int]:
        """Delete all that is kept of the learner; documents removed, by collection. Repeatable."""
        ...


@runtime_checkable
class Regroups(Protocol):
    """A service in which something is to be done when two learners become one person, or no longer are."""

    async def regrouped(self, tenant: str, learners: Set[str], session: Session) -> None:
        """The view has changed for these; the groups of them all are among them, before as after."""
        ...


@runtime_checkable
class Ruled(Protocol):
    """A service in which something is to be done when a tenant's policy is another."""

    async def policy_changed(self, tenant: str, policy: Policy, session: Session) -> None:
        """The view holds the policy now."""
        ...


class PrivacyHandler:
    """Kafka in, for every service alike: policies, consents, merges, requests → view, participant, receipts."""

    def __init__(
        self,
        service: str,
        db: Database,
        participant: Participant,
        clock: Clock,
        wake: Any | None = None,
        keys: HeldKeys | None = None,
        renew: Callable[[], None] | None = None,
    ) -> None:
        """`keys`: those that the service holds; `renew` fetches anew those that shared a forgotten one's bucket."""
        self._service = service
        self._view = ConsentView(db, may_be_old=True)
        self._merges = Merges(db)
        self._freshness = Freshness(db)
        self._receipts: Collection = db[RECEIPTS.name]
        self._participant = participant
        self._erasures = Erasures(db)
        self._orders = Orders(db)
        self._clock = clock
        self._wake = wake
        self._keys = keys
        self._renew = renew
        self._forgot = False

    async def handle(self, messages: Sequence[Message], session: Session) -> None:
        for message in messages:
            if heartbeats.is_heartbeat(message):
                await self._freshness.confirm(message, session)
                continue
            payload = message.payload
            if payload is None:
                if message.topic is topics.CONSENTS and message.subject:
                    await self._forgotten(message.tenant, message.subject, session)
            elif isinstance(payload, Policy):
                await self._policy(message.tenant, payload, session)
            elif isinstance(payload, ConsentState) and message.subject:
                await self._consent(message.tenant, message.subject, payload, session)
            elif isinstance(payload, IdentityMerge) and message.subject:
                await self._merged(message.tenant, message.subject, payload, session)
            elif isinstance(payload, Request) and payload.retention is not None:
                await self._retain(message.tenant, payload, session)
            elif isinstance(payload, Request) and message.subject:
                await self._erase(message.tenant, message.subject, payload, session)

    async def committed(self) -> None:
        if self._wake is not None:
            self._wake()
        if self._forgot and self._renew is not None:
            self._forgot = False
            self._renew()

    async def _policy(self, tenant: str, policy: Policy, session: Session) -> None:
        if await self._view.put_policy(tenant, policy, session) and isinstance(self._participant, Ruled):
            await self._participant.policy_changed(tenant, policy, session)

    async def _consent(self, tenant: str, learner: str, state: ConsentState, session: Session) -> None:
        if state.erased:  # needs no policy; what is to be done comes as a request
            await self._view.put_state(tenant, learner, state, session)
        else:
            before = await self._view.standing(tenant, learner, session)
            if await self._view.put_state(tenant, learner, state, session):
                if state.held or state.restricted:
                    await self._orders.fence(tenant, session)
                change = Change(tenant, learner, before, replace(before, state=state))
                await self._participant.standing_changed(change, session)
        receipt = Receipt(service=self._service, kind="consent", version=state.version, completed_at=self._clock())
        await self.receipt(tenant, learner, receipt, session)

    async def _merged(self, tenant: str, learner: str, merge: IdentityMerge, session: Session) -> None:
        concerned = await self._merges.put(tenant, learner, merge, session)
        if concerned and isinstance(self._participant, Regroups):
            await self._participant.regrouped(tenant, concerned, session)

    async def _erase(self, tenant: str, learner: str, request: Request, session: Session) -> None:
        """Block the learner now; `service_kit.erasing` deletes, sweeps and gives the receipt."""
        await self._view.put_erased(tenant, learner, session)
        await self._erasures.begin(tenant, learner, request.request_id, self._clock, session)

    async def _retain(self, tenant: str, request: Request, session: Session) -> None:
        """Note it; `service_kit.retaining` carries it out. One that is done gives its receipt once more."""
        if request.retention is not None and self._service in request.retention.services:
            done = await self._orders.begin(tenant, request, self._clock(), session)
            if done is not None:
                await self.receipt(tenant, None, done.receipt(self._service), session)

    async def _forgotten(self, tenant: str, learner: str, session: Session) -> None:
        """The learner's key is destroyed: nothing about the learner can be opened, so that no mark need keep it out."""
        self._forgot = True
        await self._merges.forget(tenant, learner, session)
        await self._view.remove_erased(tenant, learner, session)
        if self._keys is not None:
            await self._keys.forget(tenant, learner, self._clock(), session)

    async def receipt(self, tenant: str, learner: str | None, receipt: Receipt, session: Session) -> None:
        """Send it when the session commits. Without a learner it is about the tenant."""
        await self._receipts.insert_one(
            {
                "_id": str(uuid7()),
                "tenant": tenant,
                "learner": learner,
                "receipt": receipt.model_dump(mode="json"),
                "outbox": flag(learner or tenant),
            },
            session=session,
        )


class ReceiptSource:
    """Receipts waiting to be sent; they leave the database with the broker's answer."""

    spec = RECEIPTS
    remove_when_sent = True

    async def messages(self, documents: Sequence[Document]) -> list[Outgoing]:
        return [
            Outgoing(topics.RECEIPTS, d["_id"], d["tenant"], d["learner"], receipt.completed_at, receipt)
            for d in documents
            for receipt in [Receipt.model_validate(d["receipt"])]
        ]
