"""One competency of a learner: rolled up, informed, grown, and overruled by a teacher."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from events.payloads import Basis, CatalogActivity, CatalogCompetency
from learner_profile.app import create
from learner_profile.estimates.repository import ESTIMATES
from learner_profile.estimates.said import Said
from learner_profile.learners.publishing import message_of
from learner_profile.learners.subject import HeldByProfile
from service_kit.frameworks import FrameworkRepository
from service_kit.settings import ServiceSettings

from tests.integration.learner_profile.conftest import Class, House, Json, policy, statement
from tests.support.plans import assert_indexed

MATHS = "https://case.example/maths"
AT = {"as_of": "2026-03-02T12:00:00Z"}
SAY = {"reason": "She explained it to the whole class on Monday", "probability": 0.95}


def iri(name: str) -> str:
    return f"{MATHS}/{name}"


def path(name: str, what: str = "") -> str:
    return f"/competencies/{quote(iri(name), safe='')}{what}"


def answer(number: int, activity: str, share: float) -> Json:
    return statement(
        number, object={"id": f"https://lms.example/{activity}"}, result={"score": {"scaled": share}}, context={}
    )


async def curriculum(room: Class, **thresholds: float) -> None:
    """Fractions of halves, thirds and quarters; `maths`: the threshold of the framework."""
    parents = {"fractions": [MATHS], "halves": ["fractions"], "thirds": ["fractions"], "quarters": ["fractions"]}
    await room.house.competencies(
        CatalogCompetency(id=MATHS, title="Mathematics", framework=MATHS, mastery_threshold=thresholds.get("maths")),
        *(
            CatalogCompetency(
                id=iri(name),
                title=name.title(),
                framework=MATHS,
                parents=[one if one == MATHS else iri(one) for one in above],
                mastery_threshold=thresholds.get(name),
            )
            for name, above in parents.items()
        ),
    )


async def taught(room: Class) -> None:
    """There is an activity for each; the learner answers halves and thirds."""
    await curriculum(room)
    await room.house.activities(
        *(
            CatalogActivity(id=f"https://lms.example/{name}", title=name, competencies=[iri(name)], tags=["maths"])
            for name in ("fractions", "halves", "thirds", "quarters")
        )
    )
    await room.house.statements(
        room.learner,
        *(answer(20 + n, "halves", 1.0) for n in range(4)),
        *(answer(30 + n, "thirds", 0.0) for n in range(2)),
    )
    await room.house.settle()


async def page(room: Class, name: str, **more: str) -> Json:
    found = await room.call("GET", path(name), "teacher", room.teacher, params=AT | more)
    assert found.status_code == 200, found.text
    answer: Json = found.json()
    return answer


async def say(room: Class, name: str, body: Json | None = None, as_: str | None = None) -> Any:
    return await room.call("PUT", path(name, "/estimate"), "teacher", as_ or room.teacher, json=body or SAY)


async def take_back(room: Class, name: str, body: Json | None = None) -> Any:
    body = {"reason": "It was meant for her sister"} if body is None else body
    return await room.call("DELETE", path(name, "/estimate"), "teacher", room.teacher, json=body)


class TestThreshold:
    async def test_mastery_and_its_end_follow_what_the_curriculum_says_and_no_state_does(self, room: Class) -> None:
        await taught(room)
        usual, before = await page(room, "halves"), await room.house.state(room.learner)
        await curriculum(room, maths=0.6, thirds=0.95)
        await room.house.settle()
        easy = await page(room, "halves")
        assert (usual["threshold"], easy["threshold"], easy["own"]["threshold"]) == (0.8, 0.6, 0.6)
        assert easy["probability"] == usual["probability"]
        assert easy["mastery"] == easy["own"]["mastery"] > usual["mastery"]
        assert easy["own"]["due_at"] != usual["own"]["due_at"]
        assert (await page(room, "thirds"))["threshold"] == 0.95
        model = (await room.call("GET", "", "learner", room.learner, params=AT)).json()
        assert easy["own"] in model["competencies"]
        why = (await room.call("GET", path("halves", "/why"), "learner", room.learner, params=AT)).json()
        assert (why["mastery"], why["threshold"]) == (easy["mastery"], 0.6)
        grown = (await room.call("GET", path("halves", "/growth"), "learner", room.learner, params=AT)).json()
        assert grown["points"][-1]["mastery"] == easy["mastery"]
        assert await room.house.state(room.learner) == before

    async def test_thresholds_are_found_by_their_index(self, room: Class) -> None:
        await taught(room)
        await curriculum(room, maths=0.6, thirds=0.95)
        found = await FrameworkRepository(room.house.c.db).thresholds(room.house.tenant)
        assert [found.threshold(iri(one)) for one in ("halves", "thirds")] == [0.6, 0.95]
        held = room.house.c.db["competencies"]
        tenant = room.house.tenant
        await assert_indexed(held, {"tenant": tenant, "mastery_threshold": {"$gt": 0}})
        await assert_indexed(held, {"tenant": tenant, "framework": {"$in": [MATHS]}})


class TestRolledUp:
    async def test_the_model_and_the_pages_tell_what_a_parent_is_made_of(self, room: Class) -> None:
        await taught(room)
        model = (await room.call("GET", "", "learner", room.learner, params=AT)).json()
        own = {one["title"]: one["probability"] for one in model["competencies"] if not one["provisional"]}
        assert set(own) == {"Halves", "Thirds"}
        rolled = {one["title"]: one for one in model["rolled_up"]}
        assert set(rolled) == {"Fractions", "Mathematics"}
        fractions = rolled["Fractions"]
        assert fractions["probability"] == pytest.approx(sum(own.values()) / 2, abs=1e-3)
        assert (fractions["rolled_up"], fractions["known"], fractions["children"]) == (True, 2, 3)
        assert fractions["evidence_count"] == 6
        shown = await page(room, "fractions")
        assert (shown["source"], shown["probability"]) == ("rolled_up", fractions["probability"])
        assert [one["title"] for one in shown["parts"]] == ["Thirds", "Halves"]
        assert shown["parents"] == [{"id": MATHS, "title": "Mathematics"}]

    async def test_why_names_the_children(self, room: Class) -> None:
        await taught(room)
        why = (await room.call("GET", path("fractions", "/why"), "learner", room.learner, params=AT)).json()
        assert why["rolled_up"] is True
        assert [one["title"] for one in why["parts"]] == ["Thirds", "Halves"]
        assert round(sum(one["points"] for one in why["parts"]), 1) == round(why["probability"] * 100, 1)
        assert [one["name"] for one in why["shares"]] == ["parts"]
        assert "3 parts" in why["words"]

    async def test_a_child_without_evidence_is_informed_by_its_parent(self, room: Class) -> None:
        await taught(room)
        assert (await page(room, "quarters"))["source"] == "nothing"
        await room.house.statements(room.learner, *(answer(40 + n, "fractions", 1.0) for n in range(5)))
        await room.house.settle()
        quarters, fractions = await page(room, "quarters"), await page(room, "fractions")
        assert quarters["source"] == "informed"
        assert [one["title"] for one in quarters["informed"]["ancestors"]] == ["Fractions"]
        assert quarters["evidence_count"] == 0
        assert 0.4 < quarters["probability"] < fractions["probability"]
        assert (fractions["source"], fractions["rolled_up"]["known"]) == ("rolled_up", 2)
        why = (await room.call("GET", path("quarters", "/why"), "learner", room.learner, params=AT)).json()
        assert [one["name"] for one in why["shares"]] == ["start", "above"]
        assert round(sum(one["points"] for one in why["shares"]), 1) == round(why["probability"] * 100, 1)

    async def test_what_is_answered_on_a_parent_is_one_part_more_of_it(self, room: Class) -> None:
        await taught(room)
        before = await page(room, "fractions")
        on_the_whole = answer(40, "fractions", 0.0)
        await room.house.statements(room.learner, on_the_whole)
        await room.house.settle()
        model = (await room.call("GET", "", "learner", room.learner, params=AT)).json()
        (rolled,) = (one for one in model["rolled_up"] if one["title"] == "Fractions")
        (own,) = (one for one in model["competencies"] if one["title"] == "Fractions")
        shown = await page(room, "fractions")
        assert (shown["probability"], shown["evidence_count"]) == (rolled["probability"], before["evidence_count"] + 1)
        assert own["probability"] < shown["probability"], "one answer on the whole does not hide those on its parts"
        why = (await room.call("GET", path("fractions", "/why"), "learner", room.learner, params=AT)).json()
        assert why["probability"] == rolled["probability"]
        assert [one["name"] for one in why["shares"]] == ["parts", "own"]
        for told in (why["shares"], [*why["parts"], why["shares"][-1]]):
            assert round(sum(one["points"] for one in told), 1) == round(why["probability"] * 100, 1)
        assert "One answer was about all of it together" in why["words"]
        assert [one["statement_id"] for one in why["evidence"]] == [on_the_whole["id"]]
        grown = (await room.call("GET", path("fractions", "/growth"), "learner", room.learner, params=AT)).json()
        assert (grown["rolled_up"], grown["evidence_total"]) == (True, 7)
        assert grown["points"][-1]["probability"] == rolled["probability"]

    async def test_a_framework_that_changes_builds_nobody_anew(self, room: Class) -> None:
        await taught(room)
        before = await room.house.document(room.learner)
        await room.house.competencies(CatalogCompetency(id=iri("halves"), title="½", framework=MATHS, parents=[MATHS]))
        await room.house.settle()
        assert await room.house.document(room.learner) == before
        assert (await page(room, "fractions"))["rolled_up"]["children"] == 2

    async def test_what_nobody_knows_is_not_found(self, room: Class) -> None:
        assert (await room.call("GET", path("nothing"), "teacher", room.teacher)).status_code == 404
        assert (await room.call("GET", path("nothing"), "learner", str(uuid4()))).status_code == 403


class TestGrowth:
    async def test_each_answer_is_a_point_and_the_last_is_now(self, room: Class) -> None:
        await taught(room)
        found = (await room.call("GET", path("halves", "/growth"), "learner", room.learner, params=AT)).json()
        assert (found["evidence_total"], found["thinned"], found["rolled_up"]) == (4, False, False)
        points = found["points"]
        assert [one["evidence_count"] for one in points] == [1, 2, 3, 4, 4]
        assert [one["probability"] for one in points[:4]] == sorted(one["probability"] for one in points[:4])
        assert all(one["low"] <= one["probability"] <= one["high"] for one in points)
        assert points[-1]["statement_id"] is None
        assert points[-1]["probability"] == (await page(room, "halves"))["probability"]

    async def test_points_are_bounded_and_a_parent_grows_with_its_parts(self, room: Class) -> None:
        await taught(room)
        found = (await room.call("GET", path("fractions", "/growth"), "dpo", params=AT | {"points": "3"})).json()
        assert (found["evidence_total"], found["thinned"], found["rolled_up"]) == (6, True, True)
        assert [one["evidence_count"] for one in found["points"]] == [1, 3, 6, 6]
        assert (await room.call("GET", path("quarters", "/growth"), "dpo")).status_code == 404
        assert (await room.call("GET", path("halves", "/growth"), "dpo", params={"points": "0"})).status_code == 400


class TestOverruling:
    async def test_who_may(self, room: Class) -> None:
        await taught(room)
        where = f"/learners/{room.learner}{path('thirds', '/estimate')}"
        assert (await room.client.put(where, json=SAY)).status_code == 401
        for role in ("app", "dpo", "operator", "authority", "guardian", "learner"):
            for method in ("PUT", "DELETE"):
                answer = await room.call(method, path("thirds", "/estimate"), role, room.learner, json=SAY)
                assert answer.status_code == 403, (role, method)
        elsewhere = str(uuid4())
        await room.house.role(elsewhere, "teacher", teaches_in=["class-7c"])
        assert (await say(room, "thirds", as_=elsewhere)).status_code == 403
        assert (await say(room, "nothing")).status_code == 404
        for wrong in ({"probability": 0.5}, {"reason": "x" * 9, "probability": 1.1}, {**SAY, "more": 1}):
            assert (await say(room, "thirds", wrong)).status_code == 400
        assert (await take_back(room, "thirds")).status_code == 404
        assert (await take_back(room, "thirds", {})).status_code == 400

    async def test_it_stands_beside_the_models_figure_and_the_learner_sees_who_and_why(self, room: Class) -> None:
        await taught(room)
        before = await page(room, "thirds")
        answered = (await say(room, "thirds")).json()
        assert answered["teacher"]["probability"] == 0.95
        await room.house.settle()
        model = (await room.call("GET", "", "learner", room.learner, params=AT)).json()
        thirds = next(one for one in model["competencies"] if one["title"] == "Thirds")
        assert thirds["probability"] == before["probability"]
        said = thirds["teacher"]
        assert (said["probability"], said["reason"], said["by"], said["standing"]) == (
            0.95,
            SAY["reason"],
            "teacher",
            "holds",
        )
        assert said["teacher"]
        why = (await room.call("GET", path("thirds", "/why"), "learner", room.learner, params=AT)).json()
        assert why["teacher"]["reason"] == SAY["reason"]
        assert "teacher's judgement" in why["words"]

    async def test_kafka_is_told_and_a_rebuild_keeps_it(self, room: Class) -> None:
        await taught(room)
        await say(room, "thirds")
        await say(room, "quarters", {"reason": "He showed me", "probability": 0.8})
        await room.house.settle()
        house = room.house
        profile = (await house.views.learners.load(house.tenant, [room.learner]))[room.learner]
        told = message_of(profile)
        assert told is not None
        assert {name: one["probability"] for name, one in told["estimates"].items()} == {
            iri("quarters"): 0.8,
            iri("thirds"): 0.95,
        }
        assert told["estimates"][iri("thirds")]["evidence_count"] == 2
        await house.views.learners.mark_dirty(house.tenant, [room.learner])
        await house.settle()
        again = (await house.views.learners.load(house.tenant, [room.learner]))[room.learner]
        assert (again.said, again.state) == (profile.said, profile.state)
        model = (await room.call("GET", "", "learner", room.learner, params=AT)).json()
        assert [one["title"] for one in model["by_teachers_alone"]] == ["Quarters"]

    async def test_the_history_keeps_what_was_taken_back(self, room: Class) -> None:
        await taught(room)
        await say(room, "thirds")
        await say(room, "thirds", {"reason": "I mixed her up with somebody", "probability": 0.2})
        gone = await take_back(room, "thirds")
        assert (gone.status_code, gone.json()["teacher"]) == (200, None)
        await room.house.settle()
        shown = await page(room, "thirds")
        assert [one["probability"] for one in shown["history"]] == [0.95, 0.2, None]
        assert shown["history"][-1]["reason"] == "It was meant for her sister"
        assert shown["teacher"] is None
        profile = (await room.house.views.learners.load(room.house.tenant, [room.learner]))[room.learner]
        assert profile.said == {}
        audited = await room.house.c.db["audit_entries"].find({"tenant": room.house.tenant}).to_list(None)
        assert sum("estimate/" in str(one) for one in audited) == 3

    async def test_new_evidence_disputes_it_and_then_speaks_for_itself(self, room: Class) -> None:
        await taught(room)
        await say(room, "thirds")
        for start, count, expected in ((50, 5, "disputed"), (60, 5, "lapsed")):
            await room.house.statements(room.learner, *(answer(start + n, "thirds", 0.0) for n in range(count)))
            await room.house.settle()
            assert (await page(room, "thirds"))["teacher"]["standing"] == expected

    async def test_while_a_profile_is_built_anew_it_says_so(self, room: Class) -> None:
        await taught(room)
        await room.house.decide(room.learner, 2, "objected")
        assert (await room.call("GET", path("thirds"), "dpo")).status_code == 403
        assert (await say(room, "thirds")).status_code == 403
        await room.house.decide(room.learner, 3, "granted")
        for answer in (await room.call("GET", path("thirds"), "dpo"), await say(room, "thirds")):
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "1"
        await room.house.settle()
        assert (await say(room, "thirds")).status_code == 200

    async def test_twice_at_once_both_are_kept(self, room: Class) -> None:
        await taught(room)
        answers = await asyncio.gather(say(room, "thirds"), say(room, "halves"))
        assert [one.status_code for one in answers] == [200, 200]
        held = await room.house.views.estimates.load(room.house.tenant, [room.learner])
        assert {one.competency for one in held[room.learner] if isinstance(one, Said)} == {iri("thirds"), iri("halves")}

    async def test_it_lies_sealed_goes_out_with_the_learners_data_and_is_erased(self, room: Class) -> None:
        await taught(room)
        await say(room, "thirds")
        house = room.house
        key = {"_id": f"{house.tenant}/{room.learner}"}
        document = await house.c.db[ESTIMATES.name].find_one(key)
        assert document is not None
        assert set(document) == {"_id", "tenant", "learner", "data", "key"}
        exported = await exported_of(room)
        assert any(str(SAY["reason"]) in one for one in exported)
        await house.erase(room.learner)
        assert await house.c.db[ESTIMATES.name].find_one(key) is None

    async def test_a_withdrawal_removes_it(self, room: Class) -> None:
        await taught(room)
        await say(room, "thirds")
        consent = policy(Basis.consent)
        teach = consent.purposes["profile"].model_copy(update={"basis": Basis.public_task})
        rested = consent.model_copy(update={"version": 3, "purposes": {**consent.purposes, "teach": teach}})
        await room.house.policy(rested)
        await room.house.decide(room.learner, 2, "granted")
        await room.house.decide(room.learner, 3, "withdrawn")
        assert await room.house.views.estimates.load(room.house.tenant, [room.learner]) == {}


async def exported_of(room: Class) -> list[str]:
    """What the service holds on the learner, record by record."""
    app = create(ServiceSettings())
    async with app.router.lifespan_context(app):
        held = HeldByProfile(app.state.learner_profile)
        return [str(one) async for one in held(room.house.tenant, room.learner)]


async def test_every_query_has_its_index(house: House) -> None:
    await house.competencies(CatalogCompetency(id=iri("halves"), title="Halves", framework=MATHS, parents=[MATHS]))
    for collection, query in (
        ("competencies", {"tenant": house.tenant, "parents": {"$in": [MATHS]}}),
        ("competencies", {"_id": {"$in": [f"{house.tenant}/{iri('halves')}"]}}),
        ("estimates", {"_id": {"$in": [f"{house.tenant}/x"]}}),
    ):
        await assert_indexed(house.c.db[collection], query)
