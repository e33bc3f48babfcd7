"""/credentials, /identities and /stats: for people and services with bearer tokens."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from ingest.credentials.verification import Verifier

from tests.integration.ingest.lrs import Lrs, agent, places, statement

NEW = {"name": "moodle", "scopes": ["statements/write"]}


class TestIssue:
    async def test_anonymous(self, lrs: Lrs) -> None:
        assert (await lrs.http.post("/credentials", json=NEW)).status_code == 401

    async def test_missing_role(self, lrs: Lrs) -> None:
        for role in ("app", "service", "dpo", "teacher", "learner"):
            assert (await lrs.http.post("/credentials", json=NEW, headers=lrs.bearer(role))).status_code == 403

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"name": "x"}, "/scopes"),
            ({"name": "", "scopes": ["all"]}, "/name"),
            ({"name": "x", "scopes": []}, "/scopes"),
            ({"name": "x", "scopes": ["statements/delete"]}, "/scopes/0"),
            ({**NEW, "tenant": "other"}, "/tenant"),
            ({**NEW, "name": 7}, "/name"),
        ],
    )
    async def test_invalid(self, lrs: Lrs, body: Any, pointer: str) -> None:
        answer = await lrs.http.post("/credentials", json=body, headers=lrs.bearer("operator"))
        assert answer.status_code == 400
        assert places(answer) == {pointer}

    async def test_happy(self, lrs: Lrs) -> None:
        answer = await lrs.http.post("/credentials", json=NEW, headers=lrs.bearer("operator"))
        assert answer.status_code == 201
        made = answer.json()
        assert made["scopes"] == NEW["scopes"]
        assert len(made["secret"]) >= 43  # 256 bits
        kept = await lrs.connections.db["credentials"].find_one({"_id": made["key"]})
        assert kept is not None
        assert made["secret"] not in str(kept)
        assert kept["digest"] == hashlib.sha256(made["secret"].encode()).hexdigest()


class TestList:
    async def test_anonymous(self, lrs: Lrs) -> None:
        assert (await lrs.http.get("/credentials")).status_code == 401

    async def test_missing_role(self, lrs: Lrs) -> None:
        assert (await lrs.http.get("/credentials", headers=lrs.bearer("app"))).status_code == 403

    async def test_other_tenant(self, lrs: Lrs) -> None:
        other = await lrs.other_tenant()
        listed = await lrs.http.get("/credentials", headers=other.bearer("operator"))
        assert [one["name"] for one in listed.json()["items"]] == ["test"]

    async def test_invalid(self, lrs: Lrs) -> None:
        for params in ({"limit": 0}, {"cursor": "x"}):
            answer = await lrs.http.get("/credentials", params=params, headers=lrs.bearer("operator"))
            assert answer.status_code == 400

    async def test_happy(self, lrs: Lrs) -> None:
        for _ in range(3):
            await lrs.credential("state")
        keys: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            answer = await lrs.http.get("/credentials", params={"limit": "3"} | cursor, headers=lrs.bearer("operator"))
            keys += [one["key"] for one in answer.json()["items"]]
            assert "secret" not in answer.text
            assert "digest" not in answer.text
            if answer.json()["next"] is None:
                break
            cursor = {"cursor": answer.json()["next"]}
        assert len(set(keys)) == len(keys) == 4


class TestRevoke:
    async def test_anonymous(self, lrs: Lrs) -> None:
        assert (await lrs.http.delete("/credentials/x")).status_code == 401

    async def test_missing_role(self, lrs: Lrs) -> None:
        assert (await lrs.http.delete("/credentials/x", headers=lrs.bearer("dpo"))).status_code == 403

    async def test_other_tenant(self, lrs: Lrs) -> None:
        key, auth = await lrs.credential()
        other = await lrs.other_tenant()
        assert (await lrs.http.delete(f"/credentials/{key}", headers=other.bearer("operator"))).status_code == 404
        assert (await lrs.get(auth=auth)).status_code == 200

    async def test_happy(self, lrs: Lrs) -> None:
        key, auth = await lrs.credential()
        assert (await lrs.get(auth=auth)).status_code == 200
        assert (await lrs.http.delete(f"/credentials/{key}", headers=lrs.bearer("operator"))).status_code == 204
        assert (await lrs.get(auth=auth)).status_code == 401
        assert (await lrs.http.delete(f"/credentials/{key}", headers=lrs.bearer("operator"))).status_code == 404

    async def test_elsewhere_within_its_cache_time(self, lrs: Lrs) -> None:
        now = 0.0
        state = lrs.app.state.ingest
        elsewhere = Verifier(state.credentials.known, now=lambda: now)
        key, auth = await lrs.credential()
        header = next(auth.auth_flow(lrs.http.build_request("GET", "/"))).headers["Authorization"]
        assert (await elsewhere.verify(header)).key == key
        await state.credentials.remove(lrs.tenant, key)
        assert (await elsewhere.verify(header)).key == key
        now = 15.0
        with pytest.raises(Exception, match="wrong"):
            await elsewhere.verify(header)


class TestFindOrMakeIdentity:
    async def test_anonymous(self, lrs: Lrs) -> None:
        assert (await lrs.http.post("/identities", json=agent("ada"))).status_code == 401

    async def test_missing_role(self, lrs: Lrs) -> None:
        for role in ("learner", "teacher", "authority", "dpo"):
            answer = await lrs.http.post("/identities", json=agent("ada"), headers=lrs.bearer(role))
            assert answer.status_code == 403

    async def test_other_tenant(self, lrs: Lrs) -> None:
        other = await lrs.other_tenant()
        assert await lrs.learner("ada") != await other.learner("ada")

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({}, ""),
            (7, ""),
            ([], ""),
            ([agent("x")] * 1001, ""),
            ({"mbox": "ada@example.org"}, "/mbox"),
            ({**agent("x"), "colour": "red"}, "/colour"),
            ({"objectType": "Group", "member": [agent("x")]}, ""),
            ([agent("x"), 7], "/1"),
            ([agent("x"), {"mbox": 7}], "/1/mbox"),
        ],
    )
    async def test_invalid(self, lrs: Lrs, body: Any, pointer: str) -> None:
        answer = await lrs.http.post("/identities", json=body, headers=lrs.bearer("app"))
        assert answer.status_code == 400
        assert pointer in places(answer)

    async def test_happy(self, lrs: Lrs) -> None:
        callers = [(lrs.bearer("operator"), 201), (lrs.bearer("app"), 200), (lrs.service("insights"), 200)]
        for headers, status in [*callers, (lrs.service("recommendation"), 403), (lrs.bearer("service"), 403)]:
            answer = await lrs.http.post("/identities", json=agent("ada"), headers=headers)
            assert answer.status_code == status
            if answer.is_error:
                continue
            assert set(answer.json()) == {"learner_id"}
        same = {"objectType": "Agent", "name": "Ada", **agent("ada")}
        assert (await lrs.http.post("/identities", json=same, headers=lrs.bearer("app"))).status_code == 200

    async def test_many(self, lrs: Lrs) -> None:
        ada = await lrs.learner("ada")
        sent = [agent("grace"), agent("ada"), agent("grace")]
        answer = await lrs.http.post("/identities", json=sent, headers=lrs.service("insights"))
        assert answer.status_code == 200
        items = [one["learner_id"] for one in answer.json()["items"]]
        assert items[1] == ada
        assert items[0] == items[2] != ada

    async def test_the_learner_of_statements(self, lrs: Lrs) -> None:
        ada = await lrs.learner("ada")
        await lrs.post([statement("ada"), statement("grace", context={"instructor": agent("teacher")})])
        stored = await lrs.connections.db["statements"].find({"tenant": lrs.tenant}).to_list(None)
        learners = {learner for document in stored for learner in document["learners"]}
        assert learners == {ada, await lrs.learner("grace")}


class TestLookUpIdentity:
    async def test_anonymous(self, lrs: Lrs) -> None:
        assert (await lrs.http.get("/identities", params={"agent": "{}"})).status_code == 401

    async def test_missing_role(self, lrs: Lrs) -> None:
        answer = await lrs.http.get("/identities", params={"agent": "{}"}, headers=lrs.bearer("teacher"))
        assert answer.status_code == 403

    async def test_other_tenant(self, lrs: Lrs) -> None:
        await lrs.learner("ada")
        other = await lrs.other_tenant()
        params = {"agent": json.dumps(agent("ada"))}
        assert (await lrs.http.get("/identities", params=params, headers=other.bearer("app"))).status_code == 404

    async def test_invalid(self, lrs: Lrs) -> None:
        for params in ({}, {"agent": "{"}, {"agent": "7"}, {"agent": '{"mbox": "x"}'}):
            answer = await lrs.http.get("/identities", params=params, headers=lrs.bearer("app"))
            assert answer.status_code == 400
            assert all(place.startswith("query:agent") for place in places(answer))

    async def test_happy(self, lrs: Lrs) -> None:
        params = {"agent": json.dumps(agent("ada"))}
        assert (await lrs.http.get("/identities", params=params, headers=lrs.bearer("app"))).status_code == 404
        ada = await lrs.learner("ada")
        answer = await lrs.http.get("/identities", params=params, headers=lrs.bearer("app"))
        assert answer.json() == {"learner_id": ada}


class TestStats:
    async def test_anonymous(self, lrs: Lrs) -> None:
        assert (await lrs.http.get("/stats")).status_code == 401

    async def test_missing_role(self, lrs: Lrs) -> None:
        assert (await lrs.http.get("/stats", headers=lrs.bearer("app"))).status_code == 403

    async def test_happy(self, lrs: Lrs) -> None:
        await lrs.learner("announced")
        context = {"instructor": agent("teacher")}
        await lrs.post([statement("ada"), statement("ada"), statement("grace", context=context)])
        other = await lrs.other_tenant()
        await other.post(statement())
        answer = await lrs.http.get("/stats", headers=lrs.bearer("operator"))
        assert answer.json() == {"statements": 3, "learners": 3, "outbox": 3}
        await lrs.post(statement("teacher"))  # from now on statements are about the teacher too
        answer = await lrs.http.get("/stats", headers=lrs.bearer("operator"))
        assert answer.json() == {"statements": 4, "learners": 4, "outbox": 4}
