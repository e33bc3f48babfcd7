"""Receipts for portions: what a service has taken, and left and why."""

from collections.abc import Callable
from dataclasses import replace

from events.payloads import Receipt
from service_kit.mongo import Session

from privacy.retention.rules import Totals
from privacy.retention.running import completed
from privacy.retention.runs import PortionState, RunStatus, added, answered
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
        run = replace(run, totals=totals, done=run.done + (after.state is PortionState.done))
        await runs.put_portion(after, session)
        if run.done == run.portions:
            run, entry = completed(run, receipt.completed_at)
            if entry is not None:
                await self._state.audit.record(entry, session)
        await runs.put(run, session)
