"""The catalog over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from recommendation.catalog.repository import CatalogRepository
from recommendation.settings import CatalogSettings
from service_kit.mongo import ASCENDING
from service_kit.runtime import Connections

from tests.integration.recommendation.conftest import Caller

FULL: dict[str, Any] = {
    "id": "https://x.example/full",
    "title": "Fractions with pizza",
    "type": "http://adlnet.gov/expapi/activities/lesson",
    "competencies": ["maths/fractions"],
    "weights": {"maths/fractions": 0.5},
    "prerequisites": ["maths/adding"],
    "difficulty": 0.5,
    "duration": "PT20M",
    "language": "en",
    "modality": "text",
    "bandwidth": "low",
    "core": False,
    "tags": ["maths"],
}
IRIS = [f"https://x.example/{n}" for n in range(7)]


class TestImport:
    async def test_anonymous(self, call: Caller) -> None:
        assert (await call("POST", "/catalog/import", content=b"{}")).status_code == 401

    async def test_another_role(self, call: Caller) -> None:
        for role in ("learner", "teacher", "dpo", "authority", "service"):
            assert (await call("POST", "/catalog/import", role, content=b"{}")).status_code == 403

    async def test_another_tenant_keeps_its_own(self, call: Caller) -> None:
        await call.load(FULL, tenant="elsewhere")
        assert (await call("GET", "/catalog/activities", "app")).json() == {"items": [], "next": None}

    async def test_invalid_lines_are_named_and_nothing_is_stored(self, call: Caller) -> None:
        answer = await call.load(FULL, {"id": "urn:x:2"}, {"id": "urn:x:3", "difficulty": 3}, {"id": "urn:x:4", "x": 1})
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert [(e["line"], e["pointer"]) for e in answer.json()["errors"]] == [(3, "/difficulty"), (4, "/x")]
        assert (await call("GET", "/catalog/activities", "app")).json()["items"] == []

    async def test_an_empty_body(self, call: Caller) -> None:
        assert (await call("POST", "/catalog/import", "app", content=b"\n")).status_code == 400

    async def test_too_many_lines(self, call: Caller) -> None:
        lines = b"{}\n" * (CatalogSettings().line_limit + 1)
        assert (await call("POST", "/catalog/import", "app", content=lines)).status_code == 413

    async def test_happy_and_again(self, call: Caller) -> None:
        other = {"id": IRIS[0], "title": "One"}
        first = await call.load(FULL, other)
        assert (first.status_code, first.json()) == (200, {"imported": 2, "changed": 2, "unchanged": 0})
        assert (await call.load(FULL, other)).json() == {"imported": 2, "changed": 0, "unchanged": 2}
        changed = await call.load(FULL, other | {"title": "Another"})
        assert changed.json() == {"imported": 2, "changed": 1, "unchanged": 1}

    async def test_many_lines(self, call: Caller) -> None:
        answer = await call.load(*({"id": f"urn:x:{n}"} for n in range(5_000)))
        assert answer.json() == {"imported": 5_000, "changed": 5_000, "unchanged": 0}


class TestList:
    async def test_anonymous(self, call: Caller) -> None:
        assert (await call("GET", "/catalog/activities")).status_code == 401

    async def test_any_role(self, call: Caller) -> None:
        for role in ("learner", "teacher", "dpo", "operator"):
            assert (await call("GET", "/catalog/activities", role)).status_code == 200

    async def test_every_key_comes_back(self, call: Caller) -> None:
        await call.load(FULL)
        assert (await call("GET", "/catalog/activities", "app")).json() == {"items": [FULL], "next": None}

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
    async def test_pages_hold_each_activity_once(self, call: Caller, limit: int) -> None:
        await call.load(*({"id": iri} for iri in IRIS))
        found: list[str] = []
        cursor: dict[str, Any] = {}
        while True:
            page = (await call("GET", "/catalog/activities", "app", limit=limit, **cursor)).json()
            assert 0 < len(page["items"]) <= limit
            found += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert found == IRIS

    @pytest.mark.parametrize("params", [{"limit": 0}, {"limit": "many"}, {"cursor": "nonsense"}, {"cursor": "WzFd"}])
    async def test_invalid(self, call: Caller, params: dict[str, Any]) -> None:
        answer = await call("GET", "/catalog/activities", "app", **params)
        assert answer.status_code == 400
        assert answer.json()["errors"]


class TestStats:
    async def test_anonymous_and_another_role(self, call: Caller) -> None:
        assert (await call("GET", "/stats")).status_code == 401
        assert (await call("GET", "/stats", "learner")).status_code == 403

    async def test_happy(self, call: Caller) -> None:
        await call.load({"id": IRIS[0]}, {"id": IRIS[1]})
        assert (await call("GET", "/stats", "operator")).json() == {"activities": 2, "learners": 0}


async def test_every_query_has_its_index(held: Connections, call: Caller) -> None:
    await call.load(*({"id": iri} for iri in IRIS))
    range_query = {"_id": {"$gt": f"{call.tenant}/", "$lt": f"{call.tenant}0"}}
    outbox = {"outbox.token": {"$exists": True}, "outbox.shard": {"$in": [0, 1, 2]}}
    for collection, query, sort in (
        ("activities", range_query, [("_id", ASCENDING)]),
        ("activities", {"_id": {"$in": ["a", "b"]}}, None),
        ("competencies", range_query | {"competency": {"$ne": None}}, [("_id", ASCENDING)]),
        ("competencies", {"tenant": call.tenant, "framework": "x"}, None),
        ("competencies", outbox, [("outbox.shard", ASCENDING), ("outbox.token", ASCENDING)]),
        ("activities", outbox, [("outbox.shard", ASCENDING), ("outbox.token", ASCENDING)]),
        ("learners", range_query | {"status": "open"}, None),
        ("learners", {"_id": {"$in": ["a", "b"]}}, None),
    ):
        cursor = held.db[collection].find(query)
        plan = str(await (cursor.sort(sort) if sort else cursor).explain())
        assert "IXSCAN" in plan or "IDHACK" in plan, (collection, query)
        assert "COLLSCAN" not in plan


async def test_the_version_rises_with_a_change_alone(held: Connections, call: Caller) -> None:
    repository = CatalogRepository(held.client, held.db, held.clock)
    assert await repository.version(call.tenant) == 0
    await call.load(FULL)
    first = await repository.version(call.tenant)
    await call.load(FULL)
    assert 0 < first == await repository.version(call.tenant)
