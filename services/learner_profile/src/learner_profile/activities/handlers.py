"""Kafka in: the catalog's activities."""

from collections.abc import Sequence

from events.envelope import Message, newest
from events.payloads import CatalogActivity
from service_kit.clock import Clock
from service_kit.mongo import Session

from learner_profile.activities.remapping import Remapper
from learner_profile.activities.repository import ActivityRepository
from learner_profile.evidence.mapping import mapped


class CatalogHandler:
    """Keeps the view; where a mapping changed, asks for the learners with evidence on it to be built anew."""

    def __init__(self, activities: ActivityRepository, remapper: Remapper, clock: Clock) -> None:
        self._activities = activities
        self._remapper = remapper
        self._clock = clock

    async def handle(self, messages: Sequence[Message], session: Session) -> None:
        for tenant, activities in newest(messages).items():
            before = await self._activities.known(tenant, activities, session)
            changes = [(key, now, _changes(before.get(key), now)) for key, now in activities.items()]
            await self._activities.put(tenant, changes, self._clock(), session)

    async def committed(self) -> None:
        self._remapper.wake()


def _changes(before: CatalogActivity | None, now: CatalogActivity | None) -> bool:
    """Whether evidence on the activity now counts differently."""
    return (mapped(before) if before else None) != (mapped(now) if now else None)
