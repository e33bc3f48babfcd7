"""What the LRS learns from statements beside keeping them: definitions of activities, names of agents."""

import logging
from collections.abc import Mapping, Sequence

from events.sealing import KeyGone
from service_kit.mongo import DriverError, MongoAway
from xapi import Named

from ingest.activities.knowing import KnownActivities
from ingest.agents.knowing import KnownAgents
from ingest.credentials.repository import Credential
from ingest.identities.repository import Identity

log = logging.getLogger(__name__)


class Learning:
    """Comes after the statements' durable write."""

    def __init__(self, activities: KnownActivities, agents: KnownAgents) -> None:
        self._activities = activities
        self._agents = agents

    async def learn(
        self, credential: Credential, statements: Sequence[Named], identities: Mapping[str, Identity]
    ) -> None:
        """Never in the way: where MongoDB fails, or a learner is being forgotten, the statements stay acknowledged."""
        try:
            await self._activities.learn(credential, statements)
            await self._agents.learn(credential, statements, identities)
        except (DriverError, MongoAway, KeyGone) as error:
            log.warning("definitions were not learned: %s", type(error).__name__)
