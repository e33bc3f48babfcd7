"""A roster file into the roster that counts: resolve, write beside, switch at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from service_kit.consent import ConsentView
from service_kit.mongo import Client, Session, in_transaction
from service_kit.problems import Conflict
from uuid_utils.compat import uuid7

from insights.rosters.identities import Identities
from insights.rosters.parsing import Account, Entry
from insights.rosters.places import LEVELS, Place
from insights.rosters.repository import Member, Named, RosterRepository

Mode = Literal["replace", "merge"]


@dataclass(frozen=True)
class Importer:
    client: Client
    rosters: RosterRepository
    identities: Identities
    consents: ConsentView

    async def run(self, tenant: str, entries: Sequence[Entry], mode: Mode) -> list[Member]:
        """Make the entries the roster (`replace`), or put them over the one that counts (`merge`); the new roster.

        Readers see the old roster until the new one is complete. Raises `Conflict` where another import was quicker.
        """
        ids = await self._resolve(tenant, entries)
        base = await self.rosters.version(tenant)
        members = by_learner([entry for entry in entries if entry.account in ids], ids)
        if mode == "merge" and base is not None:
            kept = {(n.member.learner, n.member.role): n async for n in self.rosters.everyone(tenant, base)}
            members = list((kept | {(n.member.learner, n.member.role): n for n in members}).values())
        version = str(uuid7())
        await self.rosters.insert(tenant, version, members)
        if not await self._switch(tenant, version, base, members):
            await self.rosters.discard(tenant, version)
            raise Conflict("Another roster was imported at the same time; import this one again")
        await self.rosters.discard_before(tenant, version)
        return [named.member for named in members]

    async def _resolve(self, tenant: str, entries: Sequence[Entry]) -> dict[Account, str]:
        accounts = list(dict.fromkeys(entry.account for entry in entries))
        found = zip(accounts, await self.identities.learners(tenant, accounts), strict=True)
        return {account: learner for account, learner in found if learner is not None}

    async def _switch(self, tenant: str, version: str, base: str | None, members: Sequence[Named]) -> bool:
        async def body(session: Session) -> bool:
            # Whoever was erased since the accounts were resolved does not come back.
            states = (await self.consents.everyone(tenant, session)).states
            erased = [n.member.learner for n in members if (s := states.get(n.member.learner)) and s.erased]
            await self.rosters.drop(tenant, version, erased, session)
            return await self.rosters.switch(tenant, version, base, session)

        return await in_transaction(self.client, body)


def by_learner(entries: Sequence[Entry], ids: Mapping[Account, str]) -> list[Named]:
    """One member for each learner and role: several accounts may be one person."""
    found: dict[tuple[str, str], Named] = {}
    for entry in entries:
        learner = ids[entry.account]
        before = found.get((learner, entry.role))
        places = dict.fromkeys([*(before.member.places if before else ()), *entry.places])
        attributes = (dict(before.member.attributes) if before else {}) | entry.attributes
        name = entry.display_name or (before.name if before else "")
        found[learner, entry.role] = Named(Member(learner, entry.role, tuple(places), attributes), name)
    return list(found.values())


def count_levels(members: Sequence[Member]) -> dict[str, int]:
    """How many classes, schools, districts and regions the roster names."""
    scopes: set[Place] = {scope for member in members for place in member.places for scope in place.way()}
    return {level: sum(scope.level == level for scope in scopes) for level in LEVELS}
