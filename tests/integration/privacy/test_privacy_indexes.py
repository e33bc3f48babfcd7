"""Every query has its index."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import pytest_asyncio
from privacy.service import SERVICE
from service_kit.mongo import Document, ensure
from service_kit.runtime import Connections, connections
from service_kit.settings import ServiceSettings

from tests.support.plans import assert_indexed

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime(2026, 11, 22, tzinfo=UTC)
OUTBOX = {"outbox.token": {"$exists": True}, "outbox.shard": {"$in": [0, 1]}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(settings: ServiceSettings) -> AsyncIterator[Connections]:
    async with connections("privacy", settings) as c:
        await ensure(c.db, SERVICE.collections)
        yield c


@pytest.mark.parametrize(
    ("collection", "query", "sort"),
    [
        ("policies", OUTBOX, [("outbox.shard", 1), ("outbox.token", 1)]),
        ("consents", OUTBOX, [("outbox.shard", 1), ("outbox.token", 1)]),
        ("requests", OUTBOX, [("outbox.shard", 1), ("outbox.token", 1)]),
        ("consent_history", {"tenant": "t", "learner": "l"}, [("_id", 1)]),
        ("requests", {"tenant": "t"}, [("_id", -1)]),
        ("requests", {"tenant": "t", "_id": {"$lt": "x"}}, [("_id", -1)]),
        ("requests", {"tenant": "t", "status": "running"}, [("_id", -1)]),
        ("requests", {"tenant": "t", "idempotency": "digest"}, None),
        ("requests", {"tenant": "t", "learner": str(uuid4()), "unfinished": True}, None),
        ("requests", {"tenant": "t", "learner": {"$in": ["l"]}, "unfinished": True, "version": {"$gt": 0}}, None),
        ("requests", {"tenant": "t", "learner": str(uuid4())}, [("_id", 1)]),
        ("requests", {"unfinished": True, "type": {"$in": ["erasure"]}, "send_again_at": {"$lte": NOW}}, None),
        ("requests", {"unfinished": True, "type": {"$in": ["erasure"]}, "escalated_at": {"$ne": None}}, None),
        (
            "requests",
            {"unfinished": True, "type": {"$in": ["erasure"]}, "status": "pending", "due_at": {"$lte": NOW}},
            None,
        ),
        ("requests", {"certify": {"$exists": True}}, None),
        ("retention_rules", {"tenant": "t", "_id": {"$gt": "x"}}, [("_id", 1)]),
        ("retention_rules", {"next_run_at": {"$lte": NOW}}, None),
        ("retention_rule_versions", {"tenant": "t", "at": {"$lte": NOW}}, [("at", 1)]),
        ("retention_runs", {"tenant": "t", "_id": {"$lt": "x"}}, [("_id", -1)]),
        ("retention_runs", {"tenant": "t", "rule_id": "r"}, [("_id", -1)]),
        ("retention_runs", {"rule_id": "r", "open": "run", "tenant": "t"}, None),
        ("retention_runs", {"open": {"$in": ["run", "preview"]}, "_id": {"$gt": ""}}, [("_id", 1)]),
        ("retention_runs", {"open": {"$in": ["run", "preview"]}, "escalated_at": {"$ne": None}}, None),
        ("retention_portions", OUTBOX, [("outbox.shard", 1), ("outbox.token", 1)]),
        ("retention_portions", {"run": "r", "state": "waiting"}, [("_id", 1)]),
        ("retention_portions", {"tenant": "t", "state": "open", "preview": False}, None),
        ("retention_portions", {"state": "open", "send_again_at": {"$lte": NOW}}, None),
        ("legal_holds", {"tenant": "t", "_id": {"$lt": "x"}}, [("_id", -1)]),
        ("legal_holds", {"tenant": "t", "everyone": True, "in_force": True}, None),
    ],
)
async def test_no_scan_and_no_sort_in_memory(
    here: Connections, collection: str, query: Document, sort: list[tuple[str, int]] | None
) -> None:
    await assert_indexed(here.db[collection], query, sort)
