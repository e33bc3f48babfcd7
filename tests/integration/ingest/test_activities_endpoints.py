"""Activities and agents beyond the standard: who may define and ask, what learning costs, whose names go."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from ingest.identities.repository import IDENTITIES
from ingest.worker import participant
from service_kit.mongo import MongoAway, in_transaction

from tests.integration.ingest.lrs import Json, Lrs, agent, statement, voiding

ACTIVITY = "https://example.org/activities/defined"


def defined(**definition: Any) -> Json:
    return statement(object={"id": ACTIVITY, "definition": definition})


def named(name: str, actor: str = "ada") -> Json:
    return statement() | {"actor": {**agent(actor), "name": name}}


async def activity(lrs: Lrs, auth: httpx2.BasicAuth | None = None) -> Json:
    answer = await lrs.get("/xapi/activities", activityId=ACTIVITY, auth=auth or lrs.auth)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def names(lrs: Lrs, actor: str = "ada", auth: httpx2.BasicAuth | None = None) -> list[str]:
    answer = await lrs.get("/xapi/agents", agent=json.dumps(agent(actor)), auth=auth or lrs.auth)
    assert answer.status_code == 200, answer.text
    return list(answer.json().get("name", []))


class TestDefining:
    async def test_takes_the_scope(self, lrs: Lrs) -> None:
        _, writer = await lrs.credential("statements/write")
        _, definer = await lrs.credential("statements/write", "define")
        batch = [defined(name={"en": "Test"}), named("Ada")]
        assert (await lrs.post(batch, auth=writer)).status_code == 200
        assert ("definition" in await activity(lrs), await names(lrs)) == (False, [])
        assert (await lrs.post(batch, auth=definer)).status_code == 200  # stored before: it teaches all the same
        assert ("definition" in await activity(lrs), await names(lrs)) == (True, ["Ada"])

    async def test_other_tenant(self, lrs: Lrs) -> None:
        other = await lrs.other_tenant()
        await lrs.post([defined(name={"en": "Test"}), named("Ada")])
        assert ("definition" in await activity(lrs, other.auth), await names(lrs, auth=other.auth)) == (False, [])

    async def test_numbers_and_keys_keep_their_text(self, lrs: Lrs) -> None:
        body = defined(extensions={"https://e.org/$a.b": "N"})
        await lrs.post(json.dumps(body).replace('"N"', "[1.0, 12345678901234567890123]").encode())
        answer = await lrs.get("/xapi/activities", activityId=ACTIVITY)
        assert b'"https://e.org/$a.b":[1.0,12345678901234567890123]' in answer.content

    async def test_a_huge_definition_is_not_learned(self, lrs: Lrs) -> None:
        await lrs.post(defined(name={"en": "x" * 300_000}))
        await lrs.post(defined(name={"en": "Test"}))
        assert (await activity(lrs))["definition"] == {"name": {"en": "Test"}}

    async def test_refused_statements_teach_nothing(self, lrs: Lrs) -> None:
        assert (await lrs.post([defined(name={"en": "Test"}), {}])).status_code == 400
        assert "definition" not in await activity(lrs)

    async def test_voiding_is_no_matter(self, lrs: Lrs) -> None:
        one = defined(name={"en": "Test"})
        assert (await lrs.post([one, voiding(one["id"])])).status_code == 200
        assert "definition" in await activity(lrs)


class TestAsking:
    @pytest.mark.parametrize(
        ("scope", "activities", "agents"),
        [
            ("statements/read", 200, 200),
            ("all/read", 200, 200),
            ("statements/read/mine", 200, 403),
            ("define", 200, 403),
            ("profile", 200, 403),
            ("statements/write", 403, 403),
            ("state", 403, 403),
        ],
    )
    async def test_scopes(self, lrs: Lrs, scope: str, activities: int, agents: int) -> None:
        _, auth = await lrs.credential(scope)
        one = await lrs.get("/xapi/activities", activityId=ACTIVITY, auth=auth)
        other = await lrs.get("/xapi/agents", agent=json.dumps(agent("ada")), auth=auth)
        assert (one.status_code, other.status_code) == (activities, agents)

    async def test_asking_makes_nobody(self, lrs: Lrs) -> None:
        assert await names(lrs, "nobody") == []
        assert await lrs.connections.db[IDENTITIES.name].count_documents({"tenant": lrs.tenant}) == 0


class TestCost:
    async def test_what_was_seen_costs_no_command(self, lrs: Lrs, monkeypatch: pytest.MonkeyPatch) -> None:
        await lrs.post([defined(name={"en": "Test"}), named("Ada")])
        state = lrs.app.state.ingest

        async def never(*_: Any) -> Any:
            raise AssertionError("the database was asked again")

        monkeypatch.setattr(state.activities._activities, "find", never)
        monkeypatch.setattr(state.agents._identities, "add_names", never)
        answer = await lrs.post([defined(name={"en": "Test"}), named("Ada"), statement()])
        assert answer.status_code == 200

    async def test_a_failure_does_not_cost_the_statement(self, lrs: Lrs, monkeypatch: pytest.MonkeyPatch) -> None:
        async def away(*_: Any) -> Any:
            raise MongoAway("test")

        with monkeypatch.context() as broken:
            broken.setattr(lrs.app.state.ingest.activities._activities, "find", away)
            assert (await lrs.post(defined(name={"en": "Test"}))).status_code == 200
        assert "definition" not in await activity(lrs)
        await lrs.post(defined(name={"en": "Test"}))
        assert "definition" in await activity(lrs)


class TestErasure:
    async def test_names_go_with_the_learner(self, lrs: Lrs) -> None:
        await lrs.post([named("Ada"), named("Eve", "eve")])
        ada, part = await lrs.learner("ada"), participant(lrs.connections)
        await in_transaction(lrs.connections.client, lambda s: part.erase(lrs.tenant, ada, s))
        assert (await names(lrs), await names(lrs, "eve")) == ([], ["Eve"])
        kept = await lrs.connections.db[IDENTITIES.name].find({"tenant": lrs.tenant}).to_list(None)
        assert not any('"ada"' in str(document).lower() for document in kept)

    async def test_a_name_does_not_pass_to_whoever_comes_back(self, lrs: Lrs) -> None:
        await lrs.post(named("Ada"))
        ada, part = await lrs.learner("ada"), participant(lrs.connections)
        await in_transaction(lrs.connections.client, lambda s: part.erase(lrs.tenant, ada, s))
        await lrs.decide(ada, None, erased=True)
        await lrs.post(named("Countess"))
        assert await names(lrs) == ["Countess"]
