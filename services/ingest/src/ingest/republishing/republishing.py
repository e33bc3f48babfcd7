"""A job of `work`: flags the statements of those who allow `profile` again, a portion at a time."""

import logging
from typing import Final

from service_kit.turning import Turning

from ingest.identities.repository import IdentityRepository
from ingest.republishing.repository import RepublicationRepository

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.5


class Republishing:
    """What is flagged twice after a crash is published twice, and known by its id."""

    def __init__(self, repository: RepublicationRepository, identities: IdentityRepository) -> None:
        self._repository = repository
        self._identities = identities
        self.run = Turning("republishing", self.turn, rest_seconds=LOOK_SECONDS).run

    async def turn(self) -> bool:
        """One learner; whether there was one."""
        one = await self._repository.next()
        if one is None:
            return False
        belongings = await self._identities.belongings(one.tenant, one.learner)
        count = 0
        if belongings is not None:
            async for ids in self._repository.chunks(one, belongings.agents):
                await self._repository.publish_again(one, ids)
                count += len(ids)
        await self._repository.done(one)
        log.info("a learner's statements are published once more", extra={"statements": count})
        return True
