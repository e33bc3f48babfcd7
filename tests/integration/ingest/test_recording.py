"""What holds of recording whatever else happens at the same moment: twins, conflicts, consent, tenants, plans."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from events.payloads import ConsentStatus, Unknown
from ingest.statements.repository import STATEMENTS as SPEC
from ingest.statements.repository import StatementRepository

from tests.integration.ingest.lrs import Lrs, agent, statement, voiding


class TestTwins:
    async def test_identical_are_stored_once(self, lrs: Lrs) -> None:
        for _ in range(10):
            sent = statement()
            answers = await asyncio.gather(*(lrs.post(sent) for _ in range(4)), lrs.put(sent), lrs.post([sent]))
            assert [answer.status_code for answer in answers] == [200] * 4 + [204, 200]
        assert await lrs.stored() == 10

    async def test_different_conflict(self, lrs: Lrs) -> None:
        for _ in range(10):
            sent = statement("ada")
            one, other = await asyncio.gather(lrs.post(sent), lrs.post({**sent, "actor": agent("grace")}))
            assert sorted((one.status_code, other.status_code)) == [200, 409]
            winner = "ada" if one.status_code == 200 else "grace"
            assert (await lrs.get(statementId=sent["id"])).json()["actor"] == agent(winner)

    async def test_batches_that_overlap(self, lrs: Lrs) -> None:
        """Each is stored wholly or refused wholly."""
        for _ in range(5):
            shared = statement("ada")
            first = [statement() for _ in range(10)] + [shared]
            second = [{**shared, "actor": agent("grace")}] + [statement() for _ in range(10)]
            answers = await asyncio.gather(lrs.post(first), lrs.post(second))
            assert sorted(answer.status_code for answer in answers) == [200, 409]
            kept = set(await lrs.ids())
            for batch, answer in zip((first, second), answers, strict=True):
                own = {one["id"] for one in batch} - {shared["id"]}
                assert own & kept == (own if answer.status_code == 200 else set())

    async def test_equal_batches_in_another_order(self, lrs: Lrs) -> None:
        for _ in range(5):
            batch = [statement() for _ in range(10)]
            answers = await asyncio.gather(*(lrs.post(batch if n % 2 else batch[::-1]) for n in range(4)))
            assert [answer.status_code for answer in answers] == [200] * 4
        assert await lrs.stored() == 50

    async def test_voiding_beside_its_target(self, lrs: Lrs) -> None:
        for _ in range(10):
            sent = statement()
            void = voiding(sent["id"])
            answers = await asyncio.gather(lrs.post(sent), lrs.post(void))
            assert [answer.status_code for answer in answers] == [200, 200]
            assert (await lrs.get(voidedStatementId=sent["id"])).status_code == 200

    async def test_new_learners_get_one_identity(self, lrs: Lrs) -> None:
        names = [f"learner {n}" for n in range(5)]
        posts = (lrs.post([statement(name) for name in names]) for _ in range(4))
        made = (lrs.learner(name) for name in names)
        answers = await asyncio.gather(*posts, *made)
        learners = set(answers[4:])
        db = lrs.connections.db
        stored = await db["statements"].find({"tenant": lrs.tenant}).to_list(None)
        assert {learner for document in stored for learner in document["learners"]} == learners
        assert await db["learners"].count_documents({"_id": {"$regex": f"^{lrs.tenant}/"}}) == 5 + 1  # the authority


class TestPagesWhileOthersWrite:
    @pytest.mark.parametrize("ascending", ["true", "false"])
    async def test_every_statement_once(self, lrs: Lrs, ascending: str) -> None:
        before = [statement() for _ in range(60)]
        await lrs.post(before)
        writing = True

        async def write() -> None:
            while writing:
                await lrs.post([statement() for _ in range(3)])

        writers = [asyncio.create_task(write()) for _ in range(3)]
        walked = await self._walk(lrs, ascending)
        writing = False
        await asyncio.gather(*writers)
        counts = Counter(walked)
        assert max(counts.values()) == 1
        assert {one["id"] for one in before} <= set(walked)
        if ascending == "true":  # nothing is passed over by a walk that goes on
            everything = await self._walk(lrs, "true")
            assert everything[: len(walked)] == walked

    @staticmethod
    async def _walk(lrs: Lrs, ascending: str) -> list[str]:
        """At most 40 pages: an ascending walk follows those who write."""
        answer = (await lrs.get(limit=7, ascending=ascending)).json()
        found = [one["id"] for one in answer["statements"]]
        while answer["more"] and len(found) < 280:
            answer = (await lrs.get(answer["more"])).json()
            found += [one["id"] for one in answer["statements"]]
        return found


class TestConsent:
    async def test_waits_for_the_policy(self, lrs: Lrs) -> None:
        other = await lrs.other_tenant(policy=False)
        answer = await other.post(statement())
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["X-Experience-API-Version"] == "1.0.3"
        assert await other.stored() == 0
        await other.policy()
        assert (await other.post(statement())).status_code == 200

    async def test_accepted_and_not_stored(self, lrs: Lrs) -> None:
        await lrs.decide(await lrs.learner("ada"), ConsentStatus.objected)
        sent = [statement("grace"), statement("ada"), statement("ada")]
        answer = await lrs.post(sent)
        assert answer.json() == [one["id"] for one in sent]
        assert answer.headers["Trellis-Not-Recorded"] == "2"
        assert await lrs.ids() == [sent[0]["id"]]
        answer = await lrs.put(statement("ada"))
        assert (answer.status_code, answer.headers["Trellis-Not-Recorded"]) == (204, "1")
        assert "Trellis-Not-Recorded" not in (await lrs.post(statement("grace"))).headers

    async def test_a_group_needs_the_leave_of_all(self, lrs: Lrs) -> None:
        await lrs.decide(await lrs.learner("ada"), ConsentStatus.withdrawn)
        group = {"objectType": "Group", "member": [agent("grace"), agent("ada")]}
        answer = await lrs.post(statement() | {"actor": group})
        assert answer.headers["Trellis-Not-Recorded"] == "1"
        assert await lrs.stored() == 0

    async def test_who_is_only_mentioned_does_not_count(self, lrs: Lrs) -> None:
        await lrs.decide(await lrs.learner("teacher"), ConsentStatus.withdrawn)
        assert (
            "Trellis-Not-Recorded"
            not in (await lrs.post(statement("ada", context={"instructor": agent("teacher")}))).headers
        )

    async def test_nothing_known_is_the_policys_default(self, lrs: Lrs) -> None:
        await lrs.policy(Unknown.denied)
        await lrs.decide(await lrs.learner("grace"), ConsentStatus.granted)
        sent = [statement("ada"), statement("grace")]
        assert (await lrs.post(sent)).headers["Trellis-Not-Recorded"] == "1"
        assert await lrs.ids() == [sent[1]["id"]]

    async def test_a_tenant_may_refuse(self, lrs: Lrs) -> None:
        await lrs.policy(not_recorded="refuse")
        await lrs.decide(await lrs.learner("ada"), ConsentStatus.objected)
        answer = await lrs.post([statement("grace"), statement("ada")])
        assert answer.status_code == 403
        assert [(e["index"], e["pointer"]) for e in answer.json()["errors"]] == [(1, "/1")]
        assert await lrs.stored() == 0


class TestPlans:
    async def test_every_query_has_its_index(self, lrs: Lrs) -> None:
        """All that the endpoints ask of MongoDB, as the profiler saw it."""
        await lrs.post([statement(f"learner {n}", context={"registration": str(uuid4())}) for n in range(50)])
        db = lrs.connections.db
        await db.command("profile", 2)
        try:
            sent = statement()
            await lrs.post(sent)
            await lrs.post(sent)
            await lrs.post([voiding(sent["id"]), statement("new")])
            for params in _queries(sent):
                assert (await lrs.get(**params)).status_code in (200, 404)
            await lrs.http.get("/credentials", headers=lrs.bearer("operator"))
            await lrs.stored()
            await StatementRepository(lrs.connections.client, db, lrs.connections.sealer).count_outbox(lrs.tenant)
        finally:
            await db.command("profile", 0)
        seen = await db["system.profile"].find({"planSummary": {"$exists": True}}).to_list(None)
        assert {"statements", "identities", "credentials", "standings"} <= {
            one["ns"].rpartition(".")[2] for one in seen
        }
        scans = [one["command"] for one in seen if "COLLSCAN" in one["planSummary"] and "system." not in one["ns"]]
        assert scans == []

    async def test_no_list_is_sorted_in_memory(self, lrs: Lrs) -> None:
        """Each kind of list, as it is asked for; of several filters the database may choose any to begin with."""
        names = [f"learner {n}" for n in range(30)]
        await lrs.post([statement(name, context={"registration": str(uuid4())}) for name in names])
        db = lrs.connections.db
        await db["system.profile"].drop()
        await db.command("profile", 2)
        try:
            for params in _lists(statement()):
                for ascending in ("true", "false"):
                    assert (await lrs.get(**params, ascending=ascending, limit=10)).status_code == 200
        finally:
            await db.command("profile", 0)
        seen = await db["system.profile"].find({"ns": f"{db.name}.statements", "op": "query"}).to_list(None)
        assert len(seen) >= 2 * len(_lists(statement()))
        for one in seen:
            assert "IXSCAN" in one["planSummary"]
            assert not one.get("hasSortStage", False)
            assert "tenant" in one["planSummary"]

    async def test_several_filters_read_what_the_narrowest_finds(self, lrs: Lrs) -> None:
        """A hundred statements of the verb, one of the learner: whichever filter comes first in the query."""
        await lrs.post([statement(f"learner {n}") for n in range(100)])
        rare = statement("rare")
        await lrs.post(rare)
        both = {"agent": json.dumps(agent("rare")), "verb": rare["verb"]["id"], "activity": rare["object"]["id"]}
        assert await lrs.ids(**both) == [rare["id"]]
        db = lrs.connections.db
        await db.command("profile", 2)
        try:
            for _ in range(3):
                assert await lrs.ids(**both) == [rare["id"]]
        finally:
            await db.command("profile", 0)
        newest = db["system.profile"].find({"ns": f"{db.name}.statements", "op": "query"}).sort("ts", -1).limit(1)
        (seen,) = await newest.to_list(None)
        assert seen["docsExamined"] <= 30

    async def test_indexes_are_made_twice(self, lrs: Lrs) -> None:
        found = await lrs.connections.db["statements"].index_information()
        assert len(found) == len(SPEC.indexes) + 1


def _queries(sent: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"statementId": sent["id"]}, {"voidedStatementId": sent["id"]}, *_lists(sent)]


def _lists(sent: dict[str, Any]) -> list[dict[str, Any]]:
    one = {"agent": json.dumps(agent("learner 1"))}
    verb, activity = {"verb": sent["verb"]["id"]}, {"activity": sent["object"]["id"]}
    return [
        {},
        one,
        one | {"related_agents": "true"},
        verb,
        activity,
        activity | {"related_activities": "true", "since": "2026-01-01T00:00:00Z"},
        {"registration": str(uuid4()), "until": "2026-01-01T00:00:00Z"},
        one | verb | activity | {"registration": str(uuid4()), "since": "2026-01-01T00:00:00Z"},
        one | activity | {"related_agents": "true", "related_activities": "true"},
    ]
