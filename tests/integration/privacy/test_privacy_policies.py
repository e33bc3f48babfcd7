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
        assert put.json()["purposes"]["newsletter"] == {"basis": "consent", "unknown": "denied"}


class TestGet:
    async def test_anonymous(self, call: Caller) -> None:
        assert (await call("GET", "/policy")).status_code == 401

    @pytest.mark.parametrize("role", ["learner", "teacher", "app", "operator"])
    async def test_any_role(self, call: Caller, role: str) -> None:
        put = await call("PUT", "/policy", "dpo", body=policy())
        got = await call("GET", "/policy", role)
        assert (got.status_code, got.json()) == (200, put.json())
        assert got.json() == {"version": 1, "not_recorded": "accept", **policy()}
