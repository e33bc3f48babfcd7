"""GET /processing: the record of processing activities."""

from __future__ import annotations

import pytest

from tests.integration.privacy.conftest import PURPOSES, Caller, policy

pytestmark = pytest.mark.asyncio(loop_scope="module")


class TestGet:
    async def test_anonymous(self, call: Caller) -> None:
        assert (await call("GET", "/processing")).status_code == 401

    @pytest.mark.parametrize("role", ["learner", "guardian", "teacher", "app", "service"])
    async def test_missing_role(self, call: Caller, role: str) -> None:
        assert (await call("GET", "/processing", role)).status_code == 403

    async def test_other_tenant(self, call: Caller) -> None:
        await call("PUT", "/policy", "dpo", body=policy())
        assert (await call("GET", "/processing", "dpo", tenant="elsewhere-too")).status_code == 404

    async def test_what_the_policy_states_and_what_it_fails_to(self, call: Caller) -> None:
        body = policy(research=("consent", "denied"), exchange=("legitimate_interest", "denied"))
        body |= {"controller": {"name": "Lyceum", "contact": "office@lyceum.example"}, "storage_location": "EU"}
        for name in PURPOSES:
            body["purposes"][name]["retention"] = "P3Y"
        body["purposes"]["exchange"]["recipients"] = [{"name": "Partner school", "country": "CH", "third_party": True}]
        await call("PUT", "/policy", "dpo", body=body)
        told = (await call("GET", "/processing", "dpo")).json()
        assert (told["controller"]["name"], told["storage_location"], told["pack"]) == ("Lyceum", "EU", "open")
        activities = {one["purpose"]: one for one in told["activities"]}
        assert set(activities) == {*PURPOSES, "exchange"}
        assert (activities["research"]["basis"], activities["research"]["retention"]) == ("consent", "P3Y")
        assert activities["exchange"]["countries"] == ["CH"]
        assert activities["profile"]["services"] == ["learner_profile", "recommendation", "insights"]
        assert told["missing"] == [
            "/controller/officer",
            "/purposes/exchange/retention",
            "/purposes/exchange/description",
            "/purposes/exchange/personal_data",
        ]
