"""Certificates and notices: signed, checked with the public key, and about nobody but through the request."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2
import jwt
import pytest
import pytest_asyncio
from events.payloads import Receipt, Told
from jwt.api_jws import PyJWS
from privacy.certificates.certifying import Certifying, key_destroyed
from privacy.consents.decisions import ENFORCERS
from privacy.receipts.handlers import ReceiptHandler
from privacy.requests.repository import subject_digest
from privacy.retention.receiving import PortionReceipts
from privacy.state import State
from service_kit.mongo import in_transaction
from service_kit.runtime import Connections, connections
from service_kit.settings import ServiceSettings

from tests.integration.privacy.conftest import Caller, policy

pytestmark = pytest.mark.asyncio(loop_scope="module")
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(http: httpx2.AsyncClient, settings: ServiceSettings) -> AsyncIterator[Connections]:
    async with connections("privacy", settings) as c:
        yield c


@pytest.fixture
def state(here: Connections) -> State:
    return State.of(here)


async def answered(state: State, tenant: str, learner: str, receipt: Receipt) -> None:
    """As if the receipt had come through Kafka."""
    handler = ReceiptHandler(state.consents, state.requests, PortionReceipts(state, lambda: None))
    await in_transaction(state.client, lambda s: handler._answered(tenant, learner, receipt, s))


async def everyone_answered(state: State, tenant: str, learner: str, request: str) -> None:
    for service in ENFORCERS:
        told = [Told(name="State LRS", purpose="research", statements=3)] if service == "ingest" else []
        receipt = Receipt(
            service=service,
            kind="erasure",
            request_id=request,
            counts={"rows": 3},
            recipients=told,
            completed_at=datetime.now(UTC),
        )
        await answered(state, tenant, learner, receipt)


async def signed(state: State) -> None:
    await Certifying(state.client, state.requests, state.certificates, state.signing, state.clock).turn()


async def certificate(call: Caller, request: str, *who: str, learner: str | None = None) -> dict[str, Any]:
    """What the certificate says, if its signature is good."""
    got = await call("GET", f"/requests/{request}/certificate", *who, learner=learner)
    assert got.status_code == 200
    keys = (await call("GET", "/certificates/keys")).json()["keys"]
    jws = got.json()["certificate"]
    key = jwt.PyJWK(next(k for k in keys if k["kid"] == jwt.get_unverified_header(jws)["kid"]))
    said: dict[str, Any] = json.loads(PyJWS().decode(jws, key, algorithms=["EdDSA"]))
    return said


async def erased(call: Caller, learner: str) -> str:
    await call("PUT", "/policy", "dpo", body=policy() | {"pack": "open"})
    made = await call("POST", "/requests", "dpo", body={"type": "erasure", "learner_id": learner})
    return str(made.json()["id"])


class TestErasure:
    async def test_is_certified_with_its_dates_counts_and_recipients(self, call: Caller, state: State) -> None:
        learner = str(uuid4())
        request = await erased(call, learner)
        assert (await call("GET", f"/requests/{request}/certificate", "dpo")).status_code == 404
        await everyone_answered(state, call.tenant, learner, request)
        await signed(state)
        said = await certificate(call, request, "learner", learner=learner)
        assert said["@type"] == "dpv:RightFulfilmentNotice"
        assert (said["request"], said["tenant"], said["right"], said["pack"]) == (
            request,
            call.tenant,
            "erasure",
            "open",
        )
        assert said["subject"] == subject_digest(request, learner)
        assert learner not in json.dumps(said)
        assert set(said["services"]) == {*ENFORCERS, "privacy"}
        assert said["services"]["ingest"]["counts"] == {"rows": 3}
        assert said["closed_at"] == max(part["at"] for part in said["services"].values())
        assert "key_destroyed_at" not in said
        assert said["unreadable"]
        assert said["dpv:hasRecipient"] == [
            {"name": "State LRS", "purpose": "research", "statements": 3, "outcome": "pending"}
        ]

    async def test_gets_its_second_date_and_the_recipients_answer(self, call: Caller, state: State) -> None:
        learner = str(uuid4())
        request = await erased(call, learner)
        await everyone_answered(state, call.tenant, learner, request)
        await signed(state)
        told = Told(name="State LRS", purpose="research", statements=3, outcome="failed", reason="403")
        answer = Receipt(
            service="ingest", kind="recipients", request_id=request, recipients=[told], completed_at=datetime.now(UTC)
        )
        await answered(state, call.tenant, learner, answer)
        await key_destroyed(call.tenant, request, NOW, state)
        await signed(state)
        said = await certificate(call, request, "dpo")
        assert said["key_destroyed_at"] == "2026-11-22T00:00:00Z"
        assert said["key_backups_gone_by"] == "2026-12-27T00:00:00Z"
        assert said["dpv:hasRecipient"][0]["outcome"] == "failed"
        assert said["dpv:hasRecipient"][0]["reason"] == "403"
        earlier = (await call("GET", f"/requests/{request}/certificate", "dpo")).json()["earlier"]
        assert len(earlier) == 1, "none is overwritten"

    async def test_no_live_document_of_privacy_names_the_learner(
        self, call: Caller, state: State, here: Connections
    ) -> None:
        learner = str(uuid4())
        request = await erased(call, learner)
        await everyone_answered(state, call.tenant, learner, request)
        await signed(state)
        for name in ("requests", "certificates"):
            document = await here.db[name].find_one({"_id": request})
            assert document is not None
            assert learner not in str({k: v for k, v in document.items() if k != "sealed"})
        mine = await call("GET", f"/requests/{request}", "learner", learner=learner)
        assert mine.status_code == 200, "who holds the id can still show whose it was"
        assert (await call("GET", f"/requests/{request}", "learner", learner=str(uuid4()))).status_code == 404

    async def test_a_changed_certificate_does_not_verify(self, call: Caller, state: State) -> None:
        learner = str(uuid4())
        request = await erased(call, learner)
        await everyone_answered(state, call.tenant, learner, request)
        await signed(state)
        jws = (await call("GET", f"/requests/{request}/certificate", "dpo")).json()["certificate"]
        header, payload, signature = jws.split(".")
        swapped = payload[:-2] + ("AA" if payload[-2:] != "AA" else "BB")
        key = jwt.PyJWK((await call("GET", "/certificates/keys")).json()["keys"][0])
        with pytest.raises(jwt.InvalidSignatureError):
            PyJWS().decode(f"{header}.{swapped}.{signature}", key, algorithms=["EdDSA"])


class TestRefusal:
    async def test_is_a_notice_with_its_ground(self, call: Caller, state: State) -> None:
        learner = str(uuid4())
        controller = {"name": "A school", "contact": "privacy@school.example"}
        body = policy() | {"pack": "eu-school", "controller": controller}
        put = await call("PUT", "/policy", "dpo", body=body)
        if put.status_code == 400:  # the pack demands more of a policy than this test does
            for rule in body["purposes"].values():
                rule |= {"retention": "P5Y", "notice": {"version": "1", "language": "en", "url": "https://x.example"}}
            put = await call("PUT", "/policy", "dpo", body=body)
        assert put.status_code == 200, put.text
        made = await call(
            "POST", "/requests", "learner", body={"type": "erasure", "learner_id": learner}, learner=learner
        )
        request = made.json()["id"]
        refusal = {"ground": "legal-obligation-or-public-task", "reason": "The archive law wants it kept."}
        wrong = await call("POST", f"/requests/{request}/refuse", "dpo", body=refusal | {"ground": "because"})
        assert wrong.status_code == 400
        assert "legal-claims" in wrong.json()["errors"][0]["detail"]
        assert (await call("POST", f"/requests/{request}/refuse", "dpo", body=refusal)).status_code == 200
        await signed(state)
        said = await certificate(call, request, "learner", learner=learner)
        assert said["@type"] == "dpv:RightNonFulfilmentNotice"
        assert said["dpv:hasRight"] == {"@id": "eu-gdpr:A17"}
        assert said["dpv:hasJustification"]["clause"] == "GDPR 17(3)(b)"
        assert said["dpv:hasJustification"]["reason"] == refusal["reason"]
        assert "complain" in said["complaint"]

    async def test_the_open_pack_refuses_nothing(self, call: Caller) -> None:
        learner = str(uuid4())
        await call("PUT", "/policy", "dpo", body=policy() | {"pack": "open"})
        made = await call(
            "POST", "/requests", "learner", body={"type": "erasure", "learner_id": learner}, learner=learner
        )
        refusal = {"ground": "legal-claims", "reason": "no"}
        refused = await call("POST", f"/requests/{made.json()['id']}/refuse", "dpo", body=refusal)
        assert refused.status_code == 409
