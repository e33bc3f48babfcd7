"""A service's part in retention rules, driven a step at a time."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from events.payloads import Receipt, Request, RetentionAction, RetentionOrder, Selection
from service_kit.mongo import Session, in_transaction
from service_kit.orders import Orders
from service_kit.retaining import Retaining, Retains
from service_kit.runtime import Connections


class Retained:
    """Orders of one tenant, and the receipts that the service gives."""

    def __init__(self, c: Connections, participant: Retains, tenant: str) -> None:
        self._c = c
        self._participant = participant
        self._tenant = tenant
        self.receipts: dict[str, Receipt] = {}

    def retaining(self) -> Retaining:
        """The job, as a worker that has just started has it."""
        c = self._c
        return Retaining(c.client, c.db, c.service, self._participant, c.clock, self._receipt, lambda: None)

    async def begin(self, action: str, *, preview: bool = False, void_outside: bool = False, **selection: Any) -> str:
        """The order of a run over all learners; its id."""
        order = RetentionOrder(
            portion=0,
            services=(self._c.service,),
            action=RetentionAction(action),
            selection=Selection(**selection),
            preview=preview,
            void_outside=void_outside,
        )
        request = Request(request_id=str(uuid4()), type="retention", retention=order)

        async def note(session: Session) -> None:
            assert await Orders(self._c.db).begin(self._tenant, request, self._c.clock(), session) is None

        await in_transaction(self._c.client, note)
        return request.request_id

    async def carry_out(self, action: str, *, preview: bool = False, **selection: Any) -> Receipt:
        return await self.finish(await self.begin(action, preview=preview, **selection))

    async def preview(self, action: str, **selection: Any) -> Receipt:
        return await self.carry_out(action, preview=True, **selection)

    async def finish(self, request: str) -> Receipt:
        retaining = self.retaining()
        while request not in self.receipts:
            await retaining.turn()
        return self.receipts[request]

    async def steps(self, request: str) -> int:
        """How many writes of its order it took."""
        found = await self._c.db["retention_orders"].find_one({"request.request_id": request})
        assert found is not None
        return int(found["step"])

    async def _receipt(self, tenant: str, learner: None, receipt: Receipt, session: Session) -> None:
        self.receipts[receipt.request_id or ""] = receipt


def said(receipt: Receipt) -> tuple[dict[str, int], dict[str, int]]:
    """What was taken, and what was left and why."""
    return receipt.counts, receipt.kept
