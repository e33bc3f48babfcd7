"""Deadlines, extensions, identity checks, and the rights that are carried out as a learner's standing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from events.payloads import Receipt
from privacy.access.own import own
from privacy.access.repository import Made
from privacy.consents.decisions import ENFORCERS
from privacy.receipts.handlers import ReceiptHandler
from privacy.requests.asking import found
from privacy.requests.progress import Carried, received
from privacy.requests.resending import Resending
from privacy.requests.settings import RequestSettings
from privacy.retention.receiving import PortionReceipts
from privacy.state import State
from service_kit.mongo import Session, in_transaction
from service_kit.runtime import connections
from service_kit.settings import ServiceSettings
from service_kit.subjects import Record

from tests.integration.privacy.conftest import Caller, policy

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOLD = {
    "retention": "P5Y",
    "notice": {"version": "1", "language": "en", "url": "https://school.example/notice"},
}
BESIDE = "The mark was given to my brother."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def state(http: httpx2.AsyncClient, settings: ServiceSettings) -> AsyncIterator[State]:
    async with connections("privacy", settings) as c:
        yield State.of(c)


async def with_pack(call: Caller, pack: str) -> None:
    controller = {"name": "A school", "contact": "privacy@school.example", "address": "Main Street 1"}
    body: dict[str, Any] = policy() | {"pack": pack, "controller": controller}
    for rule in body["purposes"].values():
        rule |= TOLD
    put = await call("PUT", "/policy", "dpo", body=body)
    assert put.status_code == 200, put.text


async def asked(call: Caller, kind: str, learner: str, **details: Any) -> dict[str, Any]:
    body = {"type": kind, "learner_id": learner, **details}
    made = await call("POST", "/requests", "learner", body=body, learner=learner)
    assert made.status_code == 202, made.text
    return await read(call, made.json()["id"])


async def read(call: Caller, request: str) -> dict[str, Any]:
    found: dict[str, Any] = (await call("GET", f"/requests/{request}", "dpo")).json()
    return found


async def acknowledged(state: State, tenant: str, learner: str, version: int) -> None:
    """As if every service had written that version into its view."""
    handler = ReceiptHandler(state.consents, state.requests, PortionReceipts(state, lambda: None))
    for service in ENFORCERS:
        held = {(learner, service): (version, state.clock())}
        await in_transaction(
            state.client,
            lambda s, held=held: handler._stopped(tenant, held, s),  # type: ignore[misc]  # one loop
        )


def days(request: dict[str, Any]) -> int:
    asked_at, due = (datetime.fromisoformat(request[name]) for name in ("requested_at", "due_at"))
    return (due - asked_at).days


class TestDeadlines:
    @pytest.mark.parametrize(
        ("pack", "kind", "least", "most", "clause"),
        [
            ("eu-school", "erasure", 28, 31, "GDPR 12(3)"),
            ("us-k12", "rectification", 45, 45, "34 CFR 99.20(b)"),
            ("open", "erasure", 30, 30, "none (Trellis's own)"),
        ],
    )
    async def test_are_the_packs(self, call: Caller, pack: str, kind: str, least: int, most: int, clause: str) -> None:
        await with_pack(call, pack)
        details = {"statement_id": str(uuid4())} if kind == "rectification" else {}
        request = await asked(call, kind, str(uuid4()), **details)
        assert least <= days(request) <= most
        assert clause in request["clauses"]
        assert request["pack"] == pack

    async def test_are_extended_once_where_the_pack_allows_it(self, call: Caller) -> None:
        await with_pack(call, "eu-school")
        request = await asked(call, "erasure", str(uuid4()))
        path, body = f"/requests/{request['id']}/extend", {"reason": "There are many requests."}
        assert (await call("POST", path, "learner", body=body)).status_code == 403
        extended = (await call("POST", path, "dpo", body=body)).json()
        assert 88 <= days(extended) <= 93
        assert extended["extension_reason"] == body["reason"]
        assert (await call("POST", path, "dpo", body=body)).status_code == 409
        await with_pack(call, "us-k12")
        request = await asked(call, "access", str(uuid4()))
        assert (await call("POST", f"/requests/{request['id']}/extend", "dpo", body=body)).status_code == 409

    async def test_stand_still_while_the_identity_is_in_doubt(self, call: Caller) -> None:
        await with_pack(call, "eu-school")
        request = await asked(call, "erasure", str(uuid4()))
        path = f"/requests/{request['id']}"
        await call("POST", f"{path}/identity", "dpo", body={"state": "asked"})
        assert (await call("POST", f"{path}/approve", "dpo")).status_code == 409
        confirmed = (await call("POST", f"{path}/identity", "dpo", body={"state": "confirmed"})).json()
        waited = datetime.fromisoformat(confirmed["due_at"]) - datetime.fromisoformat(request["due_at"])
        assert timedelta() < waited < timedelta(minutes=1)
        assert (await call("POST", f"{path}/approve", "dpo")).status_code == 202

    async def test_nothing_is_destroyed_while_an_inspection_is_open(self, call: Caller) -> None:
        await with_pack(call, "us-k12")
        learner = str(uuid4())
        assert (await asked(call, "access", learner))["status"] == "running"
        erasure = await asked(call, "erasure", learner)
        refused = await call("POST", f"/requests/{erasure['id']}/approve", "dpo")
        assert refused.status_code == 409
        assert "34 CFR 99.10(e)" in refused.json()["detail"]

    async def test_an_inspection_is_open_until_somebody_has_looked(self, call: Caller, state: State) -> None:
        await with_pack(call, "us-k12")
        learner, now = str(uuid4()), state.clock()
        inspection = await asked(call, "access", learner)
        erasure = await asked(call, "erasure", learner)
        made = Made(inspection["id"], 1, 0, "", 0, now, now + timedelta(days=7))
        request = await found(call.tenant, inspection["id"], state)
        for service in request.carriers:
            request = received(request, service, Carried({}, now))

        async def finish(session: Session) -> None:
            await state.archives.put(call.tenant, made, session)
            await state.requests.put(call.tenant, request, session)

        await in_transaction(state.client, finish)
        assert (await call("POST", f"/requests/{erasure['id']}/approve", "dpo")).status_code == 409
        link = (await call("POST", f"/requests/{inspection['id']}/link", "learner", learner=learner)).json()
        assert (await call("GET", link["url"], "learner", learner=learner)).status_code == 200
        assert (await call("POST", f"/requests/{erasure['id']}/approve", "dpo")).status_code == 202

    async def test_ferpa_lets_an_erasure_be_refused_though_research_rests_on_consent(self, call: Caller) -> None:
        await with_pack(call, "us-k12")
        policy_of = (await call("GET", "/policy", "dpo")).json()
        policy_of["purposes"]["research"] |= {"basis": "consent", "unknown": "denied"}
        del policy_of["version"]
        assert (await call("PUT", "/policy", "dpo", body=policy_of)).status_code == 200
        erasure = await asked(call, "erasure", str(uuid4()))
        refusal = {"ground": "education-record", "reason": "The law has us keep it."}
        assert (await call("POST", f"/requests/{erasure['id']}/refuse", "dpo", body=refusal)).status_code == 200


class TestGuardian:
    async def test_who_asked_for_a_childs_erasure_sees_what_came_of_it(self, call: Caller) -> None:
        await with_pack(call, "eu-school")
        learner = str(uuid4())
        link = {"learner_id": learner, "guardian": "tester", "verified_by": "office"}
        await call("POST", "/guardians", "dpo", body=link)
        made = await call("POST", "/requests", "guardian", body={"type": "erasure", "learner_id": learner})
        path = f"/requests/{made.json()['id']}"
        assert (await call("POST", f"{path}/approve", "dpo")).json()["status"] == "running"
        assert (await call("GET", f"/consents/{learner}", "guardian")).status_code == 403, "the link is gone"
        seen = await call("GET", path, "guardian")
        assert (seen.status_code, seen.json()["status"]) == (200, "running")
        other = await asked(call, "erasure", str(uuid4()))
        await call("POST", f"/requests/{other['id']}/approve", "dpo")
        assert (await call("GET", f"/requests/{other['id']}", "guardian")).status_code == 404


class TestAudit:
    async def test_every_move_of_the_officer_is_an_entry(self, call: Caller, settings: ServiceSettings) -> None:
        await with_pack(call, "eu-school")
        request = await asked(call, "restriction", str(uuid4()))
        path = f"/requests/{request['id']}"
        await call("POST", f"{path}/extend", "dpo", body={"reason": "many"})
        for said in ("asked", "confirmed"):
            await call("POST", f"{path}/identity", "dpo", body={"state": said})
        await call("POST", f"{path}/approve", "dpo")
        await call("POST", f"{path}/lift", "dpo")
        async with connections("privacy", settings) as c:
            waiting = await c.db["audit_entries"].find({"tenant": call.tenant}).to_list(None)
        entries = {(one["entry"]["action"], one["entry"]["what"]) for one in waiting}
        steps = ("extended", "identity/asked", "identity/confirmed", "running", "lifted")
        assert {("changed", f"requests/restriction/{step}") for step in steps} | {("saw", "requests")} <= entries


class TestOfficer:
    async def test_who_does_not_decide_is_escalated_a_week_before_the_deadline(
        self, call: Caller, state: State
    ) -> None:
        await with_pack(call, "eu-school")
        waiting, checked = [await asked(call, "erasure", str(uuid4())) for _ in range(2)]
        await call("POST", f"/requests/{checked['id']}/identity", "dpo", body={"state": "asked"})
        in_time = datetime.fromisoformat(waiting["due_at"]) - timedelta(days=8)
        escalated = []
        for now in (in_time, in_time + timedelta(days=2), in_time + timedelta(days=2)):
            await Resending(state.requests, RequestSettings(), partial(max, now, now), lambda: None).turn()
            escalated.append((await read(call, waiting["id"]))["escalated_at"])
        assert [at is not None for at in escalated] == [False, True, True]
        assert escalated[1] == escalated[2]
        assert (await read(call, checked["id"]))["escalated_at"] is None
        await call("POST", f"/requests/{waiting['id']}/approve", "dpo")
        assert (await read(call, waiting["id"]))["escalated_at"] is None, "it is the services' turn now"


class TestRestriction:
    async def test_holds_once_all_have_acknowledged_and_until_it_is_lifted(self, call: Caller, state: State) -> None:
        await with_pack(call, "eu-school")
        learner = str(uuid4())
        request = await asked(call, "restriction", learner, reason="I contest its accuracy.")
        assert request["status"] == "pending"
        assert (await call("POST", f"/requests/{request['id']}/approve", "dpo")).json()["status"] == "running"
        dossier = await state.consents.find(call.tenant, learner)
        assert dossier.restricted
        await acknowledged(state, call.tenant, learner, dossier.version)
        done = await read(call, request["id"])
        assert (done["status"], {r["service"] for r in done["receipts"]}) == ("completed", {*ENFORCERS, "privacy"})
        lifted = await call("POST", f"/requests/{request['id']}/lift", "dpo")
        assert lifted.json()["details"]["lifted_at"]
        assert not (await state.consents.find(call.tenant, learner)).restricted


class TestObjection:
    async def test_stops_at_once_and_goes_on_where_it_is_overridden(self, call: Caller, state: State) -> None:
        await with_pack(call, "eu-school")
        learner = str(uuid4())
        request = await asked(call, "objection", learner, purposes=["profile", "recommend"])
        assert request["status"] == "pending"
        found = (await call("GET", f"/consents/{learner}", "app")).json()["purposes"]
        assert (found["profile"]["status"], found["teach"]["status"]) == ("objected", "allowed")
        refusal = {"ground": "compelling-grounds", "reason": "The exam board needs it."}
        assert (await call("POST", f"/requests/{request['id']}/refuse", "dpo", body=refusal)).status_code == 200
        dossier = await state.consents.find(call.tenant, learner)
        assert (await call("GET", f"/consents/{learner}", "app")).json()["purposes"]["profile"]["status"] != "objected"
        assert dossier.version >= 2
        told = await read(call, request["id"])
        assert (told["status"], told["ground"], told["reason"]) == ("refused", "compelling-grounds", refusal["reason"])
        assert told["completed_at"]

    async def test_is_upheld_once_all_have_acknowledged(self, call: Caller, state: State) -> None:
        await with_pack(call, "eu-school")
        learner = str(uuid4())
        request = await asked(call, "objection", learner)
        await call("POST", f"/requests/{request['id']}/approve", "dpo")
        await acknowledged(state, call.tenant, learner, (await state.consents.find(call.tenant, learner)).version)
        assert (await read(call, request["id"]))["status"] == "completed"
        held = (await call("GET", f"/consents/{learner}", "app")).json()["purposes"]["teach"]
        assert (held["status"], held["objection"]["outcome"]) == ("objected", "upheld")
        events = await state.consents.history(call.tenant, learner)
        said = [(one.event, one.outcome, one.by) for one in events if one.purpose == "teach"]
        assert said == [("decision", None, "learner"), ("ruling", "upheld", "dpo")]

    async def test_to_other_purposes_is_another_one(self, call: Caller) -> None:
        await with_pack(call, "eu-school")
        learner = str(uuid4())
        first = await asked(call, "objection", learner, purposes=["teach"])
        second = await asked(call, "objection", learner, purposes=["profile"])
        again = await asked(call, "objection", learner, purposes=["teach"])
        assert (first["id"] == again["id"], first["id"] == second["id"]) == (True, False)
        found = (await call("GET", f"/consents/{learner}", "app")).json()["purposes"]
        assert [found[purpose]["allowed"] for purpose in ("teach", "profile", "recommend")] == [False, False, True]

    async def test_what_the_learner_has_taken_back_is_not_stopped_again(self, call: Caller) -> None:
        await with_pack(call, "eu-school")
        learner = str(uuid4())
        request = await asked(call, "objection", learner, purposes=["teach"])
        await call("DELETE", "/consents/me/teach", "learner", learner=learner)
        await call("POST", f"/requests/{request['id']}/approve", "dpo")
        assert (await call("GET", f"/consents/{learner}", "app")).json()["purposes"]["teach"]["allowed"]


class TestRectification:
    async def test_each_statement_is_another_request(self, call: Caller) -> None:
        await with_pack(call, "eu-school")
        learner = str(uuid4())
        ids = {(await asked(call, "rectification", learner, statement_id=str(uuid4())))["id"] for _ in range(2)}
        assert len(ids) == 2

    async def test_a_refusal_may_be_answered_beside_the_record(self, call: Caller, state: State) -> None:
        await with_pack(call, "us-k12")
        learner = str(uuid4())
        request = await asked(call, "rectification", learner, statement_id=str(uuid4()))
        path = f"/requests/{request['id']}"
        early = await call("POST", f"{path}/statement", "learner", body={"text": BESIDE}, learner=learner)
        assert early.status_code == 409
        refusal = {"ground": "record-is-accurate", "reason": "The teacher confirms it."}
        assert (await call("POST", f"{path}/refuse", "dpo", body=refusal)).status_code == 200
        placed = await call("POST", f"{path}/statement", "learner", body={"text": BESIDE}, learner=learner)
        assert placed.status_code == 200
        held = [item async for item in own(call.tenant, learner, state)]
        beside = [item.data for item in held if isinstance(item, Record) and item.part == "statements_beside"]
        assert len(beside) == 1
        assert BESIDE.encode() in beside[0]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"type": "rectification"},
            {"type": "erasure", "statement_id": str(uuid4())},
            {"type": "access", "purposes": ["profile"]},
            {"type": "objection", "purposes": ["record", "nothing-like-it"]},
        ],
    )
    async def test_what_does_not_fit_is_refused(self, call: Caller, wrong: dict[str, Any]) -> None:
        await with_pack(call, "eu-school")
        made = await call("POST", "/requests", "dpo", body={"learner_id": str(uuid4()), **wrong})
        assert made.status_code in (400, 409)


async def test_a_stranger_among_the_receipts_changes_nothing(call: Caller, state: State) -> None:
    """A receipt about another learner, or under another's request, is of no use."""
    await with_pack(call, "open")
    learner = str(uuid4())
    made = await call("POST", "/requests", "dpo", body={"type": "erasure", "learner_id": learner})
    receipt = Receipt(
        service="ingest", kind="erasure", request_id=made.json()["id"], counts={"x": 1}, completed_at=state.clock()
    )
    handler = ReceiptHandler(state.consents, state.requests, PortionReceipts(state, lambda: None))
    await in_transaction(state.client, lambda s: handler._answered(call.tenant, str(uuid4()), receipt, s))
    assert [r["service"] for r in (await read(call, made.json()["id"]))["receipts"]] == ["privacy"]
