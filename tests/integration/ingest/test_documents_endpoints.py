"""Documents beyond the standard: tenants, scopes, consent, erasure, limits, and what a read costs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import uuid4

import httpx2
import pytest
from events.payloads import ConsentStatus
from ingest.documents.repository import DOCUMENTS, DocumentRepository
from ingest.documents.writing import LARGEST
from ingest.worker import participant
from service_kit.mongo import in_transaction

from tests.integration.ingest.document_client import (
    RESOURCES,
    Documents,
    activity_profile,
    agent_profile,
    state,
)
from tests.integration.ingest.lrs import Lrs

NEW = {"If-None-Match": "*"}
Make = Callable[[Lrs], Documents]


@pytest.fixture(params=list(RESOURCES))
def documents(request: pytest.FixtureRequest, lrs: Lrs) -> Documents:
    return RESOURCES[request.param](lrs)


class TestAccess:
    async def test_anonymous(self, documents: Documents) -> None:
        nobody = httpx2.BasicAuth("nobody", "secret")
        for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
            assert (await documents.call(method, {}, auth=nobody)).status_code == 401

    async def test_scopes(self, documents: Documents) -> None:
        own, other = ("state", "profile") if documents.name == "stateId" else ("profile", "state")
        for scopes, read, written in (
            (("all",), 200, 204),
            ((own,), 200, 412),
            (("all/read",), 200, 403),
            ((other, "statements/write", "statements/read", "define"), 403, 403),
        ):
            _, auth = await documents.lrs.credential(*scopes)
            assert (await documents.call("PUT", {}, headers=NEW, auth=auth)).status_code == written
            assert (await documents.call("GET", auth=auth, params={documents.name: None})).status_code == read

    async def test_other_tenant(self, documents: Documents) -> None:
        await documents.new({"x": 1})
        other = await documents.lrs.other_tenant()
        assert (await documents.call("GET", auth=other.auth)).status_code == 404
        assert (await documents.call("DELETE", auth=other.auth)).status_code == 204
        assert (await documents.call("PUT", {"x": 2}, headers=NEW, auth=other.auth)).status_code == 204
        assert (await documents.call("GET")).json() == {"x": 1}


class TestLimits:
    async def test_too_large(self, documents: Documents) -> None:
        answer = await documents.call("PUT", b"x" * (LARGEST + 1), "text/plain", headers=NEW)
        assert answer.status_code == 413

    async def test_the_largest(self, documents: Documents) -> None:
        await documents.new(b"x" * LARGEST, "text/plain")

    async def test_names(self, documents: Documents) -> None:
        for name, status in (("", 400), ("x" * 2048, 204), ("x" * 2049, 400)):
            answer = await documents.call("PUT", {}, headers=NEW, params={documents.name: name})
            assert answer.status_code == status

    async def test_media_type(self, documents: Documents) -> None:
        assert (await documents.call("PUT", b"", f"text/{'x' * 300}", headers=NEW)).status_code == 400

    async def test_without_a_media_type_it_is_bytes(self, documents: Documents) -> None:
        assert (await documents.call("PUT", b"x", None, headers=NEW)).status_code == 204
        assert (await documents.call("GET")).headers["Content-Type"] == "application/octet-stream"

    async def test_what_is_given_back_runs_nothing(self, documents: Documents) -> None:
        await documents.new(b"<script>", "text/html")
        headers = (await documents.call("GET")).headers
        assert (headers["Content-Security-Policy"], headers["X-Content-Type-Options"]) == ("sandbox", "nosniff")

    async def test_conditions_go_with_one_document(self, lrs: Lrs) -> None:
        answer = await state(lrs).call("DELETE", headers={"If-Match": "*"}, params={"stateId": None})
        assert answer.status_code == 400


@pytest.mark.parametrize("make", [state, agent_profile])
class TestConsent:
    async def _object(self, lrs: Lrs, status: ConsentStatus | None = ConsentStatus.objected) -> None:
        await lrs.decide(await lrs.learner("ada"), status, version=2)

    async def test_accepted_and_not_stored(self, lrs: Lrs, make: Make) -> None:
        documents = make(lrs)
        await self._object(lrs)
        answer = await documents.call("PUT", {"x": 1}, headers=NEW)
        assert (answer.status_code, answer.headers["Trellis-Not-Recorded"]) == (204, "1")
        assert (await documents.call("GET")).status_code == 404

    async def test_refused_where_policy_says_so(self, lrs: Lrs, make: Make) -> None:
        await lrs.policy(not_recorded="refuse")
        await self._object(lrs)
        assert (await make(lrs).call("POST", {"x": 1})).status_code == 403

    async def test_what_is_there_can_be_read_and_deleted(self, lrs: Lrs, make: Make) -> None:
        documents = make(lrs)
        await documents.new({"x": 1})
        await self._object(lrs)
        assert (await documents.call("POST", {"x": 2})).headers["Trellis-Not-Recorded"] == "1"
        assert (await documents.call("GET")).json() == {"x": 1}
        assert (await documents.call("DELETE")).status_code == 204
        assert (await documents.call("GET")).status_code == 404

    async def test_wrong_input_is_refused_all_the_same(self, lrs: Lrs, make: Make) -> None:
        await self._object(lrs)
        assert (await make(lrs).call("POST", b"{")).status_code == 400

    async def test_policy_unknown(self, lrs: Lrs, make: Make) -> None:
        other = await lrs.other_tenant(policy=False)
        assert (await make(other).call("PUT", {}, headers=NEW)).status_code == 503


async def test_activity_profiles_need_nobodys_leave(lrs: Lrs) -> None:
    other = await lrs.other_tenant(policy=False)
    await activity_profile(other).new({"x": 1})


class TestErasure:
    async def test_documents_of_the_forgotten_go(self, lrs: Lrs) -> None:
        ours = [state(lrs), agent_profile(lrs)]
        others = [state(lrs, "eve"), agent_profile(lrs, "eve"), activity_profile(lrs)]
        for one in (*ours, *others):
            await one.new({"x": 1})
        await ours[0].new({"x": 1}, params={"registration": str(uuid4())})
        ada, part = await lrs.learner("ada"), participant(lrs.connections)
        counts = [
            (await in_transaction(lrs.connections.client, lambda s: part.erase(lrs.tenant, ada, s)))["documents"]
            for _ in range(2)
        ]
        assert counts == [3, 0]
        assert [(await one.call("GET")).status_code for one in (*ours, *others)] == [404, 404, 200, 200, 200]

    async def test_whoever_comes_back_finds_nothing(self, lrs: Lrs) -> None:
        documents = state(lrs)
        await documents.new({"x": 1})
        ada, part = await lrs.learner("ada"), participant(lrs.connections)
        await in_transaction(lrs.connections.client, lambda s: part.erase(lrs.tenant, ada, s))
        await lrs.decide(ada, None, erased=True)
        await documents.new({"x": 2})
        assert (await documents.call("GET")).json() == {"x": 2}
        assert await documents.names() == [documents.params["stateId"]]

    async def test_while_an_erasure_runs_nothing_is_stored(self, lrs: Lrs) -> None:
        documents = state(lrs)
        await lrs.decide(await lrs.learner("ada"), None, erased=True)
        assert (await documents.call("PUT", {"x": 1})).headers["Trellis-Not-Recorded"] == "1"


class TestCost:
    async def test_a_list_reads_the_index_alone(self, lrs: Lrs) -> None:
        documents = state(lrs)
        for name in ("a", "b"):
            await documents.new({}, params={"stateId": name})
        repository = DocumentRepository(lrs.connections.db, lrs.connections.sealer)
        for since in (None, 0):
            told = await repository.listing(f"{lrs.tenant}/", since).explain()
            found = told["executionStats"]
            assert (found["nReturned"], found["totalDocsExamined"]) == (2, 0)
            assert found["totalKeysExamined"] <= 4

    async def test_what_is_stored_names_nobody(self, lrs: Lrs) -> None:
        await state(lrs).new({"x": 1})
        (stored,) = await lrs.connections.db[DOCUMENTS.name].find({"_id": {"$regex": f"^{lrs.tenant}/"}}).to_list(None)
        assert "ada" not in stored["_id"]
        assert set(stored) == {"_id", "bytes", "key", "name", "type", "updated", "revision"}


class TestManyWriters:
    async def test_counting_by_compare_and_set_loses_nothing(self, documents: Documents) -> None:
        await documents.new({"n": 0})

        async def count_once() -> None:
            while True:
                found = await documents.call("GET")
                body = {"n": found.json()["n"] + 1}
                answer = await documents.call("PUT", body, headers={"If-Match": found.headers["ETag"]})
                if answer.status_code == 204:
                    return
                assert answer.status_code == 412

        await asyncio.gather(*(count_once() for _ in range(10)))
        assert (await documents.call("GET")).json() == {"n": 10}

    async def test_one_of_many_deletes_and_creates(self, documents: Documents) -> None:
        seen = {"If-Match": await documents.new({"n": 0})}
        answers = await asyncio.gather(*(documents.call("DELETE", headers=seen) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [204, 412, 412, 412, 412]
