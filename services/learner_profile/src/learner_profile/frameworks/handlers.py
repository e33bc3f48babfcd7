"""Kafka in: the competencies of the frameworks. No state depends on them: they are read when somebody looks."""

from collections import defaultdict
from collections.abc import Sequence

from events.envelope import Message
from events.payloads import CatalogCompetency
from service_kit.mongo import Session

from learner_profile.frameworks.repository import FrameworkRepository


class CompetenciesHandler:
    """Keeps the newest of each."""

    def __init__(self, frameworks: FrameworkRepository) -> None:
        self._frameworks = frameworks

    async def handle(self, messages: Sequence[Message], session: Session) -> None:
        latest: defaultdict[str, dict[str, CatalogCompetency | None]] = defaultdict(dict)
        for message in messages:
            if message.subject:
                latest[message.tenant][message.subject] = message.payload
        for tenant, competencies in latest.items():
            await self._frameworks.put(tenant, competencies, session)

    async def committed(self) -> None:
        """Nobody waits for it."""
