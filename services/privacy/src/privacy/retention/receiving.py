"""Receipts for portions: what a service has taken, and left and why."""

from collections.abc import Callable
from dataclasses import replace

from events.payloads import Receipt
from service_kit.mongo import Session

from privacy.requests.progress import Recipient
from privacy.retention.rules import Totals
from privacy.retention.running import completed
from privacy.retention.runs import PortionState, RunStatus, added, answered, with_answer, with_told
from privacy.state import State


class PortionReceipts:
    """`wake` has the next portions opened at once."""

    def __init__(self, state: State, wake: Callable[[], None]) -> None:
        self._state = state
        self.wake = wake

    async def take(self, tenant: str, receipt: Receipt, session: Session) -> None:
        """Add it up, once for each service and portion; with the last one the run is completed."""
        runs = self._state.runs
        run = await runs.find(tenant, receipt.request_id or "", session)
        portion = await runs.portion(run.id, receipt.portion or 0, session) if run else None
        if run is None or portion is None or run.status is not RunStatus.running:
            return
        after = answered(portion, receipt.service)
        if after is portion:
            return
        totals = Totals(
            added(run.totals.counts, receipt.service, receipt.counts),
            added(run.totals.kept, receipt.service, receipt.kept),
        )
        told = with_told(run.recipients, (Recipient(**one.model_dump()) for one in receipt.recipients))
        run = replace(run, totals=totals, recipients=told, done=run.done + (after.state is PortionState.done))
        await runs.put_portion(after, session)
        if run.done == run.portions:
            run, entry = completed(run, receipt.completed_at)
            if entry is not None:
                await self._state.audit.record(entry, session)
        await runs.put(run, session)

    async def answer(self, tenant: str, receipt: Receipt, session: Session) -> None:
        """What recipients outside say of the voiding statements they were sent; the report is signed anew."""
        run = await self._state.runs.find(tenant, receipt.request_id or "", session)
        if run is None:
            return
        recipients = run.recipients
        for one in receipt.recipients:
            recipients = with_answer(recipients, Recipient(**one.model_dump()))
        if recipients != run.recipients:
            await self._state.runs.put(replace(run, recipients=recipients), session)
