"""MongoDB: the roster's roles, as insights tells them. Of someone of whom nothing is told there is no document."""

from collections.abc import Iterable, Mapping
from typing import Final

from events.payloads import RosterRole
from service_kit.mongo import Collection, CollectionSpec, Database, DeleteOne, Document, ReplaceOne, Session

ROLES: Final = CollectionSpec("roles", "derived")


class RoleRepository:
    """Roles of all tenants; every call names its tenant."""

    def __init__(self, db: Database) -> None:
        self._roles: Collection = db[ROLES.name]

    async def known(
        self, tenant: str, learners: Iterable[str], session: Session | None = None
    ) -> dict[str, RosterRole]:
        """The roles of those whom the roster names."""
        ids = {f"{tenant}/{learner}": learner for learner in learners}
        found = await self._roles.find({"_id": {"$in": list(ids)}}, session=session).to_list(None)
        return {ids[document["_id"]]: RosterRole.model_validate(document["role"]) for document in found}

    async def others(self, tenant: str, people: Iterable[str], session: Session | None = None) -> set[str]:
        """Those of the people who are no learners by the roster; whom no roster names counts as one."""
        return {one for one, role in (await self.known(tenant, people, session)).items() if not role.learns}

    async def put(self, tenant: str, roles: Mapping[str, RosterRole | None], session: Session) -> None:
        """Store what the roster says now; None: it no longer names the person."""
        writes: list[ReplaceOne[Document] | DeleteOne] = [
            DeleteOne({"_id": f"{tenant}/{one}"})
            if role is None
            else ReplaceOne({"_id": f"{tenant}/{one}"}, {"role": role.model_dump()}, upsert=True)
            for one, role in roles.items()
        ]
        if writes:
            await self._roles.bulk_write(writes, ordered=False, session=session)
