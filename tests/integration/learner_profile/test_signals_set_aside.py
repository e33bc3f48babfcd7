"""A teacher sets a signal aside: who may, who sees it, and that nothing rests on it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from events.payloads import CatalogActivity, LearnerProfile
from learner_profile.estimates.said import IN_PARTS, Signal
from learner_profile.learners.publishing import message_of

from tests.integration.learner_profile.conftest import Class, Json
from tests.integration.learner_profile.test_competency_endpoints import exported_of

AT = {"as_of": "2026-03-02T12:00:00Z"}
WHY = {"reason": "I set this work; she did not choose it"}


def where(signal: str, what: str = "/set-aside") -> str:
    return f"/signals/{signal}{what}"


async def say(room: Class, signal: str, body: Json | None = None, method: str = "PUT") -> Any:
    return await room.call(method, where(signal), "teacher", room.teacher, json=WHY if body is None else body)


async def interested(room: Class) -> None:
    """The learner takes up something of two disciplines."""
    activities = [CatalogActivity(id=f"https://lms.example/activity/{n}", title="x", tags=tags) for n, tags in TAGS]
    await room.house.activities(*activities)
    await room.house.settle()


TAGS = [(2, ["music"]), (3, ["maths"]), (6, ["music", "rhythm"])]


async def told(room: Class) -> Any:
    """What Kafka is told."""
    await room.house.settle()
    profile = (await room.house.views.learners.load(room.house.tenant, [room.learner]))[room.learner]
    found = message_of(profile)
    assert found is not None
    said = LearnerProfile.model_validate(found).state
    assert said is not None
    return said


async def test_who_may(room: Class) -> None:
    assert (await room.client.put(f"/learners/{room.learner}{where('pace')}", json=WHY)).status_code == 401
    for role in ("app", "dpo", "operator", "authority", "guardian", "learner"):
        for method in ("PUT", "DELETE"):
            answer = await room.call(method, where("pace"), role, room.learner, json=WHY)
            assert answer.status_code == 403, (role, method)
    assert (await room.call("PUT", where("pace"), "teacher", str(uuid4()), json=WHY)).status_code == 403
    assert (await room.call("GET", where("pace", ""), "learner", str(uuid4()))).status_code == 403
    for wrong in ({}, {"reason": "x"}, {**WHY, "about": ""}, {**WHY, "more": 1}, {**WHY, "about": "music"}):
        assert (await say(room, "pace", wrong)).status_code == 400, wrong
    assert (await say(room, "mood")).status_code == 400
    assert (await say(room, "pace", method="DELETE")).status_code == 404


@pytest.mark.parametrize("signal", list(Signal))
async def test_every_signal_that_the_page_shows_can_be_set_aside_and_counts_again(room: Class, signal: Signal) -> None:
    before = (await room.call("GET", "", "learner", room.learner, params=AT)).json()
    assert before["set_aside"] == []
    assert (await say(room, signal)).status_code == 200
    await room.house.settle()
    model = (await room.call("GET", "", "learner", room.learner, params=AT)).json()
    [aside] = model["set_aside"]
    assert (aside["signal"], aside["about"], aside["reason"], aside["by"]) == (signal, None, WHY["reason"], "teacher")
    assert model[signal] == before[signal], "the model's own figure stays to be seen"
    assert (await say(room, signal, {"reason": "I was wrong"}, "DELETE")).json()["set_aside"] == []
    page = (await room.call("GET", where(signal, ""), "learner", room.learner, params=AT)).json()
    assert [(one["aside"], one["reason"]) for one in page["history"]] == [(True, WHY["reason"]), (False, "I was wrong")]
    assert page["figure"] == before[signal]
    assert (await say(room, signal, method="DELETE")).status_code == 404


async def test_nothing_rests_on_what_is_set_aside(room: Class) -> None:
    await interested(room)
    assert set((await told(room)).interests) == {"maths", "music", "rhythm"}
    await say(room, "interests", {**WHY, "about": "music"})
    assert set((await told(room)).interests) == {"maths", "rhythm"}
    for signal in ("pace", "engagement", "self_regulation"):
        await say(room, signal)
    state = await told(room)
    assert (state.days.bits, state.regulation.failures, state.pace.expected.samples) == (0, 0, 0)
    assert state.competencies
    await room.house.views.learners.mark_dirty(room.house.tenant, [room.learner])
    assert await told(room) == state, "a rebuild keeps it"
    await say(room, "interests")
    assert (await told(room)).interests == {}
    await say(room, "interests", method="DELETE")
    assert set((await told(room)).interests) == {"maths", "rhythm"}, "the single one is still set aside"


async def test_a_strength_is_set_aside_where_its_number_is_explained(room: Class) -> None:
    await room.house.settle()
    model = (await room.call("GET", "", "learner", room.learner, params=AT)).json()
    one = model["competencies"][0]["id"]
    await say(room, "strengths", {**WHY, "about": one})
    path = f"/competencies/{one.replace('/', '%2F')}/why"
    why = (await room.call("GET", path, "learner", room.learner, params=AT)).json()
    assert [aside["about"] for aside in why["set_aside"]] == [one]
    assert {Signal.INTERESTS, Signal.STRENGTHS} == IN_PARTS


async def test_it_is_in_the_audit_without_its_reason_and_among_what_is_held(room: Class) -> None:
    await say(room, "pace")
    entries = await room.house.c.db["audit_entries"].find({"tenant": room.house.tenant}).to_list(None)
    assert any("estimate/set_aside" in str(entry) for entry in entries)
    assert not any(WHY["reason"] in str(entry) for entry in entries)
    assert any(WHY["reason"] in one for one in await exported_of(room))


async def test_after_twenty_words_on_one_signal_people_are_to_talk(room: Class) -> None:
    for n in range(20):
        assert (await say(room, "pace", method="DELETE" if n % 2 else "PUT")).status_code == 200
    assert (await say(room, "pace")).status_code == 409
    assert (await say(room, "engagement")).status_code == 200
