"""What a roster says of people, told to the other services: who learns, who teaches, and where.

A job of the worker, so that an import is over as soon as its roster counts; an import that dies in between is caught up
with. Only what differs from what was told before goes out.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from events import topics
from events.envelope import Outgoing
from events.payloads import RosterRole
from service_kit.clock import Clock
from service_kit.mongo import (
    ASCENDING,
    Client,
    Collection,
    CollectionSpec,
    Database,
    Document,
    Index,
    ReplaceOne,
    Session,
    in_transaction,
)
from service_kit.outbox import OUTBOX_INDEX, flag
from service_kit.turning import Turning

from insights.rosters.places import NATION
from insights.rosters.repository import Member, RosterRepository

ROLES: Final = CollectionSpec(
    "roles",
    "derived",
    (OUTBOX_INDEX, Index((("tenant", ASCENDING),)), Index((("gone", ASCENDING),), where={"gone": True})),
)
_AT_ONCE: Final = 500


def role_of(members: Iterable[Member]) -> RosterRole:
    """One person's entries as one role; a person may learn in one class and teach in another."""
    found = list(members)
    learns = {scope.scope for one in found if one.role == "learner" for place in one.places for scope in place.way()}
    teaches = {place.scope for one in found if one.role == "teacher" for place in one.places} - {NATION}
    return RosterRole.model_validate(
        {"roles": sorted({one.role for one in found}), "learns_in": sorted(learns), "teaches_in": sorted(teaches)}
    )


class RoleRepository:
    """What was told of each person of a tenant; what is not told yet is flagged."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._roles: Collection = db[ROLES.name]
        self._clock = clock

    async def told(self, tenant: str) -> dict[str, RosterRole]:
        """Everyone of whom something was told that still holds."""
        found = self._roles.find({"tenant": tenant, "gone": {"$ne": True}}, {"learner": 1, "role": 1})
        return {document["learner"]: RosterRole.model_validate(document["role"]) async for document in found}

    async def tell(self, tenant: str, changes: Mapping[str, RosterRole | None], session: Session) -> None:
        """Flag the roles for the relay; None: the roster no longer names the person."""
        writes = [
            ReplaceOne({"_id": f"{tenant}/{one}"}, self._document(tenant, one, role), upsert=True)
            for one, role in changes.items()
        ]
        if writes:
            await self._roles.bulk_write(writes, ordered=False, session=session)

    async def forget(self, tenant: str, learner: str, session: Session) -> int:
        """Take back what was told of a learner; how many documents that concerns."""
        held = await self._roles.find_one({"_id": f"{tenant}/{learner}"}, {"_id": 1}, session=session)
        if held is not None:
            await self.tell(tenant, {learner: None}, session)
        return int(held is not None)

    async def sweep(self) -> None:
        """Remove what stood in the place of someone until Kafka had the tombstone."""
        await self._roles.delete_many({"gone": True, "outbox": {"$exists": False}})

    def _document(self, tenant: str, learner: str, role: RosterRole | None) -> Document:
        document: Document = {
            "tenant": tenant,
            "learner": learner,
            "role": None if role is None else role.model_dump(),
            "told_at": self._clock(),
            "outbox": flag(learner),
        }
        return document if role is not None else {**document, "gone": True}


class RoleSource:
    """`service_kit.outbox.Source` of roles. Of someone whom no roster names there is a tombstone."""

    spec: CollectionSpec = ROLES
    remove_when_sent = False

    async def messages(self, documents: Sequence[Document]) -> list[Outgoing]:
        return [_outgoing(document) for document in documents]


class Announcer:
    """A job of the worker: tells what a new roster changes."""

    def __init__(self, client: Client, rosters: RosterRepository, roles: RoleRepository, wake: Any) -> None:
        self._client = client
        self._rosters = rosters
        self._roles = roles
        self._wake = wake
        self._turning = Turning("roster roles", self._turn, rest_seconds=1.0)
        self.run = self._turning.run
        self.check = self._turning.check

    async def _turn(self) -> bool:
        await self.turn()
        return False

    async def turn(self) -> int:
        """Tell what differs; of how many people."""
        await self._roles.sweep()
        told = 0
        for tenant in await self._rosters.unannounced():
            told += await self._tenant(tenant)
            self._wake()
        return told

    async def _tenant(self, tenant: str) -> int:
        version = await self._rosters.version(tenant)
        members: dict[str, list[Member]] = {}
        async for member in self._rosters.members(tenant, version):
            members.setdefault(member.learner, []).append(member)
        told = await self._roles.told(tenant)
        now = {learner: role_of(found) for learner, found in members.items()}
        changes: dict[str, RosterRole | None] = {one: role for one, role in now.items() if told.get(one) != role}
        changes |= dict.fromkeys(told.keys() - now.keys())
        names = sorted(changes)
        for start in range(0, len(names), _AT_ONCE):
            chunk = {one: changes[one] for one in names[start : start + _AT_ONCE]}
            if not await in_transaction(self._client, partial(self._tell, tenant, version, chunk)):
                return start  # another roster counts by now: the next turn tells its
        await in_transaction(self._client, partial(self._rosters.announced, tenant, version))
        return len(names)

    async def _tell(
        self, tenant: str, version: str | None, changes: Mapping[str, RosterRole | None], session: Session
    ) -> bool:
        """Whoever was erased since the roster was read does not come back."""
        if not await self._rosters.hold(tenant, version, session):
            return False
        still = await self._rosters.still(tenant, version, list(changes), session)
        kept = {one: role for one, role in changes.items() if role is None or one in still}
        await self._roles.tell(tenant, kept, session)
        return True


def _outgoing(document: Document) -> Outgoing:
    role = None if document["role"] is None else RosterRole.model_validate(document["role"])
    return Outgoing(
        topics.ROLES, document["outbox"]["token"], document["tenant"], document["learner"], document["told_at"], role
    )
