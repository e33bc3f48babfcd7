"""`POST /identities/merge` and its undo: whom one finds by either identifier, and what cannot be joined."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

import pytest
from events.payloads import ConsentStatus, IdentityMerge
from ingest.merges.repository import MERGES, MergeSource
from ingest.worker import participant
from service_kit.merging import Merges
from service_kit.mongo import ensure, in_transaction

from tests.integration.ingest.lrs import Lrs, agent, places, statement
from tests.support.plans import assert_indexed

ADA, MOODLE = agent("ada"), {"mbox": "mailto:ada@school.example"}


async def merge(lrs: Lrs, one: Any = MOODLE, into: Any = ADA, role: str = "app") -> Any:
    return await lrs.http.post("/identities/merge", json={"agent": one, "into": into}, headers=lrs.bearer(role))


async def undo(lrs: Lrs, merged: str, role: str = "app") -> int:
    return (await lrs.http.delete(f"/identities/merges/{merged}", headers=lrs.bearer(role))).status_code


async def learner(lrs: Lrs, one: Any) -> str:
    answer = await lrs.http.post("/identities", json=one, headers=lrs.bearer("app"))
    return str(answer.json()["learner_id"])


class TestMerge:
    async def test_anonymous(self, lrs: Lrs) -> None:
        assert (await lrs.http.post("/identities/merge", json={})).status_code == 401

    @pytest.mark.parametrize("role", ["learner", "teacher", "service", "authority", "guardian"])
    async def test_missing_role(self, lrs: Lrs, role: str) -> None:
        assert (await merge(lrs, role=role)).status_code == 403

    async def test_other_tenant(self, lrs: Lrs) -> None:
        other = await lrs.other_tenant()
        done = (await merge(lrs)).json()
        assert await undo(other, done["id"]) == 404
        assert await learner(other, ADA) != await learner(other, MOODLE)

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ([], ""),
            ({"agent": ADA}, ""),
            ({"agent": ADA, "into": ADA, "why": "x"}, ""),
            ({"agent": {"mbox": "ada"}, "into": ADA}, "/agent/mbox"),
            ({"agent": ADA, "into": {"objectType": "Group", "member": [ADA]}}, "/into"),
        ],
    )
    async def test_invalid(self, lrs: Lrs, body: Any, pointer: str) -> None:
        answer = await lrs.http.post("/identities/merge", json=body, headers=lrs.bearer("app"))
        assert (answer.status_code, pointer in places(answer)) == (400, True)

    async def test_happy(self, lrs: Lrs) -> None:
        ada, moodle = await learner(lrs, ADA), await learner(lrs, MOODLE)
        answer = await merge(lrs, role="dpo")
        assert (answer.status_code, answer.json()["learner_id"]) == (201, ada)
        assert answer.json()["merged_learner_id"] == moodle
        again = await merge(lrs, role="operator")
        assert (again.status_code, again.json()) == (200, answer.json())
        assert [await learner(lrs, one) for one in (ADA, MOODLE)] == [ada, ada]
        params = {"agent": json.dumps(MOODLE)}
        found = (await lrs.http.get("/identities", params=params, headers=lrs.bearer("app"))).json()
        assert found == {"learner_id": ada, "own_learner_id": moodle}
        listed = await lrs.http.get("/identities/merges", params={"learner_id": moodle}, headers=lrs.bearer("app"))
        assert listed.json() == {"learner_id": ada, "items": [answer.json()]}

    async def test_one_identifier_is_no_two(self, lrs: Lrs) -> None:
        assert (await merge(lrs, ADA, {**ADA, "name": "Ada"})).status_code == 409

    async def test_never_in_a_circle(self, lrs: Lrs) -> None:
        grace = agent("grace")
        assert [(await merge(lrs, *pair)).status_code for pair in ((ADA, MOODLE), (MOODLE, grace))] == [201, 201]
        assert (await merge(lrs, grace, ADA)).status_code == 409
        assert (await merge(lrs, ADA, grace)).status_code == 200
        assert {await learner(lrs, one) for one in (ADA, MOODLE)} == {await learner(lrs, grace)}

    async def test_of_two_at_once_one_is_the_circle(self, lrs: Lrs) -> None:
        both = await asyncio.gather(merge(lrs, ADA, MOODLE), merge(lrs, MOODLE, ADA))
        assert sorted(answer.status_code for answer in both) == [201, 409]

    async def test_who_is_being_erased_is_merged_with_nobody(self, lrs: Lrs) -> None:
        await lrs.decide(await learner(lrs, ADA), None, erased=True)
        assert (await merge(lrs)).status_code == 409


class TestMergedLearner:
    async def test_statements_and_the_person_are_found_by_either_identifier(self, lrs: Lrs) -> None:
        ours, theirs = statement("ada"), statement() | {"actor": {**MOODLE, "name": "Ada L."}}
        await lrs.post([ours, theirs])
        done = (await merge(lrs)).json()
        for one in (ADA, MOODLE):
            assert await lrs.ids(agent=json.dumps(one)) == [theirs["id"], ours["id"]]
            person = (await lrs.get("/xapi/agents", agent=json.dumps(one))).json()
            assert (person["account"], person["mbox"]) == ([ADA["account"]], [MOODLE["mbox"]])
            assert person["name"] == ["Ada L."]
        assert await undo(lrs, done["id"]) == 204
        assert await lrs.ids(agent=json.dumps(ADA)) == [ours["id"]]
        assert "mbox" not in (await lrs.get("/xapi/agents", agent=json.dumps(ADA))).json()

    async def test_no_statement_is_touched(self, lrs: Lrs) -> None:
        ours, theirs = statement("ada"), statement() | {"actor": MOODLE}
        await lrs.post([ours, theirs])
        stored = lrs.connections.db["statements"]
        before = await stored.find({"tenant": lrs.tenant}).sort("_id").to_list(None)
        await merge(lrs)
        assert await stored.find({"tenant": lrs.tenant}).sort("_id").to_list(None) == before

    async def test_the_stricter_consent_holds_until_an_undo(self, lrs: Lrs) -> None:
        await lrs.decide(await learner(lrs, MOODLE), ConsentStatus.objected)
        done = (await merge(lrs)).json()
        assert (await lrs.post(statement("ada"))).headers["Trellis-Not-Recorded"] == "1"
        assert await undo(lrs, done["id"]) == 204
        assert "Trellis-Not-Recorded" not in (await lrs.post(statement("ada"))).headers

    async def test_each_change_is_told_and_audited(self, lrs: Lrs) -> None:
        done = (await merge(lrs)).json()
        await undo(lrs, done["id"])
        assert await undo(lrs, done["id"]) == 404
        held = await lrs.connections.db["merges"].find({"tenant": lrs.tenant}).to_list(None)
        (told,) = await MergeSource().messages(held)
        assert (told.subject, told.payload) == (done["merged_learner_id"], IdentityMerge(version=2))
        audited = await lrs.connections.db["audit_entries"].find({"tenant": lrs.tenant}).to_list(None)
        assert {"identities/merge", "identities/unmerge"} <= {one["entry"]["what"] for one in audited}

    async def test_the_forgotten_leave_no_merge(self, lrs: Lrs) -> None:
        done, c = (await merge(lrs)).json(), lrs.connections
        root, merged = done["learner_id"], done["merged_learner_id"]
        for one in (root, merged):
            await in_transaction(c.client, partial(participant(c).erase, lrs.tenant, one))
            await in_transaction(c.client, partial(Merges(c.db).forget, lrs.tenant, one))
        (held,) = await c.db["merges"].find({"tenant": lrs.tenant}).to_list(None)
        assert [one.payload for one in await MergeSource().messages([held])] == [None]
        for one in (root, merged):
            assert await c.db["standings"].find_one({"_id": f"{lrs.tenant}/{one}"}) is None
        assert await learner(lrs, ADA) not in (root, merged)

    async def test_every_look_up_has_its_index(self, lrs: Lrs) -> None:
        merges = lrs.connections.db["merges"]
        await ensure(lrs.connections.db, [MERGES])
        await assert_indexed(merges, {"tenant": lrs.tenant, "id": "x"})
        await assert_indexed(merges, {"gone": True, "outbox": {"$exists": False}})
