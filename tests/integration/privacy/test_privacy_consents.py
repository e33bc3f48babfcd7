"""/consents, without Kafka: what a learner may decide and who may say so for whom."""

from __future__ import annotations

from uuid import uuid4

import pytest
import pytest_asyncio
from privacy.consents.repository import Consents
from service_kit.runtime import connections
from service_kit.settings import ServiceSettings

from tests.integration.privacy.conftest import Caller, policy

pytestmark = pytest.mark.asyncio(loop_scope="module")

BASES = {
    "record": ("legal_obligation", "allowed"),
    "profile": ("public_task", "allowed"),
    "recommend": ("legitimate_interest", "denied"),
    "teach": ("contract", "allowed"),
    "research": ("consent", "denied"),
}
OBJECT = {"status": "objected"}


@pytest_asyncio.fixture(loop_scope="module")
async def learner(call: Caller) -> str:
    assert (await call("PUT", "/policy", "dpo", body=policy(**BASES))).status_code == 200
    return str(uuid4())


class TestGet:
    async def test_anonymous(self, call: Caller, learner: str) -> None:
        assert (await call("GET", f"/consents/{learner}")).status_code == 401

    @pytest.mark.parametrize("role", ["teacher", "authority", "operator", "service", "guardian"])
    async def test_missing_role(self, call: Caller, learner: str, role: str) -> None:
        assert (await call("GET", f"/consents/{learner}", role)).status_code == 403

    async def test_another_learner(self, call: Caller, learner: str) -> None:
        assert (await call("GET", f"/consents/{learner}", "learner", learner=str(uuid4()))).status_code == 403

    async def test_no_policy_yet(self, call: Caller) -> None:
        assert (await call("GET", f"/consents/{uuid4()}", "app")).status_code == 404

    async def test_no_uuid(self, call: Caller, learner: str) -> None:
        refused = await call("GET", "/consents/someone", "app")
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["parameter"] == "learner_id"

    @pytest.mark.parametrize("role", ["app", "dpo"])
    async def test_nothing_known_is_the_policys_default(self, call: Caller, learner: str, role: str) -> None:
        got = (await call("GET", f"/consents/{learner}", role)).json()
        assert set(got) == {"learner_id", "purposes"}
        assert got["learner_id"] == learner
        assert set(got["purposes"]) == {"record", "profile", "recommend", "teach", "insights", "research"}
        assert got["purposes"]["profile"] == {"status": "allowed", "basis": "public_task", "enforcement": "effective"}
        assert got["purposes"]["research"] == {"status": "denied", "basis": "consent", "enforcement": "effective"}

    async def test_me(self, call: Caller, learner: str) -> None:
        mine = await call("GET", "/consents/me", "learner", learner=learner)
        assert mine.json() == (await call("GET", f"/consents/{learner}", "learner", learner=learner)).json()

    @pytest.mark.parametrize("claim", [None, "not-a-uuid"])
    async def test_me_without_a_learner(self, call: Caller, learner: str, claim: str | None) -> None:
        assert (await call("GET", "/consents/me", "learner", learner=claim)).status_code == 403


class TestPut:
    async def test_anonymous(self, call: Caller, learner: str) -> None:
        assert (await call("PUT", f"/consents/{learner}/profile", body=OBJECT)).status_code == 401

    async def test_another_learner(self, call: Caller, learner: str) -> None:
        refused = await call("PUT", f"/consents/{learner}/profile", "learner", body=OBJECT, learner=str(uuid4()))
        assert refused.status_code == 403

    async def test_other_tenant(self, call: Caller, learner: str) -> None:
        await call("PUT", "/policy", "dpo", body=policy(), tenant="elsewhere")
        await call("PUT", f"/consents/{learner}/profile", "app", body=OBJECT)
        there = await call("GET", f"/consents/{learner}", "app", tenant="elsewhere")
        assert there.json()["purposes"]["profile"]["status"] == "allowed"

    @pytest.mark.parametrize("body", [{}, {"status": "maybe"}, {"status": None}, [], "objected"])
    async def test_invalid(self, call: Caller, learner: str, body: object) -> None:
        assert (await call("PUT", f"/consents/{learner}/profile", "app", body=body)).status_code == 400

    async def test_unknown_purpose(self, call: Caller, learner: str) -> None:
        assert (await call("PUT", f"/consents/{learner}/marketing", "app", body=OBJECT)).status_code == 404

    @pytest.mark.parametrize(
        ("purpose", "known"),
        [
            ("record", set()),
            ("teach", set()),
            ("profile", {"objected"}),
            ("recommend", {"objected"}),
            ("research", {"granted", "withdrawn"}),
        ],
    )
    async def test_the_basis_knows_its_statuses(
        self, call: Caller, learner: str, purpose: str, known: set[str]
    ) -> None:
        for status in ("granted", "withdrawn", "objected"):
            answer = await call("PUT", f"/consents/{learner}/{purpose}", "app", body={"status": status})
            assert answer.status_code == (202 if status in known else 409), status

    async def test_pending_until_acknowledged(self, call: Caller, learner: str) -> None:
        put = await call("PUT", f"/consents/{learner}/profile", "learner", body=OBJECT, learner=learner)
        assert put.status_code == 202
        assert put.json() == {
            "learner_id": learner,
            "purpose": "profile",
            "status": "objected",
            "basis": "public_task",
            "enforcement": "pending",
        }
        got = (await call("GET", f"/consents/{learner}", "app")).json()["purposes"]
        assert got["profile"] == {"status": "objected", "basis": "public_task", "enforcement": "pending"}
        assert got["insights"]["enforcement"] == "effective"

    async def test_every_change_is_kept(self, call: Caller, learner: str, settings: ServiceSettings) -> None:
        for body in ({"status": "granted", "notice": "v7", "language": "nl"}, {"status": "granted"}):
            await call("PUT", f"/consents/{learner}/research", "app", body=body)
        await call("PUT", "/consents/me/research", "learner", body={"status": "withdrawn"}, learner=learner)
        await call("DELETE", f"/consents/{learner}/research", "dpo")
        async with connections("privacy", settings) as c:
            history = await Consents(c.db).history(call.tenant, learner)
        assert [(h["status"], h["by"], h["version"]) for h in history] == [
            ("granted", "app", 1),
            ("withdrawn", "learner", 2),
            (None, "dpo", 3),
        ]
        assert history[0]["details"] == {"notice": "v7", "language": "nl"}
        assert {h["basis"] for h in history} == {"consent"}


class TestDelete:
    async def test_another_learner(self, call: Caller, learner: str) -> None:
        refused = await call("DELETE", f"/consents/{learner}/profile", "learner", learner=str(uuid4()))
        assert refused.status_code == 403

    async def test_the_default_holds_again(self, call: Caller, learner: str) -> None:
        await call("PUT", "/consents/me/profile", "learner", body=OBJECT, learner=learner)
        back = await call("DELETE", "/consents/me/profile", "learner", learner=learner)
        assert (back.status_code, back.json()["status"]) == (202, "allowed")
        assert back.json()["enforcement"] == "pending"

    async def test_nothing_to_take_back(self, call: Caller, learner: str) -> None:
        back = await call("DELETE", f"/consents/{learner}/profile", "app")
        assert (back.status_code, back.json()["enforcement"]) == (202, "effective")
