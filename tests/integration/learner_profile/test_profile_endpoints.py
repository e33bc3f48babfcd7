"""The HTTP side: a class for each route, with the same first methods."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from events.payloads import CatalogActivity
from learner_profile.app import create
from service_kit.settings import ServiceSettings

from tests.integration.learner_profile.conftest import House, course, statement, voiding
from tests.support.serving import serve
from tests.support.tokens import Tokens


@dataclass
class Api:
    """Calls the service in the test's own tenant."""

    client: httpx2.AsyncClient
    tokens: Tokens
    tenant: str

    async def get(self, path: str, *roles: str, learner: str | None = None, **params: Any) -> httpx2.Response:
        return await self.client.get(
            path, headers=self.tokens.headers(*roles, tenant=self.tenant, learner=learner), params=params
        )

    async def elsewhere(self, path: str, *roles: str) -> httpx2.Response:
        return await self.client.get(path, headers=self.tokens.headers(*roles, tenant="another"))


@pytest_asyncio.fixture
async def api(house: House, settings: ServiceSettings, tokens: Tokens) -> AsyncIterator[Api]:
    async with serve(create(settings)) as url, httpx2.AsyncClient(base_url=url, timeout=10) as client:
        yield Api(client, tokens, house.tenant)


@pytest.fixture
def learner() -> str:
    return str(uuid4())


@pytest_asyncio.fixture
async def known(house: House, learner: str) -> str:
    """A learner with ten answers in three courses."""
    await house.policy()
    await house.statements(learner, *[statement(number) for number in range(10)])
    return learner


def problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    return found


class TestLearner:
    """GET /learners/{learner_id}"""

    @pytest.mark.parametrize("batches", [2, 1])
    async def test_nothing_is_known_of_whose_statements_are_all_voided(
        self, house: House, api: Api, learner: str, batches: int
    ) -> None:
        await house.policy()
        sent = statement(1)
        for batch in [[sent, voiding(sent["id"])]] if batches == 1 else [[sent], [voiding(sent["id"])]]:
            await house.statements(learner, *batch)
        await house.settle()
        for path in (f"/learners/{learner}", f"/learners/{learner}/timeline"):
            problem(await api.get(path, "app"), 404)
        await house.statements(learner, statement(2))
        await house.settle()
        assert (await api.get(f"/learners/{learner}", "app")).json()["activity"]["statements"] == 1

    async def test_anonymous(self, api: Api, known: str) -> None:
        problem(await api.client.get(f"/learners/{known}"), 401)

    async def test_wrong_role(self, api: Api, known: str) -> None:
        for role in ("teacher", "authority", "operator"):
            problem(await api.get(f"/learners/{known}", role), 403)
        problem(await api.get(f"/learners/{known}", "learner", learner=str(uuid4())), 403)

    async def test_a_guardian_waits_while_privacy_cannot_say_whose(self, api: Api, known: str) -> None:
        problem(await api.get(f"/learners/{known}", "guardian"), 503)

    async def test_other_tenant(self, api: Api, house: House, known: str) -> None:
        await House.of(house.c, "another").policy()
        problem(await api.elsewhere(f"/learners/{known}", "app"), 404)

    async def test_invalid(self, api: Api, known: str) -> None:
        problem(await api.get("/learners/nobody", "app"), 400)
        found = problem(await api.get(f"/learners/{known}", "app", as_of="2026-03-01T00:00:00"), 400)
        assert found["errors"][0]["parameter"] == "as_of"

    async def test_happy(self, api: Api, known: str) -> None:
        for answer in (
            await api.get(f"/learners/{known}", "app"),
            await api.get(f"/learners/{known}", "dpo"),
            await api.get(f"/learners/{known}", "learner", learner=known),
        ):
            assert answer.status_code == 200
            body = answer.json()
            assert body["learner_id"] == known
            assert body["activity"]["statements"] == 10
            assert [one["id"] for one in body["competencies"]] == [course(number)["id"] for number in range(3)]
            first = body["competencies"][0]
            assert (first["title"], first["provisional"], first["evidence_count"]) == ("Course 0", True, 4)
            assert 0 < first["probability"] < 1
            assert 0 < first["mastery"] < 1
            assert 0 < first["uncertainty"] < 0.5

    async def test_forgetting_is_reckoned_at_the_time_asked_for(self, api: Api, house: House, learner: str) -> None:
        await house.policy()
        good = [statement(number, result={"score": {"scaled": 1}}) for number in range(12)]
        await house.statements(learner, *good)
        soon = (await api.get(f"/learners/{learner}", "app", as_of="2026-03-01T12:00:00Z")).json()
        late = (await api.get(f"/learners/{learner}", "app", as_of="2026-06-01T12:00:00+02:00")).json()
        assert soon["reflects"] == late["reflects"] == good[-1]["id"]
        for before, after in zip(soon["competencies"], late["competencies"], strict=True):
            assert after["probability"] < before["probability"]
            assert after["mastery"] < before["mastery"]
            assert after["evidence_count"] == before["evidence_count"]

    async def test_unknown_learner(self, api: Api, house: House, learner: str) -> None:
        await house.policy()
        problem(await api.get(f"/learners/{learner}", "app"), 404)

    async def test_while_the_policy_is_unknown(self, api: Api, learner: str) -> None:
        answer = await api.get(f"/learners/{learner}", "app")
        problem(answer, 503)
        assert int(answer.headers["retry-after"]) > 0

    @pytest.mark.parametrize("status", ["objected", "withdrawn"])
    async def test_once_profile_is_stopped(self, api: Api, house: House, known: str, status: str) -> None:
        await house.decide(known, 1, status)
        problem(await api.get(f"/learners/{known}", "app"), 403)
        problem(await api.get(f"/learners/{known}", "learner", learner=known), 403)
        problem(await api.get(f"/learners/{known}/timeline", "app"), 403)

    async def test_between_reopening_and_rebuilding(self, api: Api, house: House, known: str) -> None:
        await house.decide(known, 1, "objected")
        await house.decide(known, 2, "granted")
        problem(await api.get(f"/learners/{known}", "app"), 503)
        await house.settle()
        assert (await api.get(f"/learners/{known}", "app")).json()["activity"]["statements"] == 10

    async def test_after_erasure(self, api: Api, house: House, known: str) -> None:
        await house.erase(known)
        problem(await api.get(f"/learners/{known}", "app"), 404)


