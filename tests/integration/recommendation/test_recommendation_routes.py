"""Recommendations over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from events.payloads import LearnerProfile
from recommendation.learners.repository import LearnerRepository
from service_kit.mongo import in_transaction
from service_kit.runtime import Connections

from tests.integration.recommendation.conftest import Caller, View, evidence, profile

ADDING, FRACTIONS, MUSIC = (f"https://x.example/{name}" for name in ("adding", "fractions", "music"))
CATALOG: list[dict[str, Any]] = [
    {"id": ADDING, "title": "Adding", "competencies": ["maths/adding"], "tags": ["maths"], "duration": "PT20M"},
    {
        "id": FRACTIONS,
        "title": "Fractions",
        "competencies": ["maths/fractions"],
        "prerequisites": ["maths/adding"],
        "tags": ["maths"],
    },
    {"id": MUSIC, "title": "Rhythm", "competencies": ["music/rhythm"], "core": False, "tags": ["music"]},
]


@pytest.fixture
def learner() -> str:
    return str(uuid4())


async def put(c: Connections, tenant: str, learner: str, one: LearnerProfile) -> None:
    repository = LearnerRepository(c.db, c.sealer)
    await in_transaction(c.client, lambda session: repository.put(tenant, {learner: one}, session))


def mastered(competency: str, number: int = 6) -> LearnerProfile:
    return profile(1, *(evidence(f"urn:practice:{n}", competency, 1.0, number=n) for n in range(number)))


def mastered_alone(competency: str) -> LearnerProfile:
    """Good at one thing, by practice; not at everything."""
    failed = [evidence(f"urn:song:{n}", "music/rhythm", 0.0, days_ago=n + 1) for n in range(6)]
    return profile(1, *failed, *(evidence(f"urn:practice:{n}", competency, 1.0, number=n) for n in range(9)))


def path(learner: str) -> str:
    return f"/learners/{learner}/recommendations"


class TestOfLearner:
    async def test_anonymous(self, call: Caller, learner: str) -> None:
        assert (await call("GET", path(learner))).status_code == 401

    async def test_another_role(self, call: Caller, learner: str) -> None:
        for role in ("teacher", "dpo", "operator", "service"):
            assert (await call("GET", path(learner), role)).status_code == 403

    async def test_another_learner(self, call: Caller, view: View, learner: str) -> None:
        assert (await call("GET", path(learner), "learner", learner=str(uuid4()))).status_code == 403

    async def test_another_tenant_knows_nothing_of_the_learner(
        self, call: Caller, view: View, held: Connections, learner: str
    ) -> None:
        await put(held, "elsewhere", learner, mastered("maths/adding"))
        assert (await call("GET", path(learner), "app")).json()["reflects"] is None

    async def test_policy_unknown_is_to_be_asked_again(self, call: Caller, learner: str) -> None:
        answer = await call("GET", path(learner), "app")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0

    @pytest.mark.parametrize(
        "params", [{"limit": 0}, {"limit": 51}, {"max_duration": "soon"}, {"as_of": "2026-01-01T00:00:00"}]
    )
    async def test_invalid(self, call: Caller, view: View, learner: str, params: dict[str, Any]) -> None:
        answer = await call("GET", path(learner), "app", **params)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["parameter"] == next(iter(params))

    async def test_an_id_that_is_none(self, call: Caller, view: View) -> None:
        assert (await call("GET", path("someone"), "app")).status_code == 400

    @pytest.mark.parametrize("purpose", ["profile", "recommend"])
    async def test_a_stopped_purpose(self, call: Caller, view: View, learner: str, purpose: str) -> None:
        await view.decide(learner, **{purpose: "objected"})
        answer = await call("GET", path(learner), "app")
        assert answer.status_code == 403
        assert purpose in answer.json()["detail"]

    async def test_someone_unknown_gets_places_to_start(self, call: Caller, view: View, learner: str) -> None:
        await call.load(*CATALOG)
        answer = (await call("GET", path(learner), "app")).json()
        assert (answer["learner_id"], answer["reflects"]) == (learner, None)
        assert {item["activity"]["id"] for item in answer["items"]} == {ADDING, MUSIC}
        assert all(item["reasons"][0]["code"] == "start" for item in answer["items"])

    async def test_happy(self, call: Caller, view: View, held: Connections, learner: str) -> None:
        await call.load(*CATALOG)
        known = mastered("maths/adding")
        await put(held, call.tenant, learner, known)
        answer = (await call("GET", path(learner), "app")).json()
        assert answer["reflects"] == known.reflects
        by_id = {item["activity"]["id"]: item for item in answer["items"]}
        assert set(by_id) == {FRACTIONS, MUSIC}
        fractions = by_id[FRACTIONS]
        assert fractions["activity"].keys() >= {"id", "title", "prerequisites", "difficulty", "bandwidth", "core"}
        assert 0 < fractions["score"] <= 1
        assert fractions["because"].startswith("you know adding and fractions comes next")
        (step, *_) = fractions["reasons"]
        assert (step["code"], step["data"]["competency"]) == ("next_step", "maths/fractions")
        assert step["data"]["prerequisites"][0]["probability"] > 0.6

    async def test_an_import_counts_at_once_in_every_replica(self, call: Caller, view: View, learner: str) -> None:
        await call.load(CATALOG[0])
        assert len((await call("GET", path(learner), "app")).json()["items"]) == 1
        await call.load(CATALOG[2])
        assert len((await call("GET", path(learner), "app")).json()["items"]) == 2

    async def test_means(self, call: Caller, view: View, learner: str) -> None:
        await call.load(*CATALOG)
        answer = await call("GET", path(learner), "app", max_duration="PT5M")
        assert [item["activity"]["id"] for item in answer.json()["items"]] == [MUSIC]

    async def test_later_what_has_faded_comes_back(
        self, call: Caller, view: View, held: Connections, learner: str
    ) -> None:
        await call.load(*CATALOG)
        await put(held, call.tenant, learner, mastered_alone("maths/adding"))
        answer = (await call("GET", path(learner), "app", as_of="2031-01-01T00:00:00Z")).json()
        assert answer["as_of"] == "2031-01-01T00:00:00Z"
        codes = {item["activity"]["id"]: item["reasons"][0]["code"] for item in answer["items"]}
        assert codes[ADDING] == "due_review"
        assert FRACTIONS not in codes


class TestMine:
    async def test_anonymous(self, call: Caller) -> None:
        assert (await call("GET", path("me"))).status_code == 401

    async def test_another_role(self, call: Caller) -> None:
        assert (await call("GET", path("me"), "app")).status_code == 403

    async def test_a_token_without_a_learner(self, call: Caller, view: View) -> None:
        assert (await call("GET", path("me"), "learner")).status_code == 403

    async def test_happy(self, call: Caller, view: View, learner: str) -> None:
        await call.load(*CATALOG)
        answer = await call("GET", path("me"), "learner", learner=learner, limit=1)
        assert answer.status_code == 200
        assert answer.json()["learner_id"] == learner
        assert len(answer.json()["items"]) == 1
        assert (await call("GET", path(learner), "learner", learner=learner)).status_code == 200
