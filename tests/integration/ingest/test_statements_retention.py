"""Retention rules on statements: which go, which wait, and what leads to nobody any more."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from events.payloads import ConsentState
from ingest.retention import looking
from ingest.subjects.reading import HeldByIngest
from ingest.worker import attachments_of, participant
from service_kit import retaining
from service_kit.consent import ConsentView
from service_kit.mongo import in_transaction

from tests.integration.ingest.lrs import Json, Lrs, agent, statement, voiding
from tests.integration.ingest.test_forwarding import NEW
from tests.integration.ingest.test_moving_in_and_out import post_with, with_attachment
from tests.support.plans import assert_indexed
from tests.support.retaining import Retained, said

VERB = "https://example.org/verbs/tried"
QUIZ = "http://adlnet.gov/expapi/activities/assessment"
TAG = "https://example.org/tags/practice"
COURSE = "https://example.org/courses/1"
TYPED = {"id": "https://example.org/activities/2", "definition": {"type": QUIZ}}


@pytest.fixture
def retained(lrs: Lrs) -> Retained:
    return Retained(lrs.connections, participant(lrs.connections), lrs.tenant)


async def relayed(lrs: Lrs) -> None:
    """As if the relay had been there."""
    await lrs.connections.db["statements"].update_many({"tenant": lrs.tenant}, {"$unset": {"outbox": ""}})


async def posted(lrs: Lrs, *found: Json) -> None:
    assert (await lrs.post(list(found))).status_code == 200
    await relayed(lrs)


def now(lrs: Lrs, **later: float) -> dict[str, Any]:
    """Everything that was stored so far."""
    return {"stored_before": lrs.connections.clock() + timedelta(**later)}


async def hold(lrs: Lrs, name: str, version: int = 1, *, held: bool = True) -> None:
    view, learner = ConsentView(lrs.connections.db), await lrs.learner(name)
    state = ConsentState(version=version, held=held)
    await in_transaction(lrs.connections.client, lambda s: view.put_state(lrs.tenant, learner, state, s))


async def put_state(lrs: Lrs, name: str) -> dict[str, str]:
    """A document of the agent's; where it is."""
    params = {
        "activityId": "https://example.org/a",
        "agent": json.dumps({"account": {"homePage": "https://lms.example.org", "name": name}}),
        "stateId": "s",
    }
    put = await lrs.http.put(
        "/xapi/activities/state",
        content=b"x",
        params=params,
        auth=lrs.auth,
        headers=lrs._headers({"Content-Type": "text/plain"}),
    )
    assert put.status_code == 204
    return params


class TestDelete:
    @pytest.mark.parametrize(
        ("selection", "gone"),
        [
            ({}, "abcde"),
            ({"verbs": [VERB]}, "a"),
            ({"activity_types": [QUIZ]}, "b"),
            ({"tags": [TAG]}, "c"),
            ({"activities": [COURSE]}, "d"),
            ({"activities": [TYPED["id"]]}, "b"),
            ({"verbs": [VERB], "tags": [TAG]}, ""),
        ],
    )
    async def test_those_that_are_meant_and_no_others(
        self, lrs: Lrs, retained: Retained, selection: dict[str, Any], gone: str
    ) -> None:
        named = {
            "a": statement(verb={"id": VERB}),
            "b": statement(object=TYPED),
            "c": statement(context={"contextActivities": {"category": [{"id": TAG}]}}),
            "d": statement("bob", context={"contextActivities": {"grouping": [{"id": COURSE}]}}),
            "e": statement("bob"),
        }
        await posted(lrs, *named.values())
        young = statement(verb={"id": VERB}, object=TYPED)
        selection = now(lrs) | selection
        await posted(lrs, young)
        wanted: dict[str, int] = {"statements": len(gone)} if gone else {}
        assert said(await retained.preview("delete", **selection)) == (wanted, {})
        assert len(await lrs.ids()) == 6
        assert said(await retained.carry_out("delete", **selection)) == (wanted, {})
        left = {young["id"], *(one["id"] for name, one in named.items() if name not in gone)}
        assert set(await lrs.ids()) == left
        assert said(await retained.carry_out("delete", **selection)) == ({}, {})

    async def test_a_reference_is_not_taken_for_what_it_refers_to(self, lrs: Lrs, retained: Retained) -> None:
        target = statement(verb={"id": VERB})
        comment = statement(object={"objectType": "StatementRef", "id": target["id"]})
        await posted(lrs, target, comment)
        await retained.carry_out("delete", **now(lrs), verbs=[VERB])
        assert await lrs.ids() == [comment["id"]]

    async def test_documents_go_where_age_alone_decides(self, lrs: Lrs, retained: Retained) -> None:
        await posted(lrs, statement())
        params = await put_state(lrs, "ada")
        assert said(await retained.preview("delete", **now(lrs), verbs=[VERB])) == ({}, {})
        wanted: tuple[dict[str, int], dict[str, int]] = ({"statements": 1, "documents": 1}, {})
        assert said(await retained.preview("delete", **now(lrs))) == wanted
        assert said(await retained.carry_out("delete", **now(lrs))) == wanted
        assert (await lrs.get("/xapi/activities/state", **params)).status_code == 404

    async def test_attachments_go_when_no_statement_holds_them(self, lrs: Lrs, retained: Retained) -> None:
        await post_with(lrs, [with_attachment(b"essay")], [b"essay"])
        await relayed(lrs)
        assert said(await retained.carry_out("aggregate", **now(lrs)))[0] == {"statements": 1, "attachments": 1}
        (file,) = await lrs.connections.db["attachments.files"].find({"metadata.tenant": lrs.tenant}).to_list(None)
        assert file["metadata"]["due"] > lrs.connections.clock(), "a request may be using it at this moment"
        await lrs.connections.db["attachments.files"].update_one(
            {"_id": file["_id"]}, {"$set": {"metadata.due": lrs.connections.clock()}}
        )
        assert await attachments_of(lrs.connections).sweep(lrs.app.state.ingest.statements) == 1


