"""StatementRefs: a statement is found by what its target is found by (1.0.3 Communication 2.1.4)."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from ingest.statements import repository, targets
from ingest.worker import participant
from service_kit.mongo import in_transaction

from tests.integration.ingest.lrs import Json, Lrs, agent, statement, voiding

TARGET: Json = {
    "verb": {"id": "https://example.org/verbs/passed"},
    "object": {"id": "https://example.org/activities/exam"},
    "context": {
        "registration": str(uuid4()),
        "instructor": agent("teacher"),
        "contextActivities": {"grouping": [{"id": "https://example.org/activities/course"}]},
    },
}
QUERIES: list[dict[str, str]] = [
    {"agent": json.dumps(agent("ada"))},
    {"agent": json.dumps(agent("teacher")), "related_agents": "true"},
    {"verb": TARGET["verb"]["id"]},
    {"activity": TARGET["object"]["id"]},
    {"activity": "https://example.org/activities/course", "related_activities": "true"},
    {"registration": TARGET["context"]["registration"]},
    {
        "agent": json.dumps(agent("ada")),
        "verb": TARGET["verb"]["id"],
        "activity": TARGET["object"]["id"],
        "registration": TARGET["context"]["registration"],
    },
]


def pointing(target: str, actor: str = "grace", **parts: Any) -> Json:
    return statement(actor, object={"objectType": "StatementRef", "id": target}, **parts)


async def found(lrs: Lrs) -> list[set[str]]:
    return [set(await lrs.ids(**query)) for query in QUERIES]


class TestTargets:
    @pytest.mark.parametrize("order", ["target first", "target last", "one batch", "one batch, target last"])
    async def test_found_recursively_by_each_filter(self, lrs: Lrs, order: str) -> None:
        exam = statement("ada", **TARGET)
        comment = pointing(exam["id"])
        reply = pointing(comment["id"].upper(), "linus")
        sent = [exam, comment, reply]
        if "target last" in order:
            sent.reverse()
        if "batch" in order:
            assert (await lrs.post(sent)).status_code == 200
        else:
            for one in sent:
                assert (await lrs.post(one)).status_code == 200
        everyone = {one["id"] for one in sent}
        assert await found(lrs) == [everyone] * len(QUERIES)
        assert await lrs.ids(agent=json.dumps(agent("grace"))) != []  # its own too
        assert set(await lrs.ids(agent=json.dumps(agent("linus")))) == {reply["id"]}  # not the other way round
        assert exam["id"] not in await lrs.ids(agent=json.dumps(agent("teacher")))

    async def test_in_between_comes_last(self, lrs: Lrs) -> None:
        exam = statement("ada", **TARGET)
        comment = pointing(exam["id"])
        reply = pointing(comment["id"], "linus")
        for one in (exam, reply, comment):
            await lrs.post(one)
        assert await found(lrs) == [{exam["id"], comment["id"], reply["id"]}] * len(QUERIES)

    async def test_time_and_number_are_the_statements_own(self, lrs: Lrs) -> None:
        exam = statement("ada", **TARGET)
        await lrs.post(exam)
        stored = (await lrs.get(statementId=exam["id"])).json()["stored"]
        comment = pointing(exam["id"])
        await lrs.post(comment)
        assert await lrs.ids(since=stored, **QUERIES[0]) == [comment["id"]]
        assert await lrs.ids(until=stored, **QUERIES[0]) == [exam["id"]]
        assert await lrs.ids(limit=1, **QUERIES[0]) == [comment["id"]]

    async def test_a_voided_target_is_hidden_and_its_targeting_statements_are_not(self, lrs: Lrs) -> None:
        exam = statement("ada", **TARGET)
        comment, void = pointing(exam["id"]), voiding(exam["id"])
        for one in (void, comment, exam):
            assert (await lrs.post(one)).status_code == 200
        assert await found(lrs) == [{comment["id"], void["id"]}] * len(QUERIES)
        assert (await lrs.get(statementId=exam["id"])).status_code == 404
        assert (await lrs.get(voidedStatementId=exam["id"])).status_code == 200

    async def test_what_is_awaited_is_nowhere_to_be_found(self, lrs: Lrs) -> None:
        missing = str(uuid4())
        comment = pointing(missing)
        await lrs.post(comment)
        assert (await lrs.get(statementId=missing)).status_code == 404
        assert (await lrs.get(voidedStatementId=missing)).status_code == 404
        assert await lrs.ids() == [comment["id"]]
        assert await lrs.stored() == 1

    async def test_circles_end(self, lrs: Lrs) -> None:
        one, other = pointing(str(uuid4()), "ada", verb=TARGET["verb"]), pointing(str(uuid4()), "grace")
        one["object"]["id"], other["object"]["id"] = other["id"], one["id"]
        itself = statement("linus")
        itself["object"] = {"objectType": "StatementRef", "id": itself["id"]}
        for sent in (one, other, itself):
            assert (await lrs.post(sent)).status_code == 200
        assert set(await lrs.ids(agent=json.dumps(agent("grace")))) == {one["id"], other["id"]}
        assert set(await lrs.ids(verb=TARGET["verb"]["id"])) == {one["id"], other["id"]}
        assert await lrs.ids(agent=json.dumps(agent("linus"))) == [itself["id"]]

    async def test_neither_context_nor_substatement_target(self, lrs: Lrs) -> None:
        exam = statement("ada", **TARGET)
        reference = {"objectType": "StatementRef", "id": exam["id"]}
        inside = {"objectType": "SubStatement", "actor": agent("grace"), "verb": {"id": "a:b"}, "object": reference}
        await lrs.post([exam, statement("grace", context={"statement": reference}), statement("grace", object=inside)])
        assert await found(lrs) == [{exam["id"]}] * len(QUERIES)

    async def test_all_at_the_same_moment(self, lrs: Lrs) -> None:
        """Whoever comes in between, none is left without the keys."""
        for _ in range(5):
            exam = statement("ada", **TARGET)
            comments = [pointing(exam["id"]) for _ in range(3)]
            replies = [pointing(comment["id"], "linus") for comment in comments]
            sent = [*replies, exam, *comments]
            answers = await asyncio.gather(*(lrs.post(one) for one in sent), lrs.post([exam, *comments]))
            assert {answer.status_code for answer in answers} == {200}
            everyone = {one["id"] for one in sent}
            assert everyone <= set(await lrs.ids(**QUERIES[-1]))
        assert await lrs.stored() == 5 * 7

    async def test_bounds(self, lrs: Lrs, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(targets, "MOST_KEYS", 6)
        monkeypatch.setattr(repository, "MOST_KEYS", 6)
        monkeypatch.setattr(repository, "MOST_PASSED", 5)
        last = str(uuid4())
        for number in range(20):
            sent = pointing(last, f"learner {number}")
            last = sent["id"]
            assert (await lrs.post(sent)).status_code == 200
        documents = await lrs.connections.db["statements"].find({"tenant": lrs.tenant}).to_list(None)
        assert max(len(document["keys"]) for document in documents) == 6
        late = str(uuid4())
        for number in range(10):
            await lrs.post(pointing(late, f"learner {number}"))
        assert (await lrs.post(statement("ada", verb={"id": "a:late"}) | {"id": late})).status_code == 200
        assert len(await lrs.ids(verb="a:late")) == 5

    async def test_the_forgotten_are_forgotten_by_who_targets_them_too(self, lrs: Lrs) -> None:
        ada = await lrs.learner("ada")
        exam = statement("ada", **TARGET)
        comment, reply = pointing(exam["id"]), pointing(str(uuid4()), "linus")
        reply["object"]["id"] = comment["id"]
        await lrs.post([exam, comment, reply])
        c = lrs.connections
        counts = await in_transaction(c.client, lambda session: participant(c).erase(lrs.tenant, ada, session))
        assert counts["statements"] == 1
        left = await lrs.connections.db["statements"].find({"tenant": lrs.tenant}).to_list(None)
        assert {one["_id"].partition("/")[2] for one in left} == {comment["id"], reply["id"]}
        # Whoever comes back under the identifier finds nothing of the forgotten.
        assert await lrs.learner("ada") != ada
        assert await lrs.ids(agent=json.dumps(agent("ada")), related_agents="true") == []
