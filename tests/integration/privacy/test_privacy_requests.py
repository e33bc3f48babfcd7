"""/requests, without Kafka: who may ask, what waits, what runs."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from tests.integration.privacy.conftest import Caller, policy

pytestmark = pytest.mark.asyncio(loop_scope="module")


REFUSAL = {"ground": "legal-claims", "reason": "Exam under way"}


def erasure(learner: str) -> dict[str, str]:
    return {"type": "erasure", "learner_id": learner}


@pytest.fixture
def learner() -> str:
    return str(uuid4())


class TestPost:
    async def test_anonymous(self, call: Caller, learner: str) -> None:
        assert (await call("POST", "/requests", body=erasure(learner))).status_code == 401

    @pytest.mark.parametrize("role", ["app", "teacher", "operator", "service"])
    async def test_missing_role(self, call: Caller, learner: str, role: str) -> None:
        assert (await call("POST", "/requests", role, body=erasure(learner))).status_code == 403

    async def test_another_learner(self, call: Caller, learner: str) -> None:
        refused = await call("POST", "/requests", "learner", body=erasure(learner), learner=str(uuid4()))
        assert refused.status_code == 403

    @pytest.mark.parametrize(
        "body", [{}, {"type": "erasure"}, {"type": "oblivion", "learner_id": str(uuid4())}, erasure("me"), []]
    )
    async def test_invalid(self, call: Caller, body: object) -> None:
        assert (await call("POST", "/requests", "dpo", body=body)).status_code == 400

    async def test_unknown_property(self, call: Caller, learner: str) -> None:
        refused = await call("POST", "/requests", "dpo", body=erasure(learner) | {"haste": True})
        assert [e["pointer"] for e in refused.json()["errors"]] == ["/haste"]

    async def test_an_officers_runs_at_once(self, call: Caller, learner: str) -> None:
        made = await call("POST", "/requests", "dpo", body=erasure(learner))
        assert made.status_code == 202
        assert set(made.json()) == {"id", "status"}
        assert made.json()["status"] == "running"
        got = (await call("GET", f"/requests/{made.json()['id']}", "dpo")).json()
        assert (got["learner_id"], got["type"], got["completed_at"]) == (learner, "erasure", None)
        assert [r["service"] for r in got["receipts"]] == ["privacy"]

    async def test_a_learners_waits(self, call: Caller, learner: str) -> None:
        made = await call("POST", "/requests", "learner", body=erasure(learner), learner=learner)
        assert (made.status_code, made.json()["status"]) == (202, "pending")
        assert (await call("GET", f"/requests/{made.json()['id']}", "learner", learner=learner)).status_code == 200

    async def test_the_same_key_is_the_same_request(self, call: Caller, learner: str) -> None:
        key = {"Idempotency-Key": "k-1"}
        ids = set()
        for _ in range(2):
            made = await call("POST", "/requests", "learner", body=erasure(learner), learner=learner, headers=key)
            ids.add(made.json()["id"])
            await call("POST", f"/requests/{made.json()['id']}/refuse", "dpo", body=REFUSAL)
        assert len(ids) == 1

    async def test_a_key_belongs_to_one_request(self, call: Caller, learner: str) -> None:
        key = {"Idempotency-Key": "k-2"}
        await call("POST", "/requests", "dpo", body=erasure(learner), headers=key)
        other = await call("POST", "/requests", "dpo", body=erasure(str(uuid4())), headers=key)
        assert other.status_code == 409

    async def test_an_open_request_is_found_again(self, call: Caller, learner: str) -> None:
        mine = await call("POST", "/requests", "learner", body=erasure(learner), learner=learner)
        officers = await call("POST", "/requests", "dpo", body=erasure(learner))
        assert officers.json() == {"id": mine.json()["id"], "status": "running"}

    async def test_at_the_same_time(self, call: Caller, learner: str) -> None:
        answers = await asyncio.gather(*(call("POST", "/requests", "dpo", body=erasure(learner)) for _ in range(8)))
        assert {a.status_code for a in answers} == {202}
        assert len({a.json()["id"] for a in answers}) == 1

    async def test_the_forgotten_have_no_consents(self, call: Caller, learner: str) -> None:
        await call("PUT", "/policy", "dpo", body=policy())
        await call("PUT", f"/consents/{learner}/profile", "app", body={"status": "objected"})
        made = await call("POST", "/requests", "dpo", body=erasure(learner))
        got = (await call("GET", f"/requests/{made.json()['id']}", "dpo")).json()
        counts = got["receipts"][0]["counts"]
        assert {name: count for name, count in counts.items() if count} == {"consents": 1, "consent_history": 1}
        assert (await call("GET", f"/consents/{learner}", "app")).status_code == 404
        again = await call("PUT", f"/consents/{learner}/profile", "app", body={"status": "objected"})
        assert again.status_code == 404


class TestApprove:
    async def pending(self, call: Caller, learner: str) -> str:
        made = await call("POST", "/requests", "learner", body=erasure(learner), learner=learner)
        return str(made.json()["id"])

    async def test_by_a_learner(self, call: Caller, learner: str) -> None:
        request = await self.pending(call, learner)
        assert (await call("POST", f"/requests/{request}/approve", "learner", learner=learner)).status_code == 403

    async def test_unknown(self, call: Caller) -> None:
        assert (await call("POST", f"/requests/{uuid4()}/approve", "dpo")).status_code == 404

    async def test_other_tenant(self, call: Caller, learner: str) -> None:
        request = await self.pending(call, learner)
        assert (await call("POST", f"/requests/{request}/approve", "dpo", tenant="elsewhere")).status_code == 404

    async def test_starts_it_once(self, call: Caller, learner: str) -> None:
        request = await self.pending(call, learner)
        for _ in range(2):
            answer = await call("POST", f"/requests/{request}/approve", "dpo")
            assert (answer.status_code, answer.json()["status"]) == (202, "running")
        refusal = await call("POST", f"/requests/{request}/refuse", "dpo", body=REFUSAL)
        assert refusal.status_code == 409

    async def test_refuse_gives_the_reason(self, call: Caller, learner: str) -> None:
        request = await self.pending(call, learner)
        assert (
            await call("POST", f"/requests/{request}/refuse", "dpo", body=REFUSAL | {"reason": " "})
        ).status_code == 400
        refused = await call("POST", f"/requests/{request}/refuse", "dpo", body=REFUSAL)
        assert (refused.status_code, refused.json()["status"]) == (200, "refused")
        mine = (await call("GET", f"/requests/{request}", "learner", learner=learner)).json()
        assert (mine["status"], mine["reason"], mine["receipts"]) == ("refused", REFUSAL["reason"], [])
        assert (await call("POST", f"/requests/{request}/approve", "dpo")).status_code == 409


class TestGet:
    async def test_another_learners(self, call: Caller, learner: str) -> None:
        made = await call("POST", "/requests", "learner", body=erasure(learner), learner=learner)
        path = f"/requests/{made.json()['id']}"
        assert (await call("GET", path, "learner", learner=str(uuid4()))).status_code == 404
        assert (await call("GET", path, "dpo", tenant="elsewhere")).status_code == 404

    async def test_the_list_is_the_officers(self, call: Caller, learner: str) -> None:
        assert (await call("GET", "/requests", "learner", learner=learner)).status_code == 403

    async def test_pages_give_every_request_once(self, call: Caller) -> None:
        made = [(await call("POST", "/requests", "dpo", body=erasure(str(uuid4())))).json()["id"] for _ in range(5)]
        seen: list[str] = []
        path: str | None = "/requests?limit=2"
        while path:
            page = (await call("GET", path, "dpo")).json()
            seen += [item["id"] for item in page["items"]]
            path = f"/requests?limit=2&cursor={page['next']}" if page["next"] else None
        assert seen == made[::-1]
        assert (await call("GET", "/requests?status=completed", "dpo")).json() == {"items": [], "next": None}

    @pytest.mark.parametrize("query", ["limit=0", "limit=x", "cursor=abc", "cursor=W3siJG5lIjoxfV0", "status=lost"])
    async def test_invalid(self, call: Caller, query: str) -> None:
        assert (await call("GET", f"/requests?{query}", "dpo")).status_code == 400