class TestMe:
    """GET /learners/me"""

    async def test_anonymous(self, api: Api) -> None:
        problem(await api.client.get("/learners/me"), 401)

    async def test_wrong_role(self, api: Api, known: str) -> None:
        problem(await api.get("/learners/me", "app", learner=known), 403)
        problem(await api.get("/learners/me", "learner"), 403)

    async def test_happy(self, api: Api, known: str) -> None:
        answer = await api.get("/learners/me", "learner", learner=known)
        assert answer.json()["learner_id"] == known


class TestTimeline:
    """GET /learners/{learner_id}/timeline"""

    async def test_anonymous(self, api: Api, known: str) -> None:
        problem(await api.client.get(f"/learners/{known}/timeline"), 401)

    async def test_wrong_role(self, api: Api, known: str) -> None:
        problem(await api.get(f"/learners/{known}/timeline", "teacher"), 403)
        problem(await api.get(f"/learners/{known}/timeline", "learner", learner=str(uuid4())), 403)

    async def test_other_tenant(self, api: Api, house: House, known: str) -> None:
        await House.of(house.c, "another").policy()
        problem(await api.elsewhere(f"/learners/{known}/timeline", "app"), 404)

    async def test_invalid(self, api: Api, known: str) -> None:
        for params in ({"limit": 0}, {"limit": 1000}, {"cursor": "nonsense"}, {"cursor": "WyJhIiwiYiJd"}):
            problem(await api.get(f"/learners/{known}/timeline", "app", **params), 400)

    async def test_happy_newest_first_every_item_once(self, api: Api, house: House, known: str) -> None:
        seen: list[dict[str, Any]] = []
        params: dict[str, Any] = {"limit": 3}
        while True:
            page = (await api.get(f"/learners/{known}/timeline", "app", **params)).json()
            seen += page["items"]
            if page["next"] is None:
                break
            assert len(page["items"]) == 3
            params["cursor"] = page["next"]
        assert len({item["statement_id"] for item in seen}) == len(seen) == 10
        assert [item["at"] for item in seen] == sorted((item["at"] for item in seen), reverse=True)

    async def test_it_says_what_came_of_it_and_where_it_counts(self, api: Api, house: House, known: str) -> None:
        activity = CatalogActivity(
            id="https://lms.example/activity/2", title="Two", competencies=["c/2"], difficulty=0.5
        )
        await house.activities(activity)
        items = (await api.get(f"/learners/{known}/timeline", "app")).json()["items"]
        found = items[0]
        assert found["activity"] == {"id": "https://lms.example/activity/2", "title": "Two"}
        assert (found["competencies"], found["provisional"]) == (["c/2"], False)
        assert found["verb"] == "http://adlnet.gov/expapi/verbs/answered"
        assert found["correctness"] == 0.3
        assert found["outcome"] == "failed"
        assert items[1]["provisional"]

    async def test_what_is_voided_is_gone(self, api: Api, house: House, learner: str) -> None:
        await house.policy()
        first, second = statement(1), statement(2)
        await house.statements(learner, first, second)
        await house.statements(learner, voiding(first["id"]))
        items = (await api.get(f"/learners/{learner}/timeline", "app")).json()["items"]
        assert [item["statement_id"] for item in items] == [second["id"]]

    async def test_my_own(self, api: Api, known: str) -> None:
        mine = await api.get("/learners/me/timeline", "learner", learner=known)
        assert len(mine.json()["items"]) == 10
        problem(await api.client.get("/learners/me/timeline"), 401)
        problem(await api.get("/learners/me/timeline", "app"), 403)


