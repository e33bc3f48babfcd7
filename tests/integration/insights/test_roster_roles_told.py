"""What a roster says of people is told to the other services: each difference once, and nothing of the erased."""

from __future__ import annotations

from typing import Any

import pytest
from events.payloads import RosterRole
from insights.rosters.places import Place
from insights.rosters.repository import RosterRepository
from insights.rosters.roles import Announcer, RoleRepository, RoleSource
from service_kit.mongo import in_transaction

from tests.integration.insights.house import House, row


class Told:
    """The announcer of a house, driven by hand, and what it has flagged for the relay."""

    def __init__(self, house: House) -> None:
        c = house.connections
        self.house = house
        self.rosters = RosterRepository(c.db, c.sealer)
        self.roles = RoleRepository(c.db, c.clock)
        self.announcer = Announcer(c.client, self.rosters, self.roles, lambda: None)

    async def flagged(self) -> dict[str, RosterRole | None]:
        """What would go to Kafka now; afterwards it has gone."""
        await self.announcer.turn()
        query = {"tenant": self.house.tenant, "outbox": {"$exists": True}}
        documents: list[Any] = await self.house.connections.db["roles"].find(query).to_list(None)
        await self.house.connections.db["roles"].update_many(query, {"$unset": {"outbox": ""}})
        return {m.subject or "": m.payload for m in await RoleSource().messages(documents)}  # type: ignore[misc]


@pytest.fixture
def told(house: House) -> Told:
    return Told(house)


async def test_learners_and_teachers_with_their_places(told: Told) -> None:
    await told.house.roster([row("ada", "7b", "North"), row("tom", "7b", "North", role="teacher"), row("eve", "7c")])
    ada, tom, eve = [await told.house.learner(name) for name in ("ada", "tom", "eve")]
    found = await told.flagged()
    assert found.keys() == {ada, tom, eve}
    class_7b = Place(school="North", class_="7b").scope
    assert found[tom] == RosterRole(roles=["teacher"], teaches_in=[class_7b])
    for_ada, for_tom, for_eve = found[ada], found[tom], found[eve]
    assert for_ada is not None
    assert for_tom is not None
    assert for_eve is not None
    assert set(for_ada.learns_in) == {class_7b, Place(school="North").scope}
    assert (for_tom.teaches(for_ada), for_tom.teaches(for_eve), for_ada.teaches(for_tom)) == (True, False, False)


async def test_only_what_differs_is_told(told: Told) -> None:
    await told.house.roster([row("ada", "7b"), row("eve", "7b")])
    ada, eve = [await told.house.learner(name) for name in ("ada", "eve")]
    assert len(await told.flagged()) == 2
    assert await told.flagged() == {}
    await told.house.roster([row("ada", "7b"), row("ada", "7c", role="teacher")])
    found = await told.flagged()
    assert found[eve] is None
    both = found[ada]
    assert both is not None
    assert both.roles == ["learner", "teacher"]
    await told.announcer.turn()
    assert await told.house.connections.db["roles"].count_documents({"tenant": told.house.tenant}) == 1


async def test_an_erasure_takes_the_role_back_and_no_roster_in_between_brings_it_again(told: Told) -> None:
    await told.house.roster([row("ada", "7b"), row("eve", "7b")])
    ada = await told.house.learner("ada")
    version = await told.rosters.version(told.house.tenant)

    async def erase(session: Any) -> None:
        await told.rosters.forget(told.house.tenant, ada, session)
        await told.roles.forget(told.house.tenant, ada, session)

    await in_transaction(told.house.connections.client, erase)
    changes: dict[str, RosterRole | None] = {ada: RosterRole(roles=["learner"])}
    client = told.house.connections.client
    await in_transaction(client, lambda s: told.announcer._tell(told.house.tenant, version, changes, s))
    assert ada not in await told.flagged()
    await told.house.roster([row("ada", "7b"), row("eve", "7b")])
    await told.flagged()
    await in_transaction(client, erase)
    assert (await told.flagged())[ada] is None