class TestLeft:
    async def test_what_the_relay_has_not_seen(self, lrs: Lrs, retained: Retained) -> None:
        assert (await lrs.post(statement())).status_code == 200
        assert said(await retained.carry_out("delete", **now(lrs))) == ({}, {"waits_for_relay": 1})
        await relayed(lrs)
        assert said(await retained.carry_out("delete", **now(lrs))) == ({"statements": 1}, {})

    async def test_what_a_forwarding_has_not_seen(self, lrs: Lrs, retained: Retained) -> None:
        await posted(lrs, statement())
        made = await lrs.http.post("/forwardings", json=NEW | {"purpose": "record"}, headers=lrs.bearer("operator"))
        assert made.status_code == 201, made.text
        assert said(await retained.carry_out("delete", **now(lrs))) == ({}, {"waits_for_forwarding": 1})

    async def test_the_held_alone_and_in_a_group(self, lrs: Lrs, retained: Retained) -> None:
        group = {"objectType": "Group", "member": [agent("ada"), agent("bob")]}
        kept = [statement("bob"), statement("ada") | {"actor": group}]
        await posted(lrs, statement("ada"), *kept)
        await hold(lrs, "bob")
        counts, left = said(await retained.carry_out("delete", **now(lrs)))
        assert counts == {"statements": 1}
        assert left["held"] == 1
        assert set(await lrs.ids()) == {one["id"] for one in kept}
        await hold(lrs, "bob", 2, held=False)
        assert said(await retained.carry_out("delete", **now(lrs)))[0] == {"statements": 2}

    async def test_whoever_is_active(self, lrs: Lrs, retained: Retained) -> None:
        await posted(lrs, statement("left"), statement("here"))
        since = now(lrs)["stored_before"]
        here = statement("here")
        await posted(lrs, here)
        assert said(await retained.carry_out("delete", inactive_since=since)) == ({"statements": 1}, {})
        assert len(await lrs.ids()) == 2

    async def test_what_voids_a_statement_that_stays(self, lrs: Lrs, retained: Retained) -> None:
        wrong = statement("ada")
        await posted(lrs, wrong)
        await posted(lrs, voiding(wrong["id"]))
        await hold(lrs, "ada")
        counts, left = said(await retained.carry_out("delete", **now(lrs)))
        assert (counts, left) == ({}, {"held": 1, "voids_what_stays": 1})
        await hold(lrs, "ada", 2, held=False)
        assert said(await retained.preview("delete", **now(lrs))) == ({"statements": 2}, {})
        assert said(await retained.carry_out("delete", **now(lrs))) == ({"statements": 2}, {})


