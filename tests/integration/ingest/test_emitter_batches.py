"""Batches of named emitters: the good statements are stored, each refused one waits in the quarantine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from events.payloads import ConsentStatus, Unknown
from ingest.credentials.profiles import Profile
from ingest.emitters.profiles import WAYS
from ingest.emitters.quarantine import Held
from ingest.worker import participant
from service_kit.mongo import in_transaction

from tests.integration.ingest.lrs import Json, Lrs, agent, places, statement

FIXTURES = Path(__file__).parents[2] / "fixtures" / "emitters"
MOODLE, EDX = "moodle", "open-edx"


def fixture_of(path: Path) -> Json:
    fixture: Json = json.loads(path.read_text())
    return fixture


async def emitter(lrs: Lrs, profile: str) -> httpx2.BasicAuth:
    return (await emitter_with_key(lrs, profile))[1]


async def emitter_with_key(lrs: Lrs, profile: str) -> tuple[str, httpx2.BasicAuth]:
    body = {"name": profile, "scopes": ["all"], "profile": profile}
    made = await lrs.http.post("/credentials", json=body, headers=lrs.bearer("operator"))
    assert made.status_code == 201, made.text
    return made.json()["key"], httpx2.BasicAuth(made.json()["key"], made.json()["secret"])


def broken() -> Json:
    return {**statement(), "actor": {}}


async def quarantine(lrs: Lrs, **params: Any) -> list[Json]:
    answer = await lrs.http.get("/quarantine", params=params, headers=lrs.bearer("operator"))
    assert answer.status_code == 200, answer.text
    items: list[Json] = answer.json()["items"]
    return items


async def replay(lrs: Lrs, quarantine_id: str, edited: Json | None = None) -> httpx2.Response:
    content = b"" if edited is None else json.dumps(edited).encode()
    return await lrs.http.post(f"/quarantine/{quarantine_id}/replay", content=content, headers=lrs.bearer("operator"))


def without_id(**parts: Any) -> Json:
    one = statement(**parts)
    del one["id"]
    return one


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda path: path.stem)
async def test_what_an_emitter_sends_is_stored_whole_and_given_back_as_it_was_sent(lrs: Lrs, path: Path) -> None:
    fixture = fixture_of(path)
    auth = await emitter(lrs, fixture["profile"])
    answer = await lrs.post(fixture["statements"], auth=auth)
    assert answer.status_code == 200, answer.text
    assert "Trellis-Quarantined" not in answer.headers
    for statement_id, sent in zip(answer.json(), fixture["statements"], strict=True):
        found = (await lrs.get(statementId=statement_id)).json()
        assert found["object"] == sent["object"]
        assert found.get("result") == sent.get("result")


@pytest.mark.parametrize("stem", ["open_edx", "h5p", "moodle"])
async def test_strict_names_the_index_and_stores_nothing(lrs: Lrs, stem: str) -> None:
    """Moodle halves a batch after 400 until the bad statement is alone; who reads the answer need not."""
    sent = fixture_of(FIXTURES / f"{stem}.json")["statements"]
    answer = await lrs.post(sent)
    assert answer.status_code == 400
    assert all(place.split("/")[1].isdigit() for place in places(answer))
    assert await lrs.stored() == 0


async def test_a_group_activity_is_found_as_an_activity(lrs: Lrs) -> None:
    fixture = fixture_of(FIXTURES / "open_edx.json")
    await lrs.post(fixture["statements"], auth=await emitter(lrs, EDX))
    (group,) = [one for one in fixture["statements"] if one["object"]["objectType"] == "GroupActivity"]
    assert await lrs.ids(activity=group["object"]["id"]) == [group["id"]]
    assert len(await lrs.ids(activity=group["object"]["id"], related_activities="true")) == 4


class TestInPart:
    async def test_the_good_are_stored_in_order_and_the_bad_wait(self, lrs: Lrs) -> None:
        lrs = await lrs.other_tenant()
        auth = await emitter(lrs, MOODLE)
        good = [statement(f"pupil-{i}") for i in range(3)]
        wrong, nonsense = statement(verb={"id": "no IRI"}), {"hello": ["world"]}
        answer = await lrs.post([good[0], wrong, good[1], nonsense, good[2]], auth=auth)
        assert answer.status_code == 200
        assert answer.json() == [one["id"] for one in good]
        assert answer.headers["Trellis-Quarantined"] == "2"
        assert answer.headers["Trellis-Quarantined-Indexes"] == "1,3"
        assert await lrs.walk(ascending="true") == [one["id"] for one in good]
        waiting = {one["index"]: one for one in await quarantine(lrs)}
        assert waiting[1]["reasons"][0]["pointer"] == "/verb/id"
        assert (waiting[1]["status"], waiting[1]["times"]) == (400, 1)
        assert {reason["pointer"] for reason in waiting[3]["reasons"]} >= {"/actor", "/verb", "/object"}

    async def test_a_conflict_takes_nothing_good_with_it(self, lrs: Lrs) -> None:
        lrs = await lrs.other_tenant()
        auth = await emitter(lrs, EDX)
        held = statement()
        assert (await lrs.post(held, auth=auth)).status_code == 200
        anew = {**held, "verb": {"id": "https://example.org/verbs/undid"}}
        good = [statement(), statement()]
        answer = await lrs.post([good[0], anew, good[1]], auth=auth)
        assert (answer.status_code, answer.json()) == (200, [good[0]["id"], good[1]["id"]])
        assert await lrs.stored() == 3
        assert answer.headers["Trellis-Quarantined-Indexes"] == "1"
        (waiting,) = await quarantine(lrs)
        assert (waiting["status"], waiting["index"], waiting["reasons"][0]["pointer"]) == (409, 1, "/verb/id")

    async def test_the_same_again_is_counted_and_not_kept_twice(self, lrs: Lrs) -> None:
        lrs = await lrs.other_tenant()
        auth = await emitter(lrs, MOODLE)
        batch = [statement(), broken()]
        for _ in range(3):
            assert (await lrs.post(batch, auth=auth)).json() == [batch[0]["id"]]
        (waiting,) = await quarantine(lrs)
        assert waiting["times"] == 3

    async def test_twins_in_a_batch_are_one_statement(self, lrs: Lrs) -> None:
        auth = await emitter(lrs, MOODLE)
        one = statement()
        answer = await lrs.post([one, one], auth=auth)
        assert answer.json() == [one["id"], one["id"]]
        assert "Trellis-Quarantined" not in answer.headers

    async def test_a_single_statement_is_refused_as_ever(self, lrs: Lrs) -> None:
        lrs = await lrs.other_tenant()
        auth = await emitter(lrs, MOODLE)
        wrong = statement(verb={"id": "no IRI"})
        assert places(await lrs.post(wrong, auth=auth)) == {"/verb/id"}
        assert places(await lrs.put(wrong, auth=auth)) == {"/verb/id"}
        assert await quarantine(lrs) == []

    async def test_an_attachment_without_its_data_is_refused_alone(self, lrs: Lrs) -> None:
        lrs = await lrs.other_tenant()
        attachment = {
            "usageType": "https://example.org/certificate",
            "display": {"en": "Certificate"},
            "contentType": "text/plain",
            "length": 3,
            "sha2": "a" * 64,
        }
        good = statement()
        answer = await lrs.post([statement(attachments=[attachment]), good], auth=await emitter(lrs, MOODLE))
        assert answer.json() == [good["id"]]
        (waiting,) = await quarantine(lrs)
        assert waiting["reasons"][0]["pointer"] == "/attachments/0/fileUrl"

    async def test_where_the_quarantine_is_full_the_batch_is_refused_whole(
        self, lrs: Lrs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lrs = await lrs.other_tenant()
        auth = await emitter(lrs, MOODLE)
        await lrs.post([statement(), broken()], auth=auth)
        monkeypatch.setattr(lrs.app.state.ingest.emitters.quarantine, "held", _full)
        answer = await lrs.post([statement(), broken(), statement()], auth=auth)
        assert answer.status_code == 400
        assert all(place.startswith("/1/") for place in places(answer))
        assert await lrs.stored() == 1

    async def test_of_learners_who_do_not_allow_recording_nothing_is_kept(self, lrs: Lrs) -> None:
        lrs = await lrs.other_tenant()
        auth = await emitter(lrs, MOODLE)
        await lrs.decide(await lrs.learner("shy"), ConsentStatus.objected)
        good = statement("open")
        answer = await lrs.post([statement("shy", verb={}), statement("shy"), good], auth=auth)
        assert answer.headers["Trellis-Not-Recorded"] == "2"
        assert "Trellis-Quarantined" not in answer.headers
        assert await quarantine(lrs) == []
        await lrs.policy(Unknown.denied)
        await lrs.post([broken()], auth=auth)
        assert await quarantine(lrs) == []

    async def test_a_policy_that_refuses_spares_the_others(self, lrs: Lrs) -> None:
        lrs = await lrs.other_tenant()
        await lrs.policy(not_recorded="refuse")
        auth = await emitter(lrs, MOODLE)
        await lrs.decide(await lrs.learner("shy"), ConsentStatus.objected)
        good = statement("open")
        answer = await lrs.post([statement("shy"), good], auth=auth)
        assert (answer.status_code, answer.json()) == (200, [good["id"]])
        assert answer.headers["Trellis-Not-Recorded"] == "1"
        assert (await lrs.post([statement("shy")], auth=auth)).status_code == 403


class TestQuarantine:
    async def test_only_operators_see_it_and_only_their_own(self, lrs: Lrs) -> None:
        mine = await lrs.other_tenant()
        await mine.post([broken()], auth=await emitter(mine, MOODLE))
        (waiting,) = await quarantine(mine)
        url = f"/quarantine/{waiting['id']}"
        assert (await mine.http.get("/quarantine", headers=mine.bearer("app"))).status_code == 403
        assert (await mine.http.get("/quarantine")).status_code == 401
        other = await lrs.other_tenant()
        assert await quarantine(other) == []
        headers = other.bearer("operator")
        assert (await other.http.get(url, headers=headers)).status_code == 404
        assert (await other.http.delete(url, headers=headers)).status_code == 404
        assert (await replay(other, waiting["id"])).status_code == 404
        assert len(await quarantine(mine)) == 1

    async def test_it_gives_back_what_was_sent(self, lrs: Lrs) -> None:
        lrs = await lrs.other_tenant()
        body = b'[{"actor": {}, "n": 1.0, "big": 12345678901234567890123}]'
        assert (await lrs.post(body, auth=await emitter(lrs, MOODLE))).json() == []
        (waiting,) = await quarantine(lrs)
        shown = await lrs.http.get(f"/quarantine/{waiting['id']}", headers=lrs.bearer("operator"))
        assert b'"statement":{"actor":{},"n":1.0,"big":12345678901234567890123}' in shown.content
        assert shown.json()["reasons"] == waiting["reasons"]

    async def test_an_edited_statement_is_stored_and_leaves(self, lrs: Lrs) -> None:
        lrs = await lrs.other_tenant()
        key, auth = await emitter_with_key(lrs, MOODLE)
        await lrs.post([without_id(verb={"id": "no IRI"})], auth=auth)
        (waiting,) = await quarantine(lrs)
        still = await replay(lrs, waiting["id"])
        assert (still.status_code, places(still)) == (400, {"/verb/id"})
        edited = without_id()
        answer = await replay(lrs, waiting["id"], edited)
        assert (answer.status_code, answer.json()["recorded"]) == (200, True), answer.text
        stored = (await lrs.get(statementId=answer.json()["statement_id"])).json()
        assert stored["authority"]["account"]["name"] == key
        assert stored["timestamp"][:19] == waiting["received_at"][:19]
        assert await quarantine(lrs) == []
        assert (await replay(lrs, waiting["id"], edited)).status_code == 404

    async def test_a_conflict_stays_until_it_is_edited(self, lrs: Lrs) -> None:
        lrs = await lrs.other_tenant()
        auth = await emitter(lrs, EDX)
        held = statement()
        await lrs.post(held, auth=auth)
        anew = {**held, "verb": {"id": "https://example.org/verbs/undid"}}
        await lrs.post([anew], auth=auth)
        (waiting,) = await quarantine(lrs)
        assert (await replay(lrs, waiting["id"])).status_code == 409
        assert len(await quarantine(lrs)) == 1
        assert (await replay(lrs, waiting["id"], held)).json()["statement_id"] == held["id"]

    async def test_discarded_is_gone(self, lrs: Lrs) -> None:
        lrs = await lrs.other_tenant()
        await lrs.post([broken()], auth=await emitter(lrs, MOODLE))
        (waiting,) = await quarantine(lrs)
        gone = await lrs.http.delete(f"/quarantine/{waiting['id']}", headers=lrs.bearer("operator"))
        assert gone.status_code == 204
        assert await quarantine(lrs) == []

    async def test_pages(self, lrs: Lrs) -> None:
        lrs = await lrs.other_tenant()
        auth = await emitter(lrs, MOODLE)
        await lrs.post([{"n": n} for n in range(5)], auth=auth)
        await lrs.post([{"n": n} for n in range(5, 7)], auth=auth)
        seen: list[str] = []
        cursor: Json = {}
        while True:
            answer = await lrs.http.get("/quarantine", params={"limit": 3} | cursor, headers=lrs.bearer("operator"))
            seen += [one["id"] for one in answer.json()["items"]]
            if answer.json()["next"] is None:
                break
            cursor = {"cursor": answer.json()["next"]}
        assert len(seen) == len(set(seen)) == 7

    async def test_erasure_takes_what_names_the_learner(self, lrs: Lrs) -> None:
        lrs = await lrs.other_tenant()
        auth = await emitter(lrs, MOODLE)
        about = statement("ada", verb={})
        named = statement("bob", verb={}, context={"instructor": agent("ada")})
        await lrs.post([about, named, statement("carol", verb={}), broken()], auth=auth)
        learner = await lrs.learner("ada")
        removed = await in_transaction(
            lrs.connections.client, lambda session: participant(lrs.connections).erase(lrs.tenant, learner, session)
        )
        assert removed["quarantine"] == 2
        assert {one["index"] for one in await quarantine(lrs)} == {2, 3}

    async def test_its_queries_are_on_indexes(self, lrs: Lrs) -> None:
        collection = lrs.connections.db["quarantine"]
        for where in ({"tenant": "t"}, {"tenant": "t", "identifiers": {"$in": ["x"]}}):
            plan = await collection.find(where).explain()
            assert "COLLSCAN" not in json.dumps(plan["queryPlanner"]["winningPlan"])


async def _full(*_: Any) -> Any:
    return Held(10_000, 0)


def test_every_profile_has_its_ways() -> None:
    assert set(WAYS) == set(Profile)