class TestStats:
    """GET /stats"""

    async def test_anonymous(self, api: Api) -> None:
        problem(await api.client.get("/stats"), 401)

    async def test_wrong_role(self, api: Api) -> None:
        problem(await api.get("/stats", "app"), 403)

    async def test_other_tenant(self, api: Api, known: str) -> None:
        answer = await api.client.get("/stats", headers=api.tokens.headers("operator", tenant="nobody"))
        assert answer.json() == {"evidence": 0, "voided": 0, "learners": 0, "closed": 0, "dirty": 0}

    async def test_happy(self, api: Api, house: House, known: str) -> None:
        first = statement(1)
        await house.statements(str(uuid4()), first, voiding(first["id"]), statement(2))
        await house.statements(known, statement(0))
        await house.decide(str(uuid4()), 1, "objected")
        answer = await api.get("/stats", "operator")
        assert answer.json() == {"evidence": 12, "voided": 1, "learners": 2, "closed": 1, "dirty": 1}


class TestWhy:
    """GET /learners/{learner_id}/competencies/{competency_id}/why"""

    PATH = f"competencies/{quote(course(0)['id'], safe='')}/why"

    async def test_anonymous(self, api: Api, known: str) -> None:
        problem(await api.client.get(f"/learners/{known}/{self.PATH}"), 401)

    async def test_wrong_role(self, api: Api, known: str) -> None:
        for role in ("teacher", "operator"):
            problem(await api.get(f"/learners/{known}/{self.PATH}", role), 403)
        problem(await api.get(f"/learners/{known}/{self.PATH}", "learner", learner=str(uuid4())), 403)

    async def test_other_tenant(self, api: Api, house: House, known: str) -> None:
        await House.of(house.c, "another").policy()
        problem(await api.elsewhere(f"/learners/{known}/{self.PATH}", "app"), 404)

    async def test_invalid(self, api: Api, known: str) -> None:
        problem(await api.get(f"/learners/{known}/{self.PATH}", "app", limit=0), 400)
        problem(await api.get(f"/learners/{known}/competencies/{'c' * 3000}/why", "app"), 400)
        problem(await api.get(f"/learners/{known}/competencies/nothing/why", "app"), 404)

    async def test_happy(self, api: Api, known: str) -> None:
        when = {"as_of": "2026-03-20T00:00:00Z"}
        model = (await api.get(f"/learners/{known}", "app", **when)).json()["competencies"][0]
        body = (await api.get(f"/learners/{known}/{self.PATH}", "app", limit=2, **when)).json()
        assert (body["competency"], body["title"]) == (model["id"], "Course 0")
        assert {name: body[name] for name in ("probability", "mastery", "uncertainty")} == {
            name: model[name] for name in ("probability", "mastery", "uncertainty")
        }
        assert round(sum(share["points"] for share in body["shares"]), 1) == round(100 * body["probability"], 1)
        assert (len(body["evidence"]), body["evidence_total"]) == (2, 4)
        assert body["evidence"][0]["statement_id"]
        assert body["words"].startswith("Everyone begins at ")

    async def test_in_the_readers_language(self, api: Api, known: str) -> None:
        headers = api.tokens.headers("learner", tenant=api.tenant, learner=known)
        for asked, code, begins in (
            ("de-AT, en;q=0.5", "de", "Alle fangen bei "),
            ("ja", "en", "Everyone begins at "),
        ):
            told = await api.client.get(f"/learners/me/{self.PATH}", headers=headers | {"Accept-Language": asked})
            assert (told.headers["Content-Language"], told.headers["Vary"]) == (code, "Accept-Language")
            assert told.json()["words"].startswith(begins)
            assert told.json()["evidence"][0]["words"].startswith({"de": "Eine ", "en": "A"}[code])

    async def test_my_own(self, api: Api, known: str) -> None:
        assert (await api.get(f"/learners/me/{self.PATH}", "learner", learner=known)).status_code == 200
        problem(await api.get(f"/learners/me/{self.PATH}", "app"), 403)
