"""Kafka in: learner profiles."""

from collections.abc import Mapping, Sequence

from events.envelope import Message
from events.payloads import LearnerProfile
from events.tracing import span_after
from service_kit.consent import ConsentView
from service_kit.mongo import Session

from recommendation.learners.repository import LearnerRepository

Latest = Mapping[str, LearnerProfile | None]


class ProfileHandler:
    """Keeps the newest version of each learner; a tombstone removes it, and so does an erasure known here."""

    def __init__(self, learners: LearnerRepository, consents: ConsentView) -> None:
        self._learners = learners
        self._consents = consents

    async def handle(self, messages: Sequence[Message], session: Session) -> None:
        for tenant in sorted({message.tenant for message in messages}):
            mine = [message for message in messages if message.tenant == tenant and message.subject]
            await self._tenant(tenant, latest(mine), session)
            for message in mine:
                with span_after("keep profile", message.traceparent):
                    pass  # a mark in the learner's trace: from here on recommendations reflect it

    async def committed(self) -> None:
        """Nothing of this is published."""

    async def _tenant(self, tenant: str, profiles: Latest, session: Session) -> None:
        standings = await self._consents.standings(tenant, profiles, session)
        gone = [learner for learner, profile in profiles.items() if profile is None or standings[learner].erased]
        kept = {learner: p for learner, p in profiles.items() if p is not None and learner not in gone}
        held = await self._learners.versions(tenant, kept, session)
        newer = {learner: p for learner, p in kept.items() if p.version > held.get(learner, 0)}
        await self._learners.put(tenant, newer, session)
        await self._learners.remove(tenant, gone, session)


def latest(messages: Sequence[Message]) -> dict[str, LearnerProfile | None]:
    """Of each learner the greatest version in the batch; a tombstone wipes out what came before it."""
    result: dict[str, LearnerProfile | None] = {}
    for message in messages:
        learner, profile = str(message.subject), message.payload
        before = result.get(learner)
        if before is None or profile is None or profile.version > before.version:
            result[learner] = profile
    return result
