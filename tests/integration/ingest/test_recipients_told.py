"""Recipients outside: what they were given is recorded, and an erasure reaches them (GDPR 19)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from events.payloads import ConsentState, ConsentStatus, Receipt
from ingest.disclosures.passing import PassingOn, targets
from ingest.disclosures.repository import DisclosureRepository
from ingest.forwarding.repository import ForwardingRepository
from ingest.worker import attachments_of, participant
from service_kit.consent import ConsentView
from service_kit.erasing import Erasing
from service_kit.mongo import Session, in_transaction

from tests.integration.ingest.lrs import Lrs, agent, statement
from tests.integration.ingest.test_forwarding import (
    Other,
    _forwarded,
    _withheld,
    forwarding,
    made,
    other,
    source,
    until,
)
from tests.support.retaining import Retained

__all__ = ["other", "source"]  # fixtures


class Told:
    """The service's erasing and passing on, and the receipts they give."""

    def __init__(self, lrs: Lrs, http: httpx2.AsyncClient) -> None:
        c = lrs.connections
        self.lrs = lrs
        self.receipts: list[tuple[str, Receipt]] = []
        self.request = str(uuid4())
        self.erasing = Erasing(c.client, c.db, "ingest", participant(c), c.clock, self.receipt, lambda: None)
        self.passing = PassingOn(
            c.client,
            DisclosureRepository(c.db),
            ForwardingRepository(c.client, c.db, c.sealer),
            targets(http, attachments_of(c)),
            c.clock,
            self.receipt,
        )

    async def receipt(self, tenant: str, subject: str, receipt: Receipt, session: Session) -> None:
        self.receipts.append((subject, receipt))

    async def erase(self, learner: str) -> Receipt:
        """Both rounds; the receipt."""
        c = self.lrs.connections
        note = {"tenant": self.lrs.tenant, "learner": learner, "request": self.request, "counts": {}, "swept": False}
        await c.db["erasures"].insert_one({"_id": self.request, **note, "due_at": c.clock()})
        view = ConsentView(c.db)
        await in_transaction(c.client, lambda s: view.put_erased(self.lrs.tenant, learner, s))
        assert await self.erasing.turn()
        await c.db["erasures"].update_one({"_id": self.request}, {"$set": {"due_at": c.clock()}})
        assert await self.erasing.turn()
        return self.receipts.pop()[1]


@pytest.fixture
async def told(source: Lrs) -> AsyncIterator[Told]:
    async with httpx2.AsyncClient() as http:
        yield Told(source, http)


async def disclosed(lrs: Lrs, name: str) -> list[tuple[str, str, int]]:
    learner = await lrs.learner(name)
    found = await DisclosureRepository(lrs.connections.db).of_learner(lrs.tenant, learner)
    return sorted((one.recipient.name, one.recipient.purpose, one.statements) for one in found)


async def restrict(lrs: Lrs, learner: str) -> None:
    view = ConsentView(lrs.connections.db)
    state = ConsentState(version=1, restricted=True)
    await in_transaction(lrs.connections.client, lambda s: view.put_state(lrs.tenant, learner, state, s))


class TestRetention:
    async def given(self, source: Lrs, other: Other) -> tuple[str, list[str]]:
        """A forwarding that has three statements, two of them ada's; and an export of all."""
        mine = [statement("ada"), statement("ada")]
        await source.post([*mine, statement("eve")])
        one = await made(source, other)
        async with forwarding(source):
            await until(lambda: _forwarded(source, one, 3))
        params = {"purpose": "record", "recipient": "institute"}
        await source.http.get("/exports/statements", params=params, headers=source.bearer("operator"))
        await source.connections.db["statements"].update_many({"tenant": source.tenant}, {"$unset": {"outbox": ""}})
        return one, [str(one["id"]) for one in mine]

    async def test_who_has_what_went_is_named_and_gets_a_notice(self, source: Lrs, other: Other, told: Told) -> None:
        await self.given(source, other)
        retained = Retained(source.connections, participant(source.connections), source.tenant)
        clock = source.connections.clock
        preview = await retained.preview("delete", stored_before=clock())
        assert preview.recipients == []
        receipt = await retained.carry_out("delete", stored_before=clock())
        assert {(t.name, t.outcome, t.statements) for t in receipt.recipients} == {
            ("ministry", "notice", 3),
            ("institute", "notice", 3),
        }
        assert not await told.passing.turn(), "nothing is sent to where the rule does not say so"
        again = await retained.carry_out("delete", stored_before=clock())
        assert again.recipients == []

    async def test_a_target_voids_where_the_rule_says_so(self, source: Lrs, other: Other, told: Told) -> None:
        _, mine = await self.given(source, other)
        retained = Retained(source.connections, participant(source.connections), source.tenant)
        request = await retained.begin("unlink", void_outside=True, stored_before=source.connections.clock())
        receipt = await retained.finish(request)
        assert {(t.name, t.outcome, t.statements) for t in receipt.recipients} == {
            ("ministry", "pending", 3),
            ("institute", "notice", 3),
        }
        while await told.passing.turn():
            pass
        subject, answer = told.receipts[-1]
        assert (subject, answer.kind, answer.request_id) == (request, "recipients", request)
        assert [(t.name, t.outcome) for t in answer.recipients] == [("ministry", "received")]
        for voided in mine:
            assert (await other.lrs.get(statementId=voided)).status_code == 404


