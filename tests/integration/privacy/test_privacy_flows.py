"""From a decision to its effect, and from a request to its proof, through Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from privacy.service import SERVICE
from service_kit.settings import ServiceSettings

from tests.integration.privacy.conftest import Caller, Twin, privacy_worker, twins

pytestmark = pytest.mark.asyncio(loop_scope="module")

POLICY = {
    "purposes": {
        purpose: {"basis": "public_task", "unknown": "allowed"}
        for purpose in ("record", "profile", "recommend", "teach", "insights")
    }
    | {"research": {"basis": "consent", "unknown": "denied"}}
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(settings: ServiceSettings) -> AsyncIterator[dict[str, Twin]]:
    await SERVICE.init(settings)
    async with privacy_worker(settings), twins(settings) as parts:
        yield parts


async def until(found: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool], seconds: float = 30) -> Any:
    """The first answer that is as wanted."""
    async with asyncio.timeout(seconds):
        while not wanted(answer := await found()):
            await asyncio.sleep(0.05)
    return answer


class TestErasure:
    async def test_completes_with_everyones_receipt(self, stack: dict[str, Twin], call: Caller) -> None:
        learner = str(uuid4())
        assert (await call("PUT", "/policy", "dpo", body=POLICY)).status_code == 200
        stack["ingest"].rows[(call.tenant, learner)] = 7
        made = await call("POST", "/requests", "dpo", body={"type": "erasure", "learner_id": learner})
        assert made.status_code == 202
        assert made.json()["status"] == "running"

        async def status() -> Any:
            return (await call("GET", f"/requests/{made.json()['id']}", "dpo")).json()

        done = await until(status, lambda r: r["status"] == "completed")
        counts = {r["service"]: r["counts"] for r in done["receipts"]}
        assert counts["ingest"] == {"rows": 7}
        assert set(counts) == {"ingest", "learner_profile", "recommendation", "insights", "privacy"}
