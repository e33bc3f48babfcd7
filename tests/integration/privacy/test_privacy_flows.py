"""From a decision to its effect, and from a request to its proof, through Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from privacy.consents.decisions import ENFORCERS
from privacy.service import SERVICE
from service_kit.consent import ConsentView, PolicyUnknown
from service_kit.runtime import connections
from service_kit.settings import ServiceSettings

from tests.integration.privacy.conftest import Caller, Twin, policy, privacy_worker, twin, twins, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Stack:
    """Privacy and three of the four services; a test starts insights when it wants it to answer."""

    twins: dict[str, Twin]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(settings: ServiceSettings) -> AsyncIterator[Stack]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRELLIS_ERASURE_RESEND_SECONDS", "1")
        await SERVICE.init(settings)
        others = [name for name in ENFORCERS if name != "insights"]
        async with privacy_worker(settings), twins(settings, *others) as parts:
            yield Stack(parts)


async def purpose_of(call: Caller, learner: str, purpose: str) -> dict[str, str]:
    found: dict[str, str] = (await call("GET", f"/consents/{learner}", "app")).json()["purposes"][purpose]
    return found


class TestDecision:
    async def test_effective_once_all_four_have_acknowledged(
        self, stack: Stack, call: Caller, settings: ServiceSettings
    ) -> None:
        learner = str(uuid4())
        await call("PUT", "/policy", "dpo", body=policy())
        await call("PUT", f"/consents/{learner}/profile", "app", body={"status": "objected"})

        async def enforcers() -> list[str]:
            return [name for name, part in stack.twins.items() if part.stopped(learner, "profile")]

        await until(enforcers, lambda names: len(names) == 3)
        assert (await purpose_of(call, learner, "profile"))["enforcement"] == "pending"
        async with twin("insights", settings) as insights:
            await until(lambda: purpose_of(call, learner, "profile"), lambda p: p["enforcement"] == "effective")
            assert insights.stopped(learner, "profile")
            back = await call("DELETE", f"/consents/{learner}/profile", "app")
            assert back.json()["enforcement"] == "pending"
            await until(
                lambda: purpose_of(call, learner, "profile"),
                lambda p: (p["status"], p["enforcement"]) == ("allowed", "effective"),
            )
            assert any(change.resumed("profile") for change in insights.changes), "the word to rebuild may follow it"


class TestErasure:
    async def test_completes_with_everyones_receipt(
        self, stack: Stack, call: Caller, settings: ServiceSettings
    ) -> None:
        learner, bystander = str(uuid4()), str(uuid4())
        await call("PUT", "/policy", "dpo", body=policy())
        for one in (learner, bystander):
            stack.twins["ingest"].rows[(call.tenant, one)] = 7
        body = {"type": "erasure", "learner_id": learner}
        made = await call("POST", "/requests", "learner", body=body, learner=learner)
        request = made.json()["id"]
        assert (await call("POST", f"/requests/{request}/approve", "dpo")).status_code == 202

        async def read() -> Any:
            return (await call("GET", f"/requests/{request}", "dpo")).json()

        waiting = await until(read, lambda r: len(r["receipts"]) == 4)
        assert (waiting["status"], waiting["completed_at"]) == ("running", None)
        async with twin("insights", settings):
            done = await until(read, lambda r: r["status"] == "completed")
        counts = {r["service"]: r["counts"] for r in done["receipts"]}
        assert set(counts) == {*ENFORCERS, "privacy"}
        assert counts["ingest"] == {"rows": 7}, "the first receipt counts, also when the request was sent again"
        assert counts["insights"] == {"rows": 0}
        assert done["completed_at"] == max(r["completed_at"] for r in done["receipts"])
        assert stack.twins["ingest"].rows[(call.tenant, bystander)] == 7

    async def test_the_forgotten_stay_forgotten_in_every_view(
        self, stack: Stack, call: Caller, settings: ServiceSettings
    ) -> None:
        learner = str(uuid4())
        await call("PUT", "/policy", "dpo", body=policy())
        await call("POST", "/requests", "dpo", body={"type": "erasure", "learner_id": learner})
        async with connections("ingest", settings) as c:
            view = ConsentView(c.db)

            async def erased() -> bool:
                try:
                    return (await view.standing(call.tenant, learner)).erased
                except PolicyUnknown:
                    return False

            await until(erased, bool)
            assert not (await view.standing(call.tenant, learner)).allows("record")

    async def test_without_a_policy_nobody_else_waits(self, stack: Stack, call: Caller) -> None:
        made = await call("POST", "/requests", "dpo", body={"type": "erasure", "learner_id": str(uuid4())})

        async def receipts() -> int:
            return len((await call("GET", f"/requests/{made.json()['id']}", "dpo")).json()["receipts"])

        await until(receipts, lambda n: n == 4)

    async def test_a_request_without_receipts_is_sent_again(
        self, stack: Stack, call: Caller, settings: ServiceSettings
    ) -> None:
        learner = str(uuid4())
        made = await call("POST", "/requests", "dpo", body={"type": "erasure", "learner_id": learner})
        async with connections("privacy", settings) as c:

            async def sent() -> int:
                found = await c.db["requests"].find_one({"_id": made.json()["id"]})
                return int(found["sent"]) if found else 0

            await until(sent, lambda times: times >= 2)
