"""POST, PUT and GET /xapi/statements."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from service_kit.settings import HttpSettings

from tests.integration.ingest.lrs import STATEMENTS, Lrs, agent, places, statement, voiding

ATTACHMENT = {
    "usageType": "https://example.org/usage/photo",
    "display": {"en": "A photo"},
    "contentType": "image/png",
    "length": 3,
    "sha2": "a" * 64,
}


def problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    assert document["type"].startswith("https://trellis.invalid/problems/")
    return document


def pointers(answer: httpx2.Response, status: int = 400) -> set[str]:
    problem(answer, status)
    return places(answer)


BAD_STATEMENTS = [
    pytest.param(b"{", "", id="no JSON"),
    pytest.param(b"", "", id="no body"),
    pytest.param(b"[]", "", id="empty batch"),
    pytest.param(b"7", "", id="a number"),
    pytest.param({**statement(), "verb": {"id": "no iri"}}, "/verb/id", id="wrong format"),
    pytest.param({**statement(), "object": {"id": 7}}, "/object/id", id="wrong type"),
    pytest.param({**statement(), "colour": "red"}, "/colour", id="unknown property"),
    pytest.param({**statement(), "result": {"score": {"scaled": 2}}}, "/result/score/scaled", id="out of range"),
    pytest.param({**statement(), "actor": None}, "/actor", id="null"),
    pytest.param({**statement(), "id": "17"}, "/id", id="id no UUID"),
    pytest.param({**statement(), "timestamp": "yesterday"}, "/timestamp", id="no time stamp"),
    pytest.param({**statement(), "attachments": [ATTACHMENT]}, "/attachments/0/fileUrl", id="attachment with data"),
    pytest.param([statement(), {**statement(), "verb": {}}], "/1/verb/id", id="second of a batch"),
    pytest.param([statement(), 7], "/1", id="a number in a batch"),
]


class TestPost:
    async def test_anonymous(self, lrs: Lrs) -> None:
        answer = await lrs.post(statement(), auth=None)
        problem(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")

    async def test_wrong_secret(self, lrs: Lrs) -> None:
        key, _ = await lrs.credential()
        problem(await lrs.post(statement(), auth=httpx2.BasicAuth(key, "guess")), 401)
        problem(await lrs.post(statement(), auth=httpx2.BasicAuth("nobody", "guess")), 401)
        problem(await lrs.post(statement(), auth=None, headers={"Authorization": "Basic %%%"}), 401)

    async def test_missing_scope(self, lrs: Lrs) -> None:
        _, reader = await lrs.credential("all/read")
        problem(await lrs.post(statement(), auth=reader), 403)
        assert await lrs.stored() == 0

    async def test_other_tenant(self, lrs: Lrs) -> None:
        other = await lrs.other_tenant()
        mine = statement()
        await lrs.post(mine)
        changed = {**mine, "actor": agent("someone else")}
        assert (await other.post(changed)).json() == [mine["id"]]  # the same id: no conflict between tenants
        assert (await lrs.get(statementId=mine["id"])).json()["actor"] == mine["actor"]
        assert (await other.get(statementId=mine["id"])).json()["actor"] == changed["actor"]

    @pytest.mark.parametrize(("body", "pointer"), BAD_STATEMENTS)
    async def test_invalid(self, lrs: Lrs, body: Any, pointer: str) -> None:
        assert pointer in pointers(await lrs.post(body))
        assert await lrs.stored() == 0

    async def test_no_version(self, lrs: Lrs) -> None:
        answer = await lrs.http.post(STATEMENTS, json=statement(), auth=lrs.auth)
        assert pointers(answer) == {"header:X-Experience-API-Version"}
        assert answer.headers["X-Experience-API-Version"] == "0.9"
        problem(await lrs.post(statement(), headers={"X-Experience-API-Version": "0.95"}), 400)

    async def test_unknown_parameter(self, lrs: Lrs) -> None:
        assert pointers(await lrs.post(statement(), params={"colour": "red"})) == {"query:colour"}
        assert "alternate request syntax" in (await lrs.post(statement(), params={"method": "PUT"})).json()["detail"]

    @pytest.mark.parametrize("media_type", ["text/plain", "multipart/form-data", "application/octet-stream"])
    async def test_wrong_media_type(self, lrs: Lrs, media_type: str) -> None:
        answer = await lrs.post(statement(), headers={"Content-Type": media_type})
        assert pointers(answer) == {"header:Content-Type"}

    async def test_over_the_limit(self, lrs: Lrs) -> None:
        limit = HttpSettings().body_limit_bytes
        answer = await lrs.post(b" " * (limit + 1))
        problem(answer, 413)
        assert answer.headers["X-Experience-API-Version"] == "1.0.3"

    async def test_one(self, lrs: Lrs) -> None:
        sent = statement(result={"score": {"raw": 1.0, "max": 10}, "response": "ü\u2028"})
        answer = await lrs.post(sent)
        assert (answer.status_code, answer.json()) == (200, [sent["id"]])
        assert answer.headers["X-Experience-API-Version"] == "1.0.3"
        kept = (await lrs.get(statementId=sent["id"])).json()
        assert {name: kept[name] for name in sent} == sent
        assert kept["stored"] == kept["timestamp"]
        assert kept["version"] == "1.0.0"
        assert kept["authority"]["account"]["homePage"] == "https://trellis.invalid/credentials"

    async def test_ids_are_made(self, lrs: Lrs) -> None:
        sent = [statement(), statement()]
        for one in sent:
            del one["id"]
        made = (await lrs.post(sent)).json()
        assert [UUID(one).version for one in made] == [7, 7]
        assert sorted(await lrs.ids()) == sorted(made)

    async def test_batch_keeps_its_order(self, lrs: Lrs) -> None:
        sent = [statement(f"learner {n}") for n in range(50)]
        assert (await lrs.post(sent)).json() == [one["id"] for one in sent]
        assert await lrs.ids(ascending="true") == [one["id"] for one in sent]  # stored rises within the batch
        assert await lrs.ids() == [one["id"] for one in reversed(sent)]

    async def test_authority_is_ours(self, lrs: Lrs) -> None:
        key, auth = await lrs.credential("all")
        sent = statement(authority={"mbox": "mailto:boss@example.org"}, stored="2001-01-01T00:00:00Z")
        await lrs.post(sent, auth=auth)
        kept = (await lrs.get(statementId=sent["id"])).json()
        assert kept["authority"]["account"]["name"] == key
        assert kept["stored"] > "2026"

    async def test_the_same_again(self, lrs: Lrs) -> None:
        sent = statement()
        for _ in range(2):
            assert (await lrs.post(sent)).json() == [sent["id"]]
        new = statement()
        assert (await lrs.post([new, sent])).json() == [new["id"], sent["id"]]
        assert sorted(await lrs.ids()) == sorted([sent["id"], new["id"]])

    async def test_conflict_names_the_place(self, lrs: Lrs) -> None:
        sent, new = statement(), statement()
        await lrs.post(sent)
        other = {**sent, "actor": agent("grace")}
        assert pointers(await lrs.post(other), 409) == {"/actor/account/name"}
        answer = await lrs.post([new, other])
        assert pointers(answer, 409) == {"/1/actor/account/name"}
        assert answer.json()["errors"][0]["index"] == 1
        assert await lrs.ids() == [sent["id"]]

    async def test_id_twice_in_a_batch(self, lrs: Lrs) -> None:
        sent = statement()
        assert pointers(await lrs.post([sent, statement(), sent])) == {"/2/id"}
        assert await lrs.stored() == 0

    async def test_both_dialects(self, lrs: Lrs) -> None:
        context_agents = [{"objectType": "contextAgent", "agent": agent("peer")}]
        sent = statement(context={"contextAgents": context_agents})
        assert "/context/contextAgents" in pointers(await lrs.post(sent))
        lrs.version = "2.0.0"
        answer = await lrs.post(sent)
        assert answer.headers["X-Experience-API-Version"] == "2.0.0"
        assert (await lrs.get(statementId=sent["id"])).json()["version"] == "2.0.0"

    async def test_attachments_elsewhere_are_taken(self, lrs: Lrs) -> None:
        sent = statement(attachments=[{**ATTACHMENT, "fileUrl": "https://example.org/photo.png"}])
        assert (await lrs.post(sent)).status_code == 200


class TestPut:
    async def test_anonymous(self, lrs: Lrs) -> None:
        problem(await lrs.put(statement(), auth=None), 401)

    async def test_missing_scope(self, lrs: Lrs) -> None:
        _, reader = await lrs.credential("statements/read")
        problem(await lrs.put(statement(), auth=reader), 403)

    async def test_other_tenant(self, lrs: Lrs) -> None:
        sent = statement()
        await lrs.put(sent)
        other = await lrs.other_tenant()
        assert (await other.put({**sent, "actor": agent("x")})).status_code == 204

    async def test_invalid(self, lrs: Lrs) -> None:
        sent = statement()
        assert pointers(await lrs.put(sent, "17")) == {"query:statementId"}
        assert pointers(await lrs.put(sent, str(uuid4()))) == {"/id"}
        assert pointers(await lrs.put(sent, params={"format": "ids"})) == {"query:format"}
        answer = await lrs.http.put(STATEMENTS, json=sent, headers={"X-Experience-API-Version": "1.0.3"}, auth=lrs.auth)
        assert pointers(answer) == {"query:statementId"}
        params, headers = {"statementId": sent["id"]}, {"X-Experience-API-Version": "1.0.3"}
        answer = await lrs.http.put(STATEMENTS, json=[sent], params=params, headers=headers, auth=lrs.auth)
        assert pointers(answer) == {""}
        assert await lrs.stored() == 0

    async def test_happy(self, lrs: Lrs) -> None:
        sent = statement()
        wanted = sent.pop("id").upper()
        answer = await lrs.put(sent, wanted)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["X-Experience-API-Version"] == "1.0.3"
        assert (await lrs.put(sent, wanted)).status_code == 204
        assert pointers(await lrs.put({**sent, "actor": agent("x")}, wanted), 409) == {"/actor/account/name"}
        assert (await lrs.get(statementId=wanted.lower())).status_code == 200


class TestGet:
    async def test_anonymous(self, lrs: Lrs) -> None:
        problem(await lrs.get(auth=None), 401)

    async def test_missing_scope(self, lrs: Lrs) -> None:
        _, writer = await lrs.credential("statements/write")
        problem(await lrs.get(auth=writer), 403)

    async def test_only_mine(self, lrs: Lrs) -> None:
        _, both = await lrs.credential("statements/write", "statements/read/mine")
        theirs, mine = statement(), statement()
        await lrs.post(theirs)
        await lrs.post(mine, auth=both)
        assert await lrs.ids(auth=both) == [mine["id"]]
        problem(await lrs.get(statementId=theirs["id"], auth=both), 404)
        assert (await lrs.get(statementId=mine["id"], auth=both)).status_code == 200

    async def test_other_tenant(self, lrs: Lrs) -> None:
        sent = statement()
        await lrs.post(sent)
        other = await lrs.other_tenant()
        problem(await other.get(statementId=sent["id"]), 404)
        assert await other.ids() == []
        assert await other.ids(agent=json.dumps(sent["actor"])) == []
        first = (await lrs.get(limit=1)).json()
        assert first["more"] == ""

    @pytest.mark.parametrize(
        ("params", "pointer"),
        [
            ({"colour": "red"}, "query:colour"),
            ({"Agent": "{}"}, "query:Agent"),
            ({"agent": "{"}, "query:agent"),
            ({"agent": '{"mbox": 7}'}, "query:agent/mbox"),
            ({"statementId": "17"}, "query:statementId"),
            ({"statementId": str(uuid4()), "verb": "https://example.org/v"}, "query:verb"),
            ({"statementId": str(uuid4()), "voidedStatementId": str(uuid4())}, "query:voidedStatementId"),
            ({"limit": "-1"}, "query:limit"),
            ({"since": "yesterday"}, "query:since"),
            ({"format": "pretty"}, "query:format"),
            ({"ascending": "1"}, "query:ascending"),
            ({"attachments": "perhaps"}, "query:attachments"),
            ({"more": "x"}, "query:more"),
            ({"more": "WzEsMiwzXQ"}, "query:more"),
            ({"more": "x", "limit": "1"}, "query:more"),
        ],
    )
    async def test_invalid(self, lrs: Lrs, params: dict[str, str], pointer: str) -> None:
        assert pointer in pointers(await lrs.get(**params))

    async def test_by_id(self, lrs: Lrs) -> None:
        sent = statement()
        await lrs.post(sent)
        answer = await lrs.get(statementId=sent["id"].upper())
        assert answer.json()["id"] == sent["id"]
        async with asyncio.timeout(5):
            while answer.headers["X-Experience-API-Consistent-Through"] < answer.json()["stored"]:
                answer = await lrs.get(statementId=sent["id"])
        problem(await lrs.get(statementId=str(uuid4())), 404)

    async def test_head(self, lrs: Lrs) -> None:
        sent = statement()
        await lrs.post(sent)
        options: dict[str, Any] = {"auth": lrs.auth, "headers": {"X-Experience-API-Version": "1.0.3"}}
        answer = await lrs.http.head(STATEMENTS, params={"statementId": sent["id"]}, **options)
        assert answer.status_code == 200
        assert "X-Experience-API-Consistent-Through" in answer.headers
        assert (await lrs.http.head(STATEMENTS, params={"statementId": str(uuid4())}, **options)).status_code == 404

    async def test_filters(self, lrs: Lrs) -> None:
        registration = str(uuid4())
        course = {"id": "https://example.org/courses/1"}
        by_verb = statement("ada", verb={"id": "https://example.org/verbs/read"})
        by_object = statement("ada", object={"id": "https://example.org/activities/2"})
        by_context = statement(
            "grace",
            context={
                "registration": registration.upper(),
                "contextActivities": {"parent": course},
                "instructor": agent("teacher"),
            },
        )
        about_ada = statement("grace", object={**agent("ada"), "objectType": "Agent"})
        await lrs.post([by_verb, by_object, by_context, about_ada])

        async def found(**params: Any) -> list[str]:
            return await lrs.ids(ascending="true", **params)

        ada, teacher = json.dumps(agent("ada")), json.dumps(agent("teacher"))
        assert await found(verb="https://example.org/verbs/read") == [by_verb["id"]]
        assert await found(activity="https://example.org/activities/2") == [by_object["id"]]
        assert await found(activity=course["id"]) == []
        assert await found(activity=course["id"], related_activities="true") == [by_context["id"]]
        assert await found(registration=registration) == [by_context["id"]]
        assert await found(agent=ada) == [by_verb["id"], by_object["id"], about_ada["id"]]
        assert await found(agent=ada, verb="https://example.org/verbs/read") == [by_verb["id"]]
        assert await found(agent=teacher) == []
        assert await found(agent=teacher, related_agents="true") == [by_context["id"]]
        assert await found(agent=json.dumps(agent("nobody"))) == []

    async def test_group_members_are_found(self, lrs: Lrs) -> None:
        group = {"objectType": "Group", "member": [agent("ada"), agent("grace")]}
        sent = statement(actor="x", context={"registration": str(uuid4())}) | {"actor": group}
        await lrs.post(sent)
        assert await lrs.ids(agent=json.dumps(agent("grace"))) == [sent["id"]]

    async def test_since_and_until(self, lrs: Lrs) -> None:
        sent = [statement() for _ in range(5)]
        await lrs.post(sent)
        stored = [one["stored"] for one in (await lrs.get(ascending="true")).json()["statements"]]
        assert await lrs.ids(ascending="true", since=stored[1], until=stored[3]) == [sent[2]["id"], sent[3]["id"]]
        assert await lrs.ids(since=stored[4]) == []

    async def test_formats(self, lrs: Lrs) -> None:
        verb = {"id": "https://example.org/verbs/read", "display": {"en": "read", "de": "las"}}
        sent = statement(verb=verb, actor_name="") | {"actor": {**agent("ada"), "name": "Ada"}}
        del sent["actor_name"]
        await lrs.post(sent)
        ids = (await lrs.get(statementId=sent["id"], format="ids")).json()
        assert ids["verb"] == {"id": verb["id"]}
        assert "name" not in ids["actor"]
        headers = {"Accept-Language": "de"}
        canonical = (await lrs.get(format="canonical", headers=headers)).json()["statements"][0]
        assert canonical["verb"]["display"] == {"de": "las"}
        assert (await lrs.get(statementId=sent["id"])).json()["verb"] == verb

    async def test_pages(self, lrs: Lrs) -> None:
        sent = [statement(f"learner {n % 3}") for n in range(25)]
        await lrs.post(sent)
        ids = [one["id"] for one in sent]
        for limit in (1, 7, 24, 25, 26):
            assert await lrs.walk(limit=limit, ascending="true") == ids
            assert await lrs.walk(limit=limit) == ids[::-1]
        first = (await lrs.get(limit=2, agent=json.dumps(agent("learner 1")))).json()
        assert first["more"].startswith("/xapi/statements?more=")
        assert await lrs.walk(limit=2, agent=json.dumps(agent("learner 1")), ascending="true") == ids[1::3]

    async def test_limit_zero_is_the_most(self, lrs: Lrs) -> None:
        await lrs.post([statement() for _ in range(510)])
        answer = (await lrs.get(limit=0)).json()
        assert len(answer["statements"]) == 500
        assert answer["more"]
        assert len(set(await lrs.walk(limit=100_000))) == 510


class TestVoiding:
    async def test_hides_the_target(self, lrs: Lrs) -> None:
        sent = statement()
        await lrs.post(sent)
        void = voiding(sent["id"])
        assert (await lrs.post(void)).status_code == 200
        problem(await lrs.get(statementId=sent["id"]), 404)
        assert (await lrs.get(voidedStatementId=sent["id"])).json()["id"] == sent["id"]
        problem(await lrs.get(voidedStatementId=void["id"]), 404)
        assert await lrs.ids() == [void["id"]]

    async def test_before_its_target(self, lrs: Lrs) -> None:
        sent = statement()
        void = voiding(sent["id"].upper())
        assert (await lrs.post(void)).status_code == 200
        problem(await lrs.get(statementId=sent["id"]), 404)
        problem(await lrs.get(voidedStatementId=sent["id"]), 404)
        assert await lrs.stored() == 1
        for _ in range(2):
            assert (await lrs.post(sent)).json() == [sent["id"]]
        assert (await lrs.get(voidedStatementId=sent["id"])).status_code == 200
        assert await lrs.ids() == [void["id"]]
        problem(await lrs.post({**sent, "actor": agent("x")}), 409)

    async def test_within_a_batch(self, lrs: Lrs) -> None:
        before, after, late = statement(), statement(), statement()
        await lrs.post(voiding(late["id"]))
        batch = [before, voiding(before["id"]), voiding(after["id"]), after, late]
        assert (await lrs.post(batch)).status_code == 200
        for one in (before, after, late):
            assert (await lrs.get(voidedStatementId=one["id"])).status_code == 200
        assert await lrs.stored() == 6

    async def test_a_voiding_cannot_be_voided(self, lrs: Lrs) -> None:
        first = voiding(str(uuid4()))
        await lrs.post(first)
        await lrs.post(voiding(first["id"]))
        assert (await lrs.get(statementId=first["id"])).status_code == 200
        late = voiding(str(uuid4()))
        await lrs.post(voiding(late["id"]))
        await lrs.post(late)
        assert (await lrs.get(statementId=late["id"])).status_code == 200

    async def test_of_another_tenant_voids_nothing(self, lrs: Lrs) -> None:
        sent = statement()
        await lrs.post(sent)
        other = await lrs.other_tenant()
        await other.post(voiding(sent["id"]))
        assert (await lrs.get(statementId=sent["id"])).status_code == 200


class TestAbout:
    async def test_is_open(self, lrs: Lrs) -> None:
        answer = await lrs.http.get("/xapi/about")
        assert answer.status_code == 200
        assert {"1.0.3", "2.0.0"} <= set(answer.json()["version"])
        assert answer.headers["X-Experience-API-Version"] == "2.0.0"
        assert (await lrs.http.head("/xapi/about")).status_code == 200
