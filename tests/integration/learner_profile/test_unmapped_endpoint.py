"""GET /unmapped"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest_asyncio
from events.payloads import CatalogActivity
from learner_profile.app import create
from service_kit.merging import STANDINGS
from service_kit.settings import ServiceSettings

from tests.integration.learner_profile.conftest import House, course, statement, voiding
from tests.support.plans import assert_indexed
from tests.support.serving import serve
from tests.support.tokens import Tokens


class List:
    def __init__(self, house: House, client: httpx2.AsyncClient, tokens: Tokens) -> None:
        self.house, self.client, self.tokens = house, client, tokens

    async def get(self, role: str = "operator", tenant: str | None = None, **params: Any) -> httpx2.Response:
        headers = self.tokens.headers(role, tenant=tenant or self.house.tenant)
        return await self.client.get("/unmapped", headers=headers, params=params)


@pytest_asyncio.fixture
async def listed(house: House, settings: ServiceSettings, tokens: Tokens) -> AsyncIterator[List]:
    await house.policy()
    await house.statements("ada", *[statement(number) for number in range(14)])
    await house.statements("eve", statement(0), statement(7))
    async with serve(create(settings)) as url, httpx2.AsyncClient(base_url=url, timeout=10) as client:
        yield List(house, client, tokens)


async def test_who_may(listed: List) -> None:
    assert (await listed.client.get("/unmapped")).status_code == 401
    for role in ("learner", "teacher", "dpo", "authority"):
        assert (await listed.get(role)).status_code == 403
    assert (await listed.get(tenant="another")).json() == {"items": [], "next": None}


async def test_invalid(listed: List) -> None:
    for params in ({"limit": 0}, {"limit": 201}, {"cursor": "nonsense"}, {"cursor": "WzFd"}):
        assert (await listed.get(**params)).status_code == 400


async def test_each_once_with_its_counts_by_pages(listed: List) -> None:
    seen: list[dict[str, Any]] = []
    params: dict[str, Any] = {"limit": 3}
    while True:
        page = (await listed.get(**params)).json()
        seen += page["items"]
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert [one["activity"] for one in seen] == [f"https://lms.example/activity/{number}" for number in range(7)]
    assert [(one["evidence"], one["learners"]) for one in seen] == [(4, 2)] + [(2, 1)] * 6
    assert seen[0]["counts_towards"] in [{"id": course(n)["id"], "title": f"Course {n}"} for n in range(3)]


async def test_a_person_with_several_identifiers_counts_once_and_so_does_what_was_reached_together(
    listed: List,
) -> None:
    house = listed.house
    together = statement(14)
    await house.statements("eve", together)
    await house.statements("eve-by-mail", together, statement(21), statement(28))
    await house.statements("ben", statement(0))

    async def first() -> tuple[int, int]:
        one = (await listed.get(limit=1)).json()["items"][0]
        return one["evidence"], one["learners"]

    assert await first() == (9, 4)
    await house.merge("eve-by-mail", "eve")
    assert await first() == (8, 3)  # what was reached together counts once
    await house.merge("eve-by-mail", None, 2)
    assert await first() == (9, 4)


async def test_who_is_one_person_is_found_by_an_index(listed: List) -> None:
    await listed.house.merge("eve-by-mail", "eve")
    tenant = listed.house.tenant
    where = {"merged.version": {"$gt": 0}, "_id": {"$gt": f"{tenant}/", "$lt": f"{tenant}0"}}
    await assert_indexed(listed.house.c.db[STANDINGS.name], where)
    assert {group.everyone for group in await listed.house.views.merges.people(tenant)} == {("eve", "eve-by-mail")}
    assert await listed.house.views.merges.people("another") == set()


async def test_mapping_one_moves_its_evidence_and_takes_it_off_the_list(listed: List) -> None:
    house = listed.house
    one = CatalogActivity(id="https://lms.example/activity/1", title="One", competencies=["c/1"])
    none = CatalogActivity(id="https://lms.example/activity/2", title="Two")
    await house.activities(one, none)
    await house.settle()
    listed_now = [found["activity"] for found in (await listed.get()).json()["items"]]
    assert one.id not in listed_now
    assert none.id in listed_now  # it is in the catalog, and counts towards nothing there
    profile = (await house.views.learners.load(house.tenant, ["ada"]))["ada"]
    assert profile.state is not None
    assert "c/1" in profile.state.competencies


async def test_what_lies_in_a_mapped_quiz_is_mapped(listed: List) -> None:
    house = listed.house
    inside = {"contextActivities": {"parent": [{"id": "https://lms.example/quiz"}]}}
    await house.statements("ada", statement(20, object={"id": "https://lms.example/q"}, context=inside))
    quiz = CatalogActivity(id="https://lms.example/quiz", title="Quiz", competencies=["c/9"])
    await house.activities(quiz)
    assert "https://lms.example/q" not in [one["activity"] for one in (await listed.get()).json()["items"]]


async def test_what_names_no_course_counts_towards_interest_alone(listed: List) -> None:
    lonely = statement(21, object={"id": "https://lms.example/zz-lonely"}, context={})
    await listed.house.statements("ada", lonely)
    assert (await listed.get()).json()["items"][-1]["counts_towards"] is None
    await listed.house.statements("ada", voiding(lonely["id"]))
    assert (await listed.get()).json()["items"][-1]["activity"] != lonely["object"]["id"]


async def test_it_walks_an_index(listed: List) -> None:
    match = {"$match": {"tenant": listed.house.tenant, "voided": False, "activity": {"$gt": ""}}}
    order = {"$sort": {"tenant": 1, "voided": 1, "activity": 1}}
    pipeline = [match, order, {"$group": {"_id": "$activity", "data": {"$first": "$data"}}}]
    plan = await listed.house.c.db.command(
        "explain", {"aggregate": "evidence", "pipeline": pipeline, "cursor": {}}, verbosity="queryPlanner"
    )
    assert "DISTINCT_SCAN" in json.dumps(plan, default=str)
