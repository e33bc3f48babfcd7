"""A tenant beside the first: its learners' archives, its rectifications, its roster, and at last its closing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from devstack.latency import account, answered
from devstack.stack import Stack
from devstack.tenant import TenantSetup
from jwt import decode
from pymongo import MongoClient

from tests.e2e.test_subject_requests import archive, ask, completed, lines, statement_status
from tests.support.driving import House, eventually


@pytest.fixture
def second(stack: Stack, tmp_path: Path) -> Iterator[House]:
    """The same stack as a school sees it that came later."""
    tenant = f"second-{uuid4().hex[:8]}"
    token = stack.issuer.token(roles=["operator", "dpo", "app"], tenant=tenant, subject="office")
    setup = TenantSetup(stack.urls, operator_token=token, secrets=tmp_path / "secrets.json")
    credential = setup.run(catalog=False)
    whole = stack.description()
    keys = {"key": credential.key, "secret": credential.secret}
    with House({**whole, "operator_token": token, "tenant": tenant, "ingest": whole["ingest"] | keys}) as house:
        yield house


def buckets(stack: Stack) -> set[str]:
    """Names of the bucket keys that there are."""
    return set(json.loads((stack.data / "keys" / "buckets.json").read_bytes())["buckets"])


def test_what_the_first_tenant_can_have_done_the_second_can_too(second: House, house: House, stack: Stack) -> None:
    actor, tenant = account("ada"), str(second.description["tenant"])
    neighbour = house.learner_id(actor)
    activity = house.activities(1)[0]
    wrong = answered(actor, activity, scaled=0.1, seconds=30)
    eventually(lambda: second.post_statements([wrong]).is_success, what="the second tenant's policy")
    learner = second.learner_id(actor)
    assert learner != neighbour
    eventually(lambda: second.get("learner_profile", f"/learners/{learner}").is_success, what="the profile")

    assert [one["id"] for one in lines(archive(second, learner), "ingest/statements.jsonl")] == [wrong["id"]]
    request = ask(second, "rectification", learner, statement_id=wrong["id"])
    counts = {one["service"]: one["counts"] for one in completed(second, request)["receipts"]}
    assert counts["ingest"]["voided"] == 1
    assert statement_status(second, wrong["id"]) == 404
    roster = f"account_home_page,account_name,role,class\n{actor['account']['homePage']},ada,learner,1A"
    csv = second.token | {"Content-Type": "text/csv"}
    imported = second.http.post(second.url("insights", "/rosters/import"), content=roster, headers=csv)
    assert imported.status_code == 200, imported.text
    assert second.get("ingest", "/identities", agent=json.dumps(actor)).json()["learner_id"] == learner

    mine = {key["bucket"] for key in keys_of(stack, tenant)}
    assert mine <= buckets(stack)
    held = closed(second, stack, tenant)
    assert held["exported"] == held["erased"] > 0
    assert held["failed"] == 0
    assert held["keys_destroyed_at"]
    said = decode(held["certificate"], options={"verify_signature": False})
    assert said["keys_destroyed_at"][:23] == held["keys_destroyed_at"][:23]
    assert buckets(stack).isdisjoint(mine), "nor has the tenant a key of its own any more"
    assert keys_of(stack, tenant) == []
    nobody = second.http.post(second.url("ingest", "/identities"), json=actor, headers=second.token)
    assert nobody.status_code in (404, 503), "there is no key for anybody new"
    assert house.learner_id(actor) == neighbour


def keys_of(stack: Stack, tenant: str) -> list[dict[str, Any]]:
    """The tenant's wrapped keys, of all who keep some."""
    with MongoClient[dict[str, Any]](stack.mongodb_url) as client:
        places = [("privacy", "learner_keys"), ("privacy", "data_keys"), ("ingest", "data_keys")]
        return [
            key
            for service, name in places
            for key in client[f"{stack.namespace}{service}"][name].find({"tenant": tenant})
        ]


def closed(house: House, stack: Stack, tenant: str) -> dict[str, Any]:
    """The tenant's closing at its end; the waiting period is cut short."""
    path = f"/tenants/{tenant}/close"
    asked = house.http.post(house.url("privacy", path), json={"confirm": tenant}, headers=house.token)
    asked.raise_for_status()
    eventually(lambda: house.get("privacy", path).json()["stage"] == "waiting", what="the export")
    now = datetime.now(UTC)
    with MongoClient[dict[str, Any]](stack.mongodb_url) as client:
        closings = client[f"{stack.namespace}privacy"]["closings"]
        closings.update_one({"_id": tenant}, {"$set": {"due_at": now, "erase_after": now}})
    found = eventually(
        lambda: (got := house.get("privacy", path).json())["stage"] == "closed" and got, what="the closing", seconds=90
    )
    assert isinstance(found, dict)
    return found
