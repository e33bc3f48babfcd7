"""`GET /sealing`: how far what lay in the clear is sealed, and how long copies of it may still be there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from events import topics
from service_kit.keys.migrating import MIGRATIONS

from tests.integration.ingest.lrs import Lrs

SEALED = [topic for topic in topics.of_service("ingest") if topic.sealed]


@pytest.fixture
async def notes(lrs: Lrs) -> AsyncIterator[Any]:
    """The walk's own collection, empty before and after."""
    held = lrs.connections.db[MIGRATIONS.name]
    await held.delete_many({})
    yield held
    await held.delete_many({})


async def sealing(lrs: Lrs) -> dict[str, Any]:
    answer = await lrs.http.get("/sealing", headers=lrs.bearer("operator"))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


class TestSealing:
    async def test_anonymous(self, lrs: Lrs) -> None:
        assert (await lrs.http.get("/sealing")).status_code == 401

    @pytest.mark.parametrize("role", ["dpo", "app", "teacher", "learner", "service"])
    async def test_an_operator_alone_reads_it(self, lrs: Lrs, role: str) -> None:
        assert (await lrs.http.get("/sealing", headers=lrs.bearer(role))).status_code == 403

    async def test_where_nothing_was_ever_clear(self, lrs: Lrs, notes: Any) -> None:
        assert await sealing(lrs) == {"places": [], "last_clear_at": None, "copies": []}
        await notes.insert_one({"_id": "statements.bytes", "done": True, "seen": 7})
        found = await sealing(lrs)
        assert found["places"] == [{"place": "statements.bytes", "done": True, "checked": 7}]
        assert (found["last_clear_at"], found["copies"]) == (None, [])

    async def test_copies_count_down_from_the_last_clear_byte(self, lrs: Lrs, notes: Any) -> None:
        now = lrs.connections.clock()
        before = {"_id": "identities.bytes", "done": True, "seen": 3, "clear_at": now - timedelta(days=1)}
        await notes.insert_many([before, {"_id": "statements.bytes", "done": False, "seen": 10, "clear_at": now}])
        found = await sealing(lrs)
        assert {one["place"]: one["done"] for one in found["places"]} == {
            "identities.bytes": True,
            "statements.bytes": False,
        }
        last = datetime.fromisoformat(found["last_clear_at"])
        assert abs(last - now) < timedelta(seconds=1), "the last of all places"
        copies = {one["where"]: one["clear_seconds"] for one in found["copies"]}
        assert copies.keys() == {"oplog", *(topic.name for topic in SEALED)}
        assert copies["oplog"] is not None, "who may look sees the oplog's oldest entry"
        for topic in SEALED:
            if topic.compacted:
                assert copies[topic.name] is None
            else:
                assert 0 < (copies[topic.name] or 0) <= topic.retention_days * 86_400