class TestUnlink:
    async def test_it_stays_and_leads_to_nobody(self, lrs: Lrs, retained: Retained) -> None:
        one = statement(
            "ada-lovelace", context={"instructor": agent("teacher")}, result={"response": "ada-lovelace was here"}
        )
        await posted(lrs, one)
        learner, wanted = await lrs.learner("ada-lovelace"), now(lrs)
        assert said(await retained.preview("unlink", **wanted)) == ({"statements": 1}, {})
        assert said(await retained.carry_out("unlink", **wanted)) == ({"statements": 1}, {})
        (found,) = (await lrs.get()).json()["statements"]
        assert found["actor"]["account"]["homePage"] == "https://trellis.invalid/erased"
        assert found["context"]["instructor"]["account"] == agent("teacher")["account"]
        assert found["id"] == one["id"]
        assert "response" not in found["result"], "open text that repeats the name goes with it"
        assert await lrs.ids(agent='{"account":{"homePage":"https://lms.example.org","name":"ada-lovelace"}}') == []
        held: HeldByIngest = lrs.app.state.ingest.subjects
        assert [item async for item in held(lrs.tenant, learner) if getattr(item, "part", "") == "statements"] == []
        exported = await lrs.http.get(
            "/exports/statements", params={"purpose": "record"}, headers=lrs.bearer("operator")
        )
        assert one["id"] not in exported.text, "nobody can be asked for leave any more"
        assert said(await retained.carry_out("unlink", **now(lrs))) == ({}, {})

    async def test_a_later_rule_deletes_what_is_unlinked(self, lrs: Lrs, retained: Retained) -> None:
        await posted(lrs, statement("ada"), statement("bob"))
        await retained.carry_out("unlink", **now(lrs))
        assert len(await lrs.ids()) == 2
        assert said(await retained.carry_out("delete", **now(lrs))) == ({"statements": 2}, {})
        assert await lrs.ids() == []


async def test_step_after_step(lrs: Lrs, retained: Retained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retaining, "PART", 4)
    await posted(lrs, *[statement(name) for name in ("ada", "bob", "eve") for _ in range(9)])
    wanted = now(lrs)
    counted = said(await retained.preview("delete", **wanted))
    assert said(await retained.carry_out("delete", **wanted)) == counted == ({"statements": 27}, {})
    assert await lrs.ids() == []


@pytest.mark.parametrize("few", [0, 2000])
async def test_whoever_has_nothing_old_costs_no_step(
    lrs: Lrs, retained: Retained, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(looking, "FEW", few)
    await posted(lrs, statement("ada"), statement("ada", verb={"id": VERB}))
    old = now(lrs)
    await posted(lrs, *[statement(f"pupil-{number}") for number in range(20)])
    for selection, gone in ((old | {"verbs": [VERB]}, 1), (old, 1), (old, 0), (old | {"verbs": [VERB]}, 0)):
        request = await retained.begin("delete", **selection)
        assert said(await retained.finish(request)) == ({"statements": gone} if gone else {}, {})
        assert await retained.steps(request) == 1 + gone


async def test_a_learner_who_has_nothing_but_an_old_document_is_found(lrs: Lrs, retained: Retained) -> None:
    await posted(lrs, *[statement(f"pupil-{number}") for number in range(20)])
    await put_state(lrs, "ada")
    wanted = now(lrs)
    await retained.carry_out("delete", **wanted)
    await put_state(lrs, "bob")
    assert said(await retained.carry_out("delete", **wanted)) == ({}, {})
    request = await retained.begin("delete", **now(lrs))
    assert said(await retained.finish(request)) == ({"documents": 1}, {})
    assert await retained.steps(request) == 2


async def test_a_run_walks_the_index(lrs: Lrs) -> None:
    statements = lrs.connections.db["statements"]
    where = {"tenant": "t", "keys": {"$in": [b"a1", b"A1"]}, "stored": {"$lt": 9, "$gt": 1}}
    await assert_indexed(statements, where, [("stored", 1)])
    await assert_indexed(statements, where | {"learners": "l"})
    await assert_indexed(statements, {"tenant": "t", "keys": {"$in": [b"a1", b"A1"]}, "stored": {"$lt": 9}})
    mine = [{"_id": {"$gte": f"t/state/{one}/", "$lt": f"t/state/{one}0"}, "updated": {"$lt": 9}} for one in "ab"]
    await assert_indexed(lrs.connections.db["documents"], {"$or": mine})
    await assert_indexed(lrs.connections.db["forwardings"], {"tenant": "t"})
    await assert_indexed(lrs.connections.db["learners"], {"_id": {"$gt": "t/a", "$lt": "t/b"}}, [("_id", 1)])
    await assert_indexed(
        lrs.connections.db["retention_orders"], {"due_at": {"$lte": lrs.connections.clock()}}, [("due_at", 1)]
    )