class TestForwarding:
    async def test_an_erasure_is_passed_on_and_answered(self, source: Lrs, other: Other, told: Told) -> None:
        mine, eves = [statement("ada"), statement("ada")], statement("eve")
        await source.post([*mine, eves])
        one = await made(source, other)
        async with forwarding(source):
            await until(lambda: _forwarded(source, one, 3))
        assert await disclosed(source, "ada") == [("ministry", "record", 2)]
        learner = await source.learner("ada")
        receipt = await told.erase(learner)
        assert [t.model_dump() for t in receipt.recipients] == [
            {"name": "ministry", "purpose": "record", "outcome": "pending", "statements": 2, "reason": None}
        ]
        assert await told.passing.turn()
        assert not await told.passing.turn()
        [(subject, answer)] = told.receipts
        assert (subject, answer.kind) == (told.request, "recipients"), "no learner stands on it any more"
        assert [(t.outcome, t.statements) for t in answer.recipients] == [("received", 2)]
        assert eves["id"] in await other.lrs.ids()
        for voided in mine:
            assert (await other.lrs.get(statementId=voided["id"])).status_code == 404
        left = await source.connections.db["disclosures"].find({"learner": learner}).to_list(None)
        assert left == []

    async def test_a_recipient_that_stays_away_is_named(self, source: Lrs, other: Other, told: Told) -> None:
        await source.post(statement("ada"))
        one = await made(source, other)
        async with forwarding(source):
            await until(lambda: _forwarded(source, one, 1))
        other.away = 503
        await told.erase(await source.learner("ada"))
        assert await told.passing.turn()
        assert told.receipts == [], "it is tried again"
        told.passing.patience = timedelta(0)
        await source.connections.db["passing_on"].update_many({}, {"$set": {"due_at": source.connections.clock()}})
        assert await told.passing.turn()
        [(_, answer)] = told.receipts
        assert [(t.outcome, t.reason) for t in answer.recipients] == [("failed", "no answer: 503")]

    async def test_a_forwarding_that_was_removed_is_named(self, source: Lrs, other: Other, told: Told) -> None:
        await source.post(statement("ada"))
        one = await made(source, other)
        async with forwarding(source):
            await until(lambda: _forwarded(source, one, 1))
        await source.http.delete(f"/forwardings/{one}", headers=source.bearer("operator"))
        receipt = await told.erase(await source.learner("ada"))
        assert [(t.name, t.outcome) for t in receipt.recipients] == [("ministry", "failed")]
        assert "removed" in str(receipt.recipients[0].reason)

    async def test_of_whoever_is_restricted_nothing_is_sent(self, source: Lrs, other: Other) -> None:
        ada = statement("ada")
        await source.post([ada, statement("eve")])
        await restrict(source, await source.learner("ada"))
        one = await made(source, other)
        async with forwarding(source):
            await until(lambda: _withheld(source, one, 1))
            await until(lambda: _forwarded(source, one, 1))
        assert ada["id"] not in await other.lrs.ids()
        again = statement("ada")
        assert (await source.post(again)).status_code == 200
        assert again["id"] not in await source.ids(), "nobody is given it"
        assert (await source.get(statementId=again["id"])).status_code == 404
        assert await source.stored() == 3, "it is stored all the same (GDPR 18(2))"

    async def test_nor_is_anybody_given_documents(self, source: Lrs) -> None:
        place = {"agent": json.dumps(agent("ada")), "activityId": "https://example.org/a", "stateId": "bookmark"}
        headers = {"X-Experience-API-Version": "1.0.3"}

        async def ask(method: str, **options: Any) -> httpx2.Response:
            url = "/xapi/activities/state"
            return await source.http.request(method, url, params=place, headers=headers, auth=source.auth, **options)

        assert (await ask("PUT", content=b"page 7")).status_code == 204
        assert (await ask("GET")).content == b"page 7"
        await restrict(source, await source.learner("ada"))
        async with asyncio.timeout(5):
            while (await ask("GET")).status_code != 404:  # noqa: ASYNC110 — the answer comes over HTTP
                await asyncio.sleep(0.1)
        assert (await ask("PUT", content=b"page 8")).status_code == 204


