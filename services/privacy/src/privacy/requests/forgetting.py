"""What privacy itself lets go of when a learner is erased, and who is."""

from collections.abc import Collection

from service_kit.mongo import Database, Session

from privacy.consents.repository import Consents
from privacy.keys.repository import KeyRepository
from privacy.requests.progress import DataRequest
from privacy.state import State


async def forget(tenant: str, request: DataRequest, state: State, session: Session) -> dict[str, int]:
    """Documents removed, by collection. What stays of requests is sealed, and says no more about whom it was."""
    learner = request.learner
    counts = await state.consents.forget(tenant, learner, state.clock(), session)
    requests = await state.requests.forget(tenant, learner, request.id, session)
    counts["archives"] = await state.archives.forget(requests, session)
    counts["audit_subjects"] = await state.chain.forget(tenant, learner, session)
    return counts


class Forgotten:
    """Who is erased, from the request on: what comes late about them is kept under no name."""

    def __init__(self, db: Database) -> None:
        self._consents = Consents(db)
        self._keys = KeyRepository(db)

    async def among(self, tenant: str, learners: Collection[str], session: Session) -> set[str]:
        """Those of the learners. First there is a mark, and when that goes the word that the key is destroyed."""
        left = await self._keys.may_have(tenant, learners, session)
        return set(learners) - set(left) | await self._consents.erased_among(tenant, left, session)
