"""Kafka in: learners' profiles."""

from collections.abc import Sequence

from events.envelope import Message
from events.tracing import span_after
from service_kit.consent import ConsentView
from service_kit.mongo import Session

from insights.states.repository import Kept, StateRepository


class ProfileHandler:
    """Keeps the newest profile of each learner. Waits (`PolicyUnknown`) while the tenant's policy is not known."""

    def __init__(self, states: StateRepository, consents: ConsentView) -> None:
        self._states = states
        self._consents = consents

    async def handle(self, messages: Sequence[Message], session: Session) -> None:
        by_tenant: dict[str, dict[str, Message]] = {}
        for message in messages:
            if message.subject:
                by_tenant.setdefault(message.tenant, {})[message.subject] = message
        for tenant, newest in by_tenant.items():
            await self._tenant(tenant, newest, session)

    async def _tenant(self, tenant: str, newest: dict[str, Message], session: Session) -> None:
        standings = await self._consents.standings(tenant, newest, session)
        held = await self._states.versions(tenant, newest, session)
        gone = [learner for learner, message in newest.items() if message.payload is None]
        await self._states.delete(tenant, gone, session)
        fresh: list[Kept] = []
        for learner, message in newest.items():
            profile = message.payload
            if profile is None or standings[learner].erased or profile.version <= held.get(learner, 0):
                continue
            with span_after("keep profile", message.traceparent):
                fresh.append(Kept(learner, profile))
        await self._states.keep(tenant, fresh, session)

    async def committed(self) -> None:
        """Nothing is published from here."""
