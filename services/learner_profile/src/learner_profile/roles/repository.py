"""MongoDB: the roster's roles, as insights tells them. Of someone of whom nothing is told there is no document."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final

from events.payloads import Policy, RosterRole, Staff
from service_kit.merging import Merges
from service_kit.mongo import (
    ASCENDING,
    Collection,
    CollectionSpec,
    Database,
    DeleteOne,
    Document,
    Index,
    ReplaceOne,
    Session,
)

ROLES: Final = CollectionSpec("roles", "derived")
RULES: Final = CollectionSpec("rules", "derived", (Index((("due", ASCENDING),), where={"due": True}),))

_RULE: Final[Document] = {"unknown_actors": "learner", "staff": Staff().model_dump(mode="json")}


def together(roles: Sequence[RosterRole]) -> RosterRole:
    """Several entries of one person as one: who learns anywhere is a learner."""
    if len(roles) == 1:
        return roles[0]
    return RosterRole.model_validate(
        {
            "roles": sorted({name for role in roles for name in role.roles}),
            "learns_in": sorted({scope for role in roles for scope in role.learns_in}),
            "teaches_in": sorted({scope for role in roles for scope in role.teaches_in}),
        }
    )


class RoleRepository:
    """Roles of all tenants; every call names its tenant."""

    def __init__(self, db: Database) -> None:
        self._roles: Collection = db[ROLES.name]
        self._merges = Merges(db)

    async def known(
        self, tenant: str, learners: Iterable[str], session: Session | None = None
    ) -> dict[str, RosterRole]:
        """The roles of those whom the roster names; of merged learners what it says of any of them."""
        groups = await self._merges.groups(tenant, learners, session)
        ids = {f"{tenant}/{one}" for group in groups.values() for one in group.everyone}
        found = await self._roles.find({"_id": {"$in": sorted(ids)}}, session=session).to_list(None)
        roles = {document["_id"].partition("/")[2]: RosterRole.model_validate(document["role"]) for document in found}
        told = {learner: [roles[one] for one in group.everyone if one in roles] for learner, group in groups.items()}
        return {learner: together(found) for learner, found in told.items() if found}

    async def others(
        self,
        tenant: str,
        people: Iterable[str],
        policy: Policy,
        session: Session | None = None,
        staff: Set[str] = frozenset(),
    ) -> set[str]:
        """Those of the people who are no learners by the roster; of whom no roster names, the policy says. `staff`:
        who acts by identifiers that the policy calls staff's.
        """
        asked = set(people)
        known = await self.known(tenant, asked, session)
        unknown = (asked if policy.unknown_actors == "nobody" else asked & staff) - known.keys()
        return unknown | {one for one, role in known.items() if not role.learns}

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


class RuleRepository:
    """What a tenant's policy said last of those whom no roster names, and how far a change of it has come.

    `{_id: tenant, unknown_actors, staff, due?, after?}`: while `due`, the learners behind `after` are still to be
    looked at.
    """

    def __init__(self, db: Database) -> None:
        self._rules: Collection = db[RULES.name]

    async def put(self, tenant: str, policy: Policy, session: Session) -> None:
        """Note the rule; where it is another, everyone of the tenant is to be looked at."""
        held = await self._rules.find_one({"_id": tenant}, session=session)
        said = _RULE | {name: held[name] for name in _RULE if held is not None and name in held}
        says = {"unknown_actors": policy.unknown_actors, "staff": policy.staff.model_dump(mode="json")}
        if said != says:
            document = {**says, "due": True, "after": ""}
            await self._rules.replace_one({"_id": tenant}, document, upsert=True, session=session)

    async def due(self) -> tuple[str, str] | None:
        """A tenant whose learners are to be looked at, and the learner behind whom to go on."""
        found = await self._rules.find_one({"due": True})
        return (found["_id"], found["after"]) if found else None

    async def go_on(self, tenant: str, before: str, after: str | None, session: Session) -> None:
        """Up to here everyone was looked at; None: all. Nothing where the rule has changed meanwhile."""
        change: Document = {"$unset": {"due": "", "after": ""}} if after is None else {"$set": {"after": after}}
        await self._rules.update_one({"_id": tenant, "due": True, "after": before}, change, session=session)
