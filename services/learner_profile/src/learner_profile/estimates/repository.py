"""MongoDB: what teachers said of learners' estimates; one sealed document a learner, with the whole history."""

from collections.abc import Iterable, Sequence
from typing import Final

from events.sealing import Owner, Sealed, Sealer
from service_kit.candidates import learners_in
from service_kit.merging import Merges
from service_kit.mongo import Collection, CollectionSpec, Database, ReplaceOne, Session

from learner_profile.estimates.said import Word, pack, unpack

ESTIMATES: Final = CollectionSpec("estimates", "source")


class EstimateRepository:
    """Histories of all tenants; every call names its tenant."""

    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._estimates: Collection = db[ESTIMATES.name]
        self._sealer = sealer
        self._merges = Merges(db)

    async def load(
        self, tenant: str, learners: Iterable[str], session: Session | None = None
    ) -> dict[str, tuple[Word, ...]]:
        """All that was said of each of these learners themselves, in its order."""
        ids = [_id(tenant, learner) for learner in learners]
        found = await self._estimates.find({"_id": {"$in": ids}}, session=session).to_list(None) if ids else []
        opened = await self._sealer.open([Sealed(bytes(one["data"]), one["key"]) for one in found])
        return {one["learner"]: unpack(data) for one, data in zip(found, opened, strict=True)}

    async def of_people(
        self, tenant: str, learners: Iterable[str], session: Session | None = None
    ) -> dict[str, tuple[Word, ...]]:
        """All that was said of each of these learners and whoever is one person with them, in its order."""
        groups = await self._merges.groups(tenant, learners, session)
        own = await self.load(tenant, {one for group in groups.values() for one in group.everyone}, session)
        return {
            learner: tuple(
                sorted((said for one in group.everyone for said in own.get(one, ())), key=lambda said: said.at)
            )
            for learner, group in groups.items()
        }

    async def save(self, tenant: str, learner: str, history: Sequence[Word], session: Session) -> None:
        """Store the history in the place of what is there."""
        [sealed] = await self._sealer.seal([(Owner(tenant, learner), pack(history))])
        document = {"tenant": tenant, "learner": learner, "data": sealed.data, "key": sealed.key}
        await self._estimates.bulk_write(
            [ReplaceOne({"_id": _id(tenant, learner)}, document, upsert=True)], session=session
        )

    async def learners(self, tenant: str, after: str, behind: str | None, limit: int) -> list[str]:
        """Learners of whom something was said, those behind `after`, in the order of their ids."""
        return await learners_in(self._estimates, tenant, after, behind, limit)

    async def delete(self, tenant: str, learner: str, session: Session) -> int:
        """Delete all that was said of the learner; how many documents."""
        return int((await self._estimates.delete_many({"_id": _id(tenant, learner)}, session=session)).deleted_count)


def _id(tenant: str, learner: str) -> str:
    return f"{tenant}/{learner}"
