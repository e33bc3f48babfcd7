"""Who is erased."""

from collections.abc import Collection

from service_kit.mongo import Database, Session

from privacy.consents.repository import Consents
from privacy.keys.repository import KeyRepository


class Forgotten:
    """Who is erased, from the request on: what comes late about them is kept under no name."""

    def __init__(self, db: Database) -> None:
        self._consents = Consents(db)
        self._keys = KeyRepository(db)

    async def among(self, tenant: str, learners: Collection[str], session: Session | None = None) -> set[str]:
        """Those of the learners. First there is a mark, and when that goes the word that the key is destroyed."""
        left = await self._keys.may_have(tenant, learners, session)
        return set(learners) - set(left) | await self._consents.erased_among(tenant, left, session)
