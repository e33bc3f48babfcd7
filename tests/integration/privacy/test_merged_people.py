"""One person by several learners: decisions, guardians, requests and erasures are the person's."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from events import topics
from events.envelope import Message
from events.payloads import IdentityMerge
from privacy.merges.handlers import MergeHandler
from privacy.service import SERVICE
from privacy.state import State
from service_kit.mongo import in_transaction
from service_kit.runtime import connections
from service_kit.settings import ServiceSettings

from tests.integration.privacy.conftest import Caller, policy

pytestmark = pytest.mark.asyncio(loop_scope="module")

assert SERVICE.name == "privacy"


class Person:
    """A person's two learners, and what ingest says of them."""

    def __init__(self, call: Caller, settings: ServiceSettings) -> None:
        self.call, self.settings = call, settings
        self.a, self.b = str(uuid4()), str(uuid4())
        self._version = 0

    async def merge(self, into: str | None = "") -> None:
        self._version += 1
        said = IdentityMerge(version=self._version, into=self.a if into == "" else into)
        async with connections("privacy", self.settings) as c:
            message = Message(topics.MERGES, 0, 0, self.call.tenant, self.b, "1", c.clock(), None, said)
            handler = MergeHandler(State.of(c), lambda: None)
            await in_transaction(c.client, lambda session: handler.handle([message], session))

    async def decides(self, learner: str, status: str, purpose: str = "research") -> None:
        path = f"/consents/{learner}/{purpose}"
        answer = await self.call("PUT", path, "learner", learner=learner, body={"status": status})
        assert answer.status_code == 202, answer.text

    async def purpose(self, learner: str, purpose: str = "research") -> dict[str, Any]:
        answer = await self.call("GET", f"/consents/{learner}", "learner", learner=learner)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["purposes"][purpose]
        return found

    async def erasure(self, learner: str) -> list[dict[str, Any]]:
        made = await self.call("POST", "/requests", "dpo", body={"type": "erasure", "learner_id": learner})
        assert (made.status_code, made.json()["status"]) == (202, "running")
        return await self.requests()

    async def requests(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self.call("GET", "/requests", "dpo")).json()["items"]
        return items


@pytest_asyncio.fixture(loop_scope="module")
async def person(call: Caller, settings: ServiceSettings) -> Person:
    made = await call("PUT", "/policy", "dpo", body=policy(research=("consent", "denied")))
    assert made.is_success, made.text
    return Person(call, settings)


async def test_the_stricter_decision_holds_until_the_person_decides_anew(person: Person) -> None:
    await person.decides(person.a, "granted")
    await person.merge()
    assert [(await person.purpose(one))["allowed"] for one in (person.a, person.b)] == [False, False]
    await person.decides(person.b, "granted")
    assert [(await person.purpose(one))["allowed"] for one in (person.a, person.b)] == [True, True]
    await person.decides(person.a, "withdrawn")
    await person.merge(None)
    assert [(await person.purpose(one))["status"] for one in (person.a, person.b)] == ["withdrawn", "withdrawn"]


async def test_an_undone_merge_leaves_each_their_own(person: Person) -> None:
    await person.decides(person.a, "granted")
    await person.merge()
    await person.merge(None)
    assert (await person.purpose(person.a))["allowed"]
    assert not (await person.purpose(person.b))["allowed"]


async def test_the_persons_tokens_and_guardians_reach_all_of_it(person: Person) -> None:
    call = person.call
    body = {"learner_id": person.b, "guardian": "tester", "verified_by": "passport"}
    assert (await call("POST", "/guardians", "dpo", body=body)).status_code == 201
    path = f"/consents/{person.a}"
    assert (await call("GET", path, "guardian")).status_code == 403
    assert (await call("GET", path, "learner", learner=person.b)).status_code == 403
    await person.merge()
    assert (await call("GET", path, "guardian")).status_code == 200
    assert (await call("GET", path, "learner", learner=person.b)).status_code == 200
    await person.merge(None)
    assert (await call("GET", path, "guardian")).status_code == 403


async def test_an_erasure_takes_both(person: Person) -> None:
    await person.merge()
    found = await person.erasure(person.b)
    assert {(one["learner_id"], one["status"]) for one in found} == {(person.a, "running"), (person.b, "running")}
    assert (await person.call("GET", f"/consents/{person.a}", "dpo")).status_code == 404
    assert len(await person.erasure(person.a)) == 2


async def test_who_is_merged_while_an_erasure_runs_is_erased_with_it(person: Person) -> None:
    assert [one["learner_id"] for one in await person.erasure(person.a)] == [person.a]
    await person.merge()
    assert {one["learner_id"] for one in await person.requests()} == {person.a, person.b}


async def test_a_decision_under_the_other_id_is_the_learners_own(person: Person) -> None:
    await person.merge()
    await person.decides(person.b, "granted")
    [record] = (await person.call("GET", f"/consents/{person.a}/records", "dpo")).json()
    states = record["dpv:hasConsentStatus"]
    assert {state["dpv:isImplementedByEntity"] for state in states} == {"learner"}
