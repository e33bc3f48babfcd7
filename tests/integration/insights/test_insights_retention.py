"""A retention rule on the states that insights keeps; the roster is the school's own record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from insights.rosters.repository import RosterRepository
from insights.rosters.roles import RoleRepository
from insights.states.participation import Participation
from insights.states.repository import StateRepository
from service_kit.mongo import ensure
from service_kit.orders import ORDERS

from tests.integration.insights.house import House, learner_state, profile, row, running
from tests.support.retaining import Retained, said
from tests.support.tokens import Tokens

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
async def house(environment: pytest.MonkeyPatch, tokens: Tokens) -> AsyncIterator[House]:
    async with running(tokens, environment) as one:
        yield one


async def test_a_state_goes_once_all_that_it_says_is_old_and_the_roster_stays(house: House) -> None:
    c = house.connections
    await ensure(c.db, [ORDERS])
    await house.roster([row("old", "7b"), row("young", "7b")])
    await house.profiles(
        {
            name: profile(learner_state(1)).model_copy(update={"last_stored_at": NOW - timedelta(days=days)})
            for name, days in (("old", 400), ("young", 10))
        }
    )
    part = Participation(
        RosterRepository(c.db, c.sealer), StateRepository(c.db, c.sealer), RoleRepository(c.db, c.clock)
    )
    retained = Retained(c, part, house.tenant)
    before: dict[str, Any] = {"inactive_since": NOW - timedelta(days=365)}
    assert said(await retained.preview("delete", **before)) == ({"states": 1}, {})
    assert said(await retained.carry_out("aggregate", **before)) == ({}, {})
    assert said(await retained.carry_out("delete", **before)) == ({"states": 1}, {})
    stats = (await house.get("/stats", "operator")).json()
    assert (stats["roster"], stats["states"]) == (2, 1)
    assert await c.db["states"].count_documents({"learner": await house.learner("young")}) == 1
