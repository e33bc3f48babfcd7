"""`/keys` of the privacy service: who may, and what comes."""

from __future__ import annotations

import asyncio

import pytest
from cli.main import app
from typer.testing import CliRunner

from tests.integration.keys.conftest import KeyHouse


class TestDraws:
    async def test_anonymous(self, keys: KeyHouse, tenant: str) -> None:
        assert (await keys.http.post("/keys/draws", json={"tenant": tenant, "count": 1})).status_code == 401

    @pytest.mark.parametrize("role", ["learner", "operator", "dpo", "app"])
    async def test_other_roles(self, keys: KeyHouse, tenant: str, role: str) -> None:
        answer = await keys.ask("draws", {"tenant": tenant, "count": 1}, role=role, tenant=tenant)
        assert answer.status_code == 403

    @pytest.mark.parametrize("service", ["privacy", "insights", ""])
    async def test_ingest_alone(self, keys: KeyHouse, tenant: str, service: str) -> None:
        answer = await keys.ask("draws", {"tenant": tenant, "count": 1}, service=service)
        assert answer.status_code == 403

    async def test_other_tenant(self, keys: KeyHouse, tenant: str) -> None:
        assert (await keys.ask("draws", {"tenant": tenant, "count": 1}, tenant="other")).status_code == 403

    @pytest.mark.parametrize("body", [{"count": 0}, {"count": 1001}, {"count": 1, "tenant": "*"}, {"more": 1}])
    async def test_invalid(self, keys: KeyHouse, tenant: str, body: dict[str, object]) -> None:
        assert (await keys.ask("draws", {"tenant": tenant, "count": 5, **body})).status_code == 400

    async def test_each_is_new_and_kept(self, keys: KeyHouse, tenant: str) -> None:
        drawn = (await keys.ask("draws", {"tenant": tenant, "count": 30})).json()["items"]
        assert len({one["key"] for one in drawn}) == len({one["learner_id"] for one in drawn}) == 30
        learners = [one["learner_id"] for one in drawn]
        found = (await keys.ask("lookups", {"tenant": tenant, "learners": learners})).json()["items"]
        assert sorted(found, key=str) == sorted(drawn, key=str)
        names = [one["key"] for one in drawn]
        assert len((await keys.ask("lookups", {"keys": names}, tenant=tenant)).json()["items"]) == 30
        assert (await keys.ask("lookups", {"keys": names}, tenant="other")).json()["items"] == []

    async def test_a_bucket_has_room_for_a_thousand(self, keys: KeyHouse, tenant: str) -> None:
        drawn = []
        for count in (600, 600, 1000):
            drawn += (await keys.ask("draws", {"tenant": tenant, "count": count})).json()["items"]
        sizes = [sum(one["bucket"] == bucket for one in drawn) for bucket in {one["bucket"] for one in drawn}]
        assert sorted(sizes) == [200, 1000, 1000]


class TestLookUps:
    @pytest.mark.parametrize(
        "body",
        [{}, {"learners": ["a"]}, {"keys": [], "tenant": "t"}, {"keys": ["a"], "learners": ["a"], "tenant": "t"}],
    )
    async def test_invalid(self, keys: KeyHouse, body: dict[str, object]) -> None:
        assert (await keys.ask("lookups", body)).status_code == 400

    async def test_a_learner_from_before_there_were_keys(self, keys: KeyHouse, tenant: str) -> None:
        body = {"tenant": tenant, "learners": ["someone"]}
        [first, second] = [(await keys.ask("lookups", body)).json()["items"] for _ in range(2)]
        assert [one["learner_id"] for one in first] == ["someone"]
        assert first == second

    async def test_the_tenant_itself_has_one_key(self, keys: KeyHouse, tenant: str) -> None:
        [first, second] = [
            (await keys.ask("lookups", {"tenant": tenant, "learners": [""]})).json()["items"] for _ in range(2)
        ]
        assert len(first) == 1
        assert first == second


class TestRotations:
    async def test_an_operator_alone(self, keys: KeyHouse, tenant: str) -> None:
        assert (await keys.ask("rotations", {}, role="service", tenant="*")).status_code == 403

    async def test_the_command(self, keys: KeyHouse, tenant: str) -> None:
        await keys.ask("draws", {"tenant": tenant, "count": 3})
        for role, status, said in [("operator", 0, "3 data keys"), ("dpo", 1, "one of the roles: operator")]:
            given = ["keys", "rotate", "--url", keys.url, "--token", keys.tokens.make(role, tenant=tenant)]
            result = await asyncio.to_thread(CliRunner().invoke, app, given, env={"COLUMNS": "200"})
            assert result.exit_code == status
            assert said in result.output

    async def test_every_key_is_wrapped_anew(self, keys: KeyHouse, tenant: str) -> None:
        drawn = (await keys.ask("draws", {"tenant": tenant, "count": 20})).json()["items"]
        answer = await keys.ask("rotations", {}, role="operator", tenant=tenant)
        assert answer.json() == {"buckets": 1, "keys": 20}
        learners = [one["learner_id"] for one in drawn]
        after = (await keys.ask("lookups", {"tenant": tenant, "learners": learners})).json()["items"]
        assert {one["key"] for one in after} == {one["key"] for one in drawn}
        assert not {one["bucket"] for one in after} & {one["bucket"] for one in drawn}
        assert drawn[0]["bucket"] not in keys.key_file.read_text()
