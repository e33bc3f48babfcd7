"""PUT and GET /policy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.privacy.conftest import Caller, policy

pytestmark = pytest.mark.asyncio(loop_scope="module")


class TestPut:
    async def test_anonymous(self, call: Caller) -> None:
        assert (await call("PUT", "/policy", body=policy())).status_code == 401

    @pytest.mark.parametrize("role", ["learner", "teacher", "authority", "app", "operator", "service"])
    async def test_missing_role(self, call: Caller, role: str) -> None:
        assert (await call("PUT", "/policy", role, body=policy())).status_code == 403

    async def test_other_tenant(self, call: Caller) -> None:
        await call("PUT", "/policy", "dpo", body=policy())
        assert (await call("GET", "/policy", "dpo", tenant="elsewhere")).status_code == 404

    async def test_every_missing_purpose_is_named(self, call: Caller) -> None:
        body = policy()
        del body["purposes"]["teach"], body["purposes"]["research"]
        refused = await call("PUT", "/policy", "dpo", body=body)
        assert refused.status_code == 400
        assert refused.headers["content-type"] == "application/problem+json"
        assert [e["pointer"] for e in refused.json()["errors"]] == ["/purposes/teach", "/purposes/research"]

    async def test_consent_is_never_presumed(self, call: Caller) -> None:
        refused = await call("PUT", "/policy", "dpo", body=policy(profile=("consent", "allowed")))
        assert refused.status_code == 400
        [fault] = refused.json()["errors"]
        assert fault["pointer"] == "/purposes/profile"
        assert "GDPR 4(11)" in fault["detail"]
        assert (await call("GET", "/policy", "dpo")).status_code == 404

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"not_recorded": "perhaps"}, "/not_recorded"),
            ({"version": 3}, "/version"),
            ({"purposes": []}, "/purposes"),
            ({"purposes": {"record": {"basis": "whim", "unknown": "allowed"}}}, "/purposes/record/basis"),
            ({"purposes": {"record": {"basis": "contract"}}}, "/purposes/record/unknown"),
        ],
    )
    async def test_invalid(self, call: Caller, change: dict[str, Any], pointer: str) -> None:
        refused = await call("PUT", "/policy", "dpo", body=policy() | change)
        assert refused.status_code == 400
        assert pointer in [e["pointer"] for e in refused.json()["errors"]]

    async def test_a_change_raises_the_version_and_a_repetition_does_not(self, call: Caller) -> None:
        first = await call("PUT", "/policy", "dpo", body=policy())
        again = await call("PUT", "/policy", "dpo", body=policy())
        changed = await call("PUT", "/policy", "dpo", body=policy() | {"not_recorded": "refuse"})
        assert [r.json()["version"] for r in (first, again, changed)] == [1, 1, 2]

    async def test_a_tenants_own_purpose(self, call: Caller) -> None:
        put = await call("PUT", "/policy", "dpo", body=policy(newsletter=("consent", "denied")))
        assert put.status_code == 200
        newsletter = put.json()["purposes"]["newsletter"]
        assert (newsletter["basis"], newsletter["unknown"]) == ("consent", "denied")

    async def test_legitimate_interest_is_not_for_an_authoritys_tasks(self, call: Caller) -> None:
        body = policy(insights=("legitimate_interest", "allowed"))
        body["controller"] = {"name": "School board", "public_authority": True}
        refused = await call("PUT", "/policy", "dpo", body=body)
        assert refused.status_code == 400
        [fault] = refused.json()["errors"]
        assert fault["pointer"] == "/purposes/insights/basis"
        assert "GDPR 6(1)" in fault["detail"]
        body["controller"]["public_authority"] = False
        assert (await call("PUT", "/policy", "dpo", body=body)).status_code == 200

    async def test_a_pack_demands_what_its_clauses_want(self, call: Caller) -> None:
        body = policy() | {"pack": "eu-school", "consent_age": 12}
        refused = await call("PUT", "/policy", "dpo", body=body)
        faults = {e["pointer"]: e["detail"] for e in refused.json()["errors"]}
        assert faults["/controller"].startswith("GDPR 13(1)(a)")
        assert faults["/purposes/record/retention"].startswith("GDPR 13(2)(a)")
        assert faults["/consent_age"].startswith("GDPR 8(1)")
        for rule in body["purposes"].values():
            rule["retention"] = "P3Y"
        body |= {"consent_age": 14, "controller": {"name": "School", "contact": "privacy@school.example"}}
        assert (await call("PUT", "/policy", "dpo", body=body)).status_code == 200

    @pytest.mark.parametrize("empty", ["P", "P1YT"])
    async def test_a_period_of_nothing_is_none(self, call: Caller, empty: str) -> None:
        body = policy()
        body["purposes"]["record"]["retention"] = empty
        refused = await call("PUT", "/policy", "dpo", body=body)
        assert [e["pointer"] for e in refused.json()["errors"]] == ["/purposes/record/retention"]

    async def test_a_blank_contact_is_none(self, call: Caller) -> None:
        body = policy() | {"pack": "eu-school", "controller": {"name": "School", "contact": "  "}}
        for rule in body["purposes"].values():
            rule["retention"] = "P3Y"
        refused = await call("PUT", "/policy", "dpo", body=body)
        assert [e["pointer"] for e in refused.json()["errors"]] == ["/controller/contact"]

    async def test_coppa_wants_a_consent_of_its_own_for_third_parties(self, call: Caller) -> None:
        body = policy(research=("consent", "denied"), passing_on=("consent", "denied")) | {"pack": "us-k12"}
        for rule in body["purposes"].values():
            rule["retention"] = "P1Y"
        partner = {"recipients": [{"name": "Partner", "third_party": True}]}
        body["purposes"]["research"] |= partner
        refused = await call("PUT", "/policy", "dpo", body=body)
        [fault] = refused.json()["errors"]
        assert fault["pointer"] == "/purposes/research/recipients"
        assert fault["detail"].startswith("16 CFR 312.5(a)(2)")
        body["purposes"]["research"]["recipients"] = []
        body["purposes"]["passing_on"] |= partner | {"disclosure": True}
        assert (await call("PUT", "/policy", "dpo", body=body)).status_code == 200

    async def test_every_version_is_kept(self, call: Caller) -> None:
        first = (await call("PUT", "/policy", "dpo", body=policy())).json()
        await call("PUT", "/policy", "dpo", body=policy(teach=("contract", "allowed")))
        assert (await call("GET", "/policy/versions/1", "learner")).json() == first
        assert (await call("GET", "/policy/versions/3", "learner")).status_code == 404
        assert (await call("GET", "/policy/versions/1", "dpo", tenant="elsewhere")).status_code == 404

    async def test_packs_are_told_clause_by_clause(self, call: Caller) -> None:
        packs = {pack["name"]: pack for pack in (await call("GET", "/policy/packs", "dpo")).json()}
        assert set(packs) == {"eu-school", "us-k12", "open"}
        assert "34 CFR 99.10(e)" in [clause["source"] for clause in packs["us-k12"]["clauses"]]


class TestGet:
    async def test_anonymous(self, call: Caller) -> None:
        assert (await call("GET", "/policy")).status_code == 401

    @pytest.mark.parametrize("role", ["learner", "teacher", "app", "operator"])
    async def test_any_role(self, call: Caller, role: str) -> None:
        put = await call("PUT", "/policy", "dpo", body=policy())
        got = await call("GET", "/policy", role)
        assert (got.status_code, got.json()) == (200, put.json())
        told = got.json()
        assert (told["version"], told["not_recorded"], told["pack"]) == (1, "accept", "open")
        rules = {name: {key: rule[key] for key in ("basis", "unknown")} for name, rule in told["purposes"].items()}
        assert {"purposes": rules} == policy()
