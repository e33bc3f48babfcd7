"""/imports and /exports: for operators, over HTTP."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from events.payloads import ConsentStatus
from ingest.worker import participant
from service_kit.mongo import in_transaction

from tests.integration.ingest.lrs import Json, Lrs, agent, statement, voiding

OLD = {"objectType": "Agent", "account": {"homePage": "https://old.example", "name": "lms"}}

PROGRESS = {"source": "https://old.example/xapi", "place": "2020-01-01T00:00:00Z", "accepted": 3}


def old(actor: str = "ada", **parts: Any) -> Json:
    """A statement as another LRS gives it."""
    return statement(actor, stored="2020-01-02T03:04:05.678Z", authority=OLD, version="1.0.0", **parts)


async def imported(lrs: Lrs, *lines: Json | bytes, role: str = "operator") -> Json:
    body = b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines)
    answer = await lrs.http.post("/imports/statements", content=body, headers=lrs.bearer(role))
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def exported(lrs: Lrs, **params: str) -> list[Json]:
    """The lines of an export that is whole."""
    answer = await lrs.http.get("/exports/statements", params=params, headers=lrs.bearer("operator"))
    assert answer.status_code == 200, answer.text
    *lines, summary = [json.loads(line) for line in answer.text.splitlines()]
    assert summary["summary"]["lines"] == len(lines)
    return lines


def ids(lines: list[Json]) -> list[str]:
    return [line["statement"]["id"] for line in lines]


class TestTakeStatements:
    async def test_anonymous(self, lrs: Lrs) -> None:
        assert (await lrs.http.post("/imports/statements", content=b"{}")).status_code == 401
        assert (await lrs.http.post("/imports/statements", content=b"{}", auth=lrs.auth)).status_code == 401

    async def test_missing_role(self, lrs: Lrs) -> None:
        for role in ("dpo", "app", "teacher", "service"):
            answer = await lrs.http.post("/imports/statements", content=b"{}", headers=lrs.bearer(role))
            assert answer.status_code == 403

    async def test_other_tenant(self, lrs: Lrs) -> None:
        other = await lrs.other_tenant()
        one = old()
        await imported(lrs, one)
        assert ids(await exported(other)) == []
        assert await other.ids() == []

    async def test_invalid_lines_are_set_apart(self, lrs: Lrs) -> None:
        good, twice = old(), old()
        wrong = old(verb={"id": "not an iri"})
        differs = {**twice, "verb": {"id": "https://example.org/verbs/other"}}
        answer = await imported(lrs, good, wrong, b"no json", b'{"id":1,"id":2}', twice, twice, differs, b"7")
        assert answer["accepted"] == 3
        assert {one["line"]: one["pointer"] for one in answer["rejected"]} == {
            1: "/verb/id",
            2: "",
            3: "/id",
            6: "/verb/id",
            7: "",
        }
        assert set(await lrs.ids()) == {good["id"], twice["id"]}

    async def test_conflicts_are_set_apart(self, lrs: Lrs) -> None:
        held, new = old(), old()
        await imported(lrs, held)
        answer = await imported(lrs, {**held, "verb": {"id": "https://example.org/verbs/other"}}, new, held)
        # the third line repeats the id of the first, and differs from it
        assert (answer["accepted"], [one["line"] for one in answer["rejected"]]) == (1, [0, 2])
        assert (await imported(lrs, held, new))["accepted"] == 2
        assert await lrs.stored() == 2

    async def test_learners_who_do_not_allow_it(self, lrs: Lrs) -> None:
        await lrs.decide(await lrs.learner("eve"), ConsentStatus.withdrawn)
        answer = await imported(lrs, old("ada"), old("eve"))
        assert (answer["accepted"], answer["not_recorded"], answer["rejected"]) == (1, 1, [])
        await lrs.policy(not_recorded="refuse")
        answer = await imported(lrs, old("ada"), old("eve"))
        assert (answer["accepted"], answer["not_recorded"]) == (1, 0)
        assert [one["line"] for one in answer["rejected"]] == [1]

    async def test_many_lines(self, lrs: Lrs) -> None:
        headers = lrs.bearer("operator")
        answer = await lrs.http.post("/imports/statements", content=b"{}\n" * 1001, headers=headers)
        assert answer.status_code == 400

    async def test_both_dialects(self, lrs: Lrs) -> None:
        other_agents = [{"objectType": "contextAgent", "agent": agent("grace")}]
        second = {**old(context={"contextAgents": other_agents}), "version": "2.0.0"}
        answer = await imported(lrs, old(), second, {**second, "id": str(uuid4()), "version": "1.0.3"})
        assert answer["accepted"] == 2
        assert [one["line"] for one in answer["rejected"]] == [2]

    async def test_what_emitters_sent_beyond_the_standard(self, lrs: Lrs) -> None:
        """It was taken once, and is nowhere else: an export goes in again whole, as it was."""
        several = {**old()["object"], "objectType": "GroupActivity"}
        compound = {**old()["object"], "definition": {"interactionType": "compound"}}
        pointless = {"score": {"raw": 0, "min": 0, "max": 0}}
        sent = [old(object=several), old(object=compound), old(result=pointless)]
        answer = await imported(lrs, *sent, old(object={**several, "objectType": "Other"}))
        assert (answer["accepted"], [one["line"] for one in answer["rejected"]]) == (3, [3])
        lines = await exported(lrs)
        assert [line["statement"]["object"] for line in lines] == [one["object"] for one in sent]
        assert [line["statement"].get("result") for line in lines] == [one.get("result") for one in sent]
        assert (await imported(lrs, *lines))["rejected"] == []

    async def test_provenance(self, lrs: Lrs) -> None:
        one = old()
        await imported(lrs, one)
        served = (await lrs.get(statementId=one["id"])).json()
        assert served["stored"] > "2026"
        assert served["authority"]["account"]["name"] == "imports"
        (line,) = await exported(lrs)
        assert line["statement"] == served
        assert line["stored"] == served["stored"]
        assert line["provenance"] == {"stored": one["stored"], "authority": OLD}

    async def test_who_vouched_is_forgotten_too(self, lrs: Lrs) -> None:
        """Found though the statement itself names someone else alone; and by no query."""
        vouched = {**old("bob"), "authority": {"objectType": "Agent", **agent("ada")}}
        own = old("ada")
        await imported(lrs, vouched, own)
        assert await lrs.ids(agent=json.dumps(agent("ada")), related_agents="true") == [own["id"]]
        learner = await lrs.learner("ada")
        erasing = participant(lrs.connections)
        await in_transaction(lrs.connections.client, lambda session: erasing.erase(lrs.tenant, learner, session))
        (line,) = await exported(lrs)
        assert line["statement"]["id"] == vouched["id"]
        assert line["statement"]["actor"]["account"]["name"] == "bob"
        assert line["provenance"]["stored"] == vouched["stored"]
        assert line["provenance"]["authority"]["account"]["homePage"] == "https://trellis.invalid/erased"

    async def test_provenance_goes_round(self, lrs: Lrs) -> None:
        """What an export gives, an import takes; the first provenance stays."""
        imports, own = old(), statement()
        await imported(lrs, imports)
        await lrs.post(own)
        lines = await exported(lrs)
        other = await lrs.other_tenant()
        await imported(other, *lines)
        first, second = await exported(other)
        assert first["provenance"] == {"stored": imports["stored"], "authority": OLD}
        assert second["provenance"] == {name: lines[1]["statement"][name] for name in ("stored", "authority")}


class TestProgress:
    async def test_missing_role(self, lrs: Lrs) -> None:
        for method in ("GET", "PUT", "DELETE"):
            assert (await lrs.http.request(method, "/imports/a", headers=lrs.bearer("dpo"))).status_code == 403

    async def test_other_tenant(self, lrs: Lrs) -> None:
        await lrs.http.put("/imports/a", json=PROGRESS, headers=lrs.bearer("operator"))
        other = await lrs.other_tenant()
        headers = other.bearer("operator")
        assert (await lrs.http.get("/imports/a", headers=headers)).status_code == 404
        assert (await lrs.http.delete("/imports/a", headers=headers)).status_code == 404
        assert (await lrs.http.get("/imports", headers=headers)).json()["items"] == []

    async def test_invalid(self, lrs: Lrs) -> None:
        headers = lrs.bearer("operator")
        assert (await lrs.http.put("/imports/A_B", json=PROGRESS, headers=headers)).status_code == 400
        assert (await lrs.http.put("/imports/a", json={"accepted": -1}, headers=headers)).status_code == 400

    async def test_happy(self, lrs: Lrs) -> None:
        headers = lrs.bearer("operator")
        assert (await lrs.http.get("/imports/a", headers=headers)).status_code == 404
        for name in ("a", "b"):
            kept = await lrs.http.put(f"/imports/{name}", json=PROGRESS, headers=headers)
            assert kept.json()["place"] == PROGRESS["place"]
        first = (await lrs.http.get("/imports", params={"limit": 1}, headers=headers)).json()
        rest = (await lrs.http.get("/imports", params={"cursor": first["next"]}, headers=headers)).json()
        assert [one["id"] for one in first["items"] + rest["items"]] == ["a", "b"]
        assert (await lrs.http.delete("/imports/a", headers=headers)).status_code == 204
        assert (await lrs.http.get("/imports/a", headers=headers)).status_code == 404


class TestExportStatements:
    async def test_anonymous(self, lrs: Lrs) -> None:
        assert (await lrs.http.get("/exports/statements")).status_code == 401

    async def test_missing_role_or_scope(self, lrs: Lrs) -> None:
        for role in ("app", "teacher", "learner", "service"):
            assert (await lrs.http.get("/exports/statements", headers=lrs.bearer(role))).status_code == 403
        for scope in ("statements/read", "statements/read/mine", "statements/write"):
            _, auth = await lrs.credential(scope)
            assert (await lrs.http.get("/exports/statements", auth=auth)).status_code == 403

    async def test_who_may(self, lrs: Lrs) -> None:
        _, auth = await lrs.credential("all/read")
        assert (await lrs.http.get("/exports/statements", auth=auth)).status_code == 200
        assert (await lrs.http.get("/exports/statements", headers=lrs.bearer("dpo"))).status_code == 200

    async def test_other_tenant(self, lrs: Lrs) -> None:
        await lrs.post(statement())
        assert await exported(await lrs.other_tenant()) == []

    @pytest.mark.parametrize(
        "params",
        [
            {"limit": "3"},
            {"format": "ids"},
            {"statementId": str(uuid4())},
            {"since": "yesterday"},
            {"agent": "{}"},
            {"cursor": "x"},
            {"cursor": f"2026-99-01T00:00:00.000000Z/{uuid4()}"},
        ],
    )
    async def test_invalid(self, lrs: Lrs, params: dict[str, str]) -> None:
        answer = await lrs.http.get("/exports/statements", params=params, headers=lrs.bearer("operator"))
        assert answer.status_code == 400, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"

    async def test_filters(self, lrs: Lrs) -> None:
        ada = statement("ada")
        bob = statement("bob", verb={"id": "https://example.org/verbs/saw"}, context={"registration": str(uuid4())})
        await lrs.post([ada, bob])
        assert ids(await exported(lrs)) == [ada["id"], bob["id"]]
        assert ids(await exported(lrs, agent=json.dumps(agent("ada")))) == [ada["id"]]
        assert ids(await exported(lrs, agent=json.dumps(agent("nobody")))) == []
        assert ids(await exported(lrs, verb=bob["verb"]["id"])) == [bob["id"]]
        assert ids(await exported(lrs, registration=bob["context"]["registration"])) == [bob["id"]]
        assert len(await exported(lrs, activity=ada["object"]["id"])) == 2
        stored = (await lrs.get(statementId=ada["id"])).json()["stored"]
        assert ids(await exported(lrs, since=stored)) == [bob["id"]]
        assert ids(await exported(lrs, until=stored)) == [ada["id"]]

    async def test_goes_on_behind_any_line(self, lrs: Lrs) -> None:
        """Over the end of a page, in the order of `stored`, each statement once."""
        sent = [statement() for _ in range(450)]
        await lrs.post(sent)
        lines = await exported(lrs)
        assert ids(lines) == [one["id"] for one in sent]
        for index in (0, 199, 200, 449):
            line = lines[index]
            cursor = f"{line['stored']}/{line['statement']['id']}"
            assert await exported(lrs, cursor=cursor) == lines[index + 1 :]

    async def test_exactness(self, lrs: Lrs) -> None:
        body = json.dumps(statement(result={"extensions": {"https://e.org/x": 7}})).replace(": 7", ": 1.10e+2")
        await imported(lrs, body.encode())
        answer = await lrs.http.get("/exports/statements", headers=lrs.bearer("operator"))
        assert b"1.10e+2" in answer.content

    async def test_what_is_voided_comes_before_what_voids_it(self, lrs: Lrs) -> None:
        one = statement()
        await lrs.post(one)
        void = voiding(one["id"])
        await lrs.post(void)
        lines = await exported(lrs)
        assert [(line["statement"]["id"], line.get("voided", False)) for line in lines] == [
            (one["id"], True),
            (void["id"], False),
        ]
        other = await lrs.other_tenant()
        await imported(other, *lines)
        assert (await other.get(voidedStatementId=one["id"])).status_code == 200
        assert await other.ids() == [void["id"]]