class TestReturning:
    async def test_whoever_was_erased_is_refused_where_the_policy_says_so(self, source: Lrs, told: Told) -> None:
        await source.post([statement("ada"), statement("eve")])
        await source.policy(returning="refuse")
        ada = await source.learner("ada")
        receipt = await told.erase(ada)
        assert receipt.returning_refused_until is not None
        again = await source.post([statement("ada"), statement("eve", context={"instructor": agent("ada")})])
        assert (again.status_code, again.headers["Trellis-Not-Recorded"]) == (200, "2")
        body = [agent("ada"), agent("eve")]
        found = await source.http.post("/identities", json=body, headers=source.service("insights"))
        assert [item["learner_id"] is None for item in found.json()["items"]] == [True, False]
        alone = await source.http.post("/identities", json=agent("ada"), headers=source.bearer("app"))
        assert alone.status_code == 409
        everything = [str(d) async for d in source.connections.db["refused_returns"].find({})]
        assert len(everything) == 1
        assert "ada" not in everything[0]

    async def test_else_the_learner_starts_anew(self, source: Lrs, told: Told) -> None:
        await source.post(statement("ada"))
        before = await source.learner("ada")
        receipt = await told.erase(before)
        assert receipt.returning_refused_until is None
        assert await source.learner("ada") != before


class TestExport:
    async def test_is_recorded_and_leaves_out_who_does_not_allow_it(self, source: Lrs, told: Told) -> None:
        ada, eve = statement("ada"), statement("eve")
        await source.post([ada, eve])
        await source.decide(await source.learner("eve"), ConsentStatus.withdrawn)
        get = partial(source.http.get, "/exports/statements", headers=source.bearer("operator"))
        lines = [json.loads(line) for line in (await get(params={"recipient": "The ministry"})).text.splitlines()]
        assert [line["statement"]["id"] for line in lines[:-1]] == [ada["id"]]
        research = await get(params={"recipient": "A university", "purpose": "research"})
        assert len(research.text.splitlines()) == 1
        assert await disclosed(source, "ada") == [("The ministry", "record", 1)]
        assert await disclosed(source, "eve") == []
        receipt = await told.erase(await source.learner("ada"))
        assert [(t.name, t.outcome) for t in receipt.recipients] == [("The ministry", "failed")]

    @pytest.mark.parametrize("params", [{"purpose": "A B"}, {"recipient": ""}, {"recipient": "x" * 201}])
    async def test_invalid(self, source: Lrs, params: dict[str, Any]) -> None:
        got = await source.http.get("/exports/statements", params=params, headers=source.bearer("operator"))
        assert got.status_code == 400


class TestSweep:
    async def test_what_was_written_meanwhile_is_found(self, source: Lrs, told: Told) -> None:
        """A request that began before the block may end after the deletion."""
        await source.post([statement("ada") for _ in range(3)])
        learner = await source.learner("ada")
        c = source.connections
        note = {"tenant": source.tenant, "learner": learner, "request": told.request, "counts": {}, "swept": False}
        await c.db["erasures"].insert_one({"_id": told.request, **note, "due_at": c.clock()})
        assert await told.erasing.turn()
        assert await source.stored() == 0
        late = statement("ada")
        await source.post(late)  # nothing blocks it here: it stands for one that was on its way
        assert await source.stored() == 1
        await c.db["erasures"].update_one({"_id": told.request}, {"$set": {"due_at": c.clock()}})
        assert await told.erasing.turn()
        assert await source.stored() == 0
        [(_, receipt)] = told.receipts
        assert (receipt.counts["statements"], receipt.counts["identities"]) == (4, 1)
