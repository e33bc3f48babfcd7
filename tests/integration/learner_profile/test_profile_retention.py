"""Retention rules on evidence: what goes takes its part of the state along, or stays in a base record."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from events import topics
from events.payloads import ConsentState
from learner_model import encode, view
from learner_model.reading import state_of
from learner_profile.evidence.mapping import looked_up
from learner_profile.learners import persons
from learner_profile.learners.explaining import explain
from learner_profile.learners.profiles import Status
from learner_profile.retention import retaining as own
from learner_profile.retention.repository import IN_ORDER
from learner_profile.worker import participant
from service_kit import retaining

from tests.integration.learner_profile.conftest import START, House, course, statement, voiding
from tests.support.plans import assert_indexed
from tests.support.retaining import Retained, said

QUIZ = "http://adlnet.gov/expapi/activities/assessment"
TAG = {"id": "https://lms.example/tag/practice"}


@pytest.fixture
def retained(house: House) -> Retained:
    return Retained(house.c, participant(house.c, house.views), house.tenant)


def stored_before(number: int) -> datetime:
    """Statements of `conftest.statement` below that number were stored before this time."""
    return START + timedelta(hours=1, minutes=number)


async def held(house: House, learner: str, **state: Any) -> None:
    message = house.message(topics.CONSENTS, learner, ConsentState(version=1, **state))
    await house.run(house.privacy.handle, message)


async def again(house: House, learner: str) -> Any:
    """The state when it is built anew."""
    await house.views.learners.mark_dirty(house.tenant, [learner])
    await house.settle()
    return await house.state(learner)


class TestAggregate:
    async def test_the_state_stays_byte_for_byte_and_every_building_anew_starts_from_the_base(
        self, house: House, retained: Retained
    ) -> None:
        await house.policy()
        history = [statement(number) for number in range(30)]
        await house.statements("l", *history)
        await house.settle()
        before = await house.state("l")
        wanted: dict[str, Any] = {"stored_before": stored_before(20)}
        assert said(await retained.preview("aggregate", **wanted)) == ({"evidence": 20}, {})
        assert await house.rows("l") == 30
        assert said(await retained.carry_out("aggregate", **wanted)) == ({"evidence": 20}, {})
        await house.settle()
        assert (await house.rows("l"), await house.state("l")) == (10, before)
        assert await again(house, "l") == before
        assert said(await retained.carry_out("aggregate", **wanted)) == ({}, {})
        assert await again(house, "l") == before

        more = [statement(number) for number in range(30, 40)]
        for learner, sent in (("l", more), ("whole", [*history, *more])):
            await house.statements(learner, *sent)
        await house.settle()
        assert await house.state("l") == await house.state("whole") == await again(house, "l")
        later: dict[str, Any] = {"stored_before": stored_before(35)}
        assert said(await retained.carry_out("aggregate", **later))[0]["evidence"] == 15 + 35
        assert await again(house, "l") == await again(house, "whole")

    async def test_what_stays_beside_the_base_counts_once_and_what_comes_late_too(
        self, house: House, retained: Retained
    ) -> None:
        await house.policy()
        history = [statement(number) for number in range(12)]
        await house.statements("l", *history)
        only: dict[str, Any] = {"stored_before": stored_before(12), "activities": ["https://lms.example/activity/3"]}
        assert said(await retained.carry_out("aggregate", **only)) == ({"evidence": 2}, {})
        assert (await again(house, "l"))[2] == 12, "3 and 10 are gone, and those up to 10 are in the base"
        await house.statements("l", statement(5, stored="2026-05-01T00:00:00Z"))
        await house.settle()
        with_late = await house.state("l")
        assert with_late[2] == 13
        assert await again(house, "l") == with_late

    async def test_an_explanation_still_adds_up(self, house: House, retained: Retained) -> None:
        await house.policy()
        await house.statements("l", *[statement(number) for number in range(20)])
        await retained.carry_out("aggregate", stored_before=stored_before(10))
        await house.settle()
        v, now = house.views, START + timedelta(days=9)
        rows = (await v.evidence.of_learners(house.tenant, ["l"]))["l"]
        base = (await v.bases.load(house.tenant, ["l"]))["l"]
        profile = (await v.learners.load(house.tenant, ["l"]))["l"]
        assert profile.state is not None
        catalog = await v.activities.mapped(house.tenant, looked_up(row.reading for row in rows))
        folder = await v.shelf.folder(house.tenant, [row.reading.stored for row in rows])
        for seen in view(profile.state, now).competencies:
            found = explain(rows, catalog, seen.id, now, folder, base)
            assert sum(found.shares.values()) == pytest.approx(seen.probability, abs=1e-4)

    async def test_of_people_who_are_one_an_explanation_adds_up_beside_the_base_of_one(
        self, house: House, retained: Retained
    ) -> None:
        await house.policy()
        history = [statement(number) for number in range(20)]
        await house.statements("a", *history[1::2])
        await house.statements("b", *history[::2])
        await held(house, "a", held=True)
        only: dict[str, Any] = {"stored_before": stored_before(12), "activities": ["https://lms.example/activity/4"]}
        assert said(await retained.carry_out("aggregate", **only))[0] == {"evidence": 1}
        await house.settle()
        await house.merge("b", "a")
        await house.settle()
        v, now = house.views, START + timedelta(days=9)
        profile = (await v.learners.load(house.tenant, ["a"]))["a"]
        assert profile.state is not None
        assert profile.state.activity.statements == 20, "what stays beside the base counts once"
        made = await persons.read(house.tenant, ("a", "b"), v.evidence, v.bases)
        catalog = await v.activities.mapped(house.tenant, looked_up(row.reading for row in made.rows))
        folder = await v.shelf.folder(house.tenant, [row.reading.stored for row in made.rows])
        for seen in view(profile.state, now).competencies:
            found = explain(made.rows, catalog, seen.id, now, folder, made.base)
            assert sum(found.shares.values()) == pytest.approx(seen.probability, abs=1e-4)

    async def test_of_an_older_models_base_the_habits_go_on_and_the_rest_stays_to_be_read(
        self, house: House, retained: Retained
    ) -> None:
        await house.policy()
        await house.statements("l", *[statement(number) for number in range(20)])
        await retained.carry_out("aggregate", stored_before=stored_before(10))
        await house.settle()
        before = (await house.views.bases.load(house.tenant, ["l"]))["l"]
        assert before.folded is not None
        known = next(iter(state_of(before.folded).competencies))
        older = orjson.dumps(
            {"state": orjson.loads(encode(dataclasses.replace(state_of(before.folded), model=2))), "titles": {}}
        )
        await house.c.db["bases"].update_one(
            {"_id": f"{house.tenant}/l"}, {"$set": {"data": older, "key": None, "model": 2}}
        )
        await again(house, "l")
        [profile] = (await house.views.learners.load(house.tenant, ["l"])).values()
        assert profile.state is not None
        assert profile.state.activity.statements == 20, "the habits go on"
        assert profile.state.competencies[known].evidence_count < 20
        later: dict[str, Any] = {"stored_before": stored_before(15)}
        assert said(await retained.carry_out("aggregate", **later)) == ({"evidence": 5}, {})
        base = (await house.views.bases.load(house.tenant, ["l"]))["l"]
        [earlier] = base.earlier
        assert earlier.model == 2
        assert earlier.state is not None
        assert earlier.state.competencies[known] == state_of(before.folded).competencies[known]

    async def test_without_a_base_that_can_be_read_all_that_is_left_counts(
        self, house: House, retained: Retained
    ) -> None:
        await house.policy()
        await house.statements("l", *[statement(number) for number in range(12)])
        only: dict[str, Any] = {"stored_before": stored_before(12), "activities": ["https://lms.example/activity/3"]}
        await retained.carry_out("aggregate", **only)
        await house.c.db["bases"].update_one(
            {"_id": f"{house.tenant}/l"}, {"$set": {"data": b"new", "key": None, "model": 99}}
        )
        assert (await again(house, "l"))[2] == 10

    async def test_a_withdrawal_and_an_erasure_take_the_base_along(self, house: House, retained: Retained) -> None:
        await house.policy()
        for learner in ("withdraws", "erased"):
            await house.statements(learner, *[statement(number) for number in range(5)])
        await retained.carry_out("aggregate", stored_before=stored_before(4))
        await house.decide("withdraws", 1, "withdrawn")
        await house.erase("erased")
        assert await house.c.db["bases"].count_documents({"tenant": house.tenant}) == 0

    async def test_nothing_is_added_up_where_the_learner_objects(self, house: House, retained: Retained) -> None:
        await house.policy()
        await house.statements("l", statement(1))
        await house.decide("l", 1, "objected")
        receipt = await retained.carry_out("aggregate", stored_before=stored_before(9))
        assert said(receipt) == ({}, {"not_allowed": 1})
        assert await house.rows("l") == 1


class TestDelete:
    @pytest.mark.parametrize(
        ("selection", "gone"),
        [
            ({}, range(10)),
            ({"verbs": ["http://adlnet.gov/expapi/verbs/attempted"]}, (1, 4)),
            ({"activity_types": [QUIZ]}, (2,)),
            ({"tags": [TAG["id"]]}, (2, 3)),
            ({"tags": [TAG["id"]], "activity_types": [QUIZ]}, (2,)),
            ({"activities": ["https://lms.example/course/0"]}, (0, 6, 9)),
        ],
    )
    async def test_the_state_is_that_of_the_rest(
        self, house: House, retained: Retained, selection: dict[str, Any], gone: Any
    ) -> None:
        await house.policy()
        tagged = {"contextActivities": {"category": [TAG], "grouping": [course(1)]}}
        special: dict[int, dict[str, Any]] = {number: {} for number in range(14)}
        special[1] = special[4] = {"verb": {"id": "http://adlnet.gov/expapi/verbs/attempted"}}
        special[2] = {
            "object": {"id": "https://lms.example/activity/2", "definition": {"type": QUIZ}},
            "context": tagged,
        }
        special[3] = {"context": tagged}
        history = [statement(number, **special[number]) for number in range(14)]
        await house.statements("l", *history)
        await house.statements("rest", *[one for number, one in enumerate(history) if number not in gone])
        await held(house, "rest", held=True)
        wanted: dict[str, Any] = {"stored_before": stored_before(10), **selection}
        receipts = [await retained.preview("delete", **wanted), await retained.carry_out("delete", **wanted)]
        assert [said(one)[0] for one in receipts] == [{"evidence": len(gone)}] * 2
        await house.settle()
        assert await house.state("l") == await house.state("rest")
        assert said(await retained.carry_out("delete", **wanted))[0] == {}

    async def test_with_the_last_of_it_the_profile_goes(self, house: House, retained: Retained) -> None:
        await house.policy()
        await house.statements("l", *[statement(number) for number in range(6)])
        await house.statements("l", voiding(statement(5)["id"]))
        await retained.carry_out("aggregate", stored_before=stored_before(3))
        until = house.c.clock() + timedelta(days=1)
        counts = {"evidence": 3, "voided": 1, "bases": 1}
        assert said(await retained.preview("delete", stored_before=until)) == (counts, {})
        assert said(await retained.carry_out("delete", stored_before=until)) == (counts, {})
        document = await house.document("l")
        assert document is not None
        assert document["status"] == Status.ERASED.value
        assert document["data"] is None

    async def test_whoever_is_active_keeps_everything(self, house: House, retained: Retained) -> None:
        await house.policy()
        await house.statements("left", *[statement(number) for number in range(3)])
        await house.statements("here", *[statement(number) for number in range(8)])
        assert said(await retained.carry_out("delete", inactive_since=stored_before(5))) == ({"evidence": 3}, {})
        assert [await house.rows(one) for one in ("left", "here")] == [0, 8]

    async def test_restricted_data_is_left_alone(self, house: House, retained: Retained) -> None:
        await house.policy()
        await house.statements("l", statement(1))
        await held(house, "l", restricted=True)
        assert said(await retained.carry_out("delete", stored_before=stored_before(9))) == ({}, {"restricted": 1})


async def test_a_worker_that_dies_between_any_two_steps_comes_to_the_same(
    house: House, retained: Retained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retaining, "PART", 7)
    monkeypatch.setattr(own, "LOOKED_AT_ONCE", 2)
    await house.policy()
    for learner in ("a", "b", "c"):
        await house.statements(learner, *[statement(number) for number in range(20)])
    wanted: dict[str, Any] = {"stored_before": stored_before(18)}
    counted = said(await retained.preview("delete", **wanted))
    request = await retained.begin("delete", **wanted)
    steps = 0
    while request not in retained.receipts:
        task = asyncio.create_task(retained.retaining().turn())
        await asyncio.sleep(0.001 * (steps % 9))
        if steps % 3:
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await house.c.db["retention_orders"].update_many(
            {"tenant": house.tenant, "due_at": {"$exists": True}}, {"$set": {"due_at": house.c.clock()}}
        )
        steps += 1
    assert said(retained.receipts[request]) == counted == ({"evidence": 54}, {})
    assert [await house.rows(one) for one in ("a", "b", "c")] == [2, 2, 2]


async def test_whoever_has_nothing_old_costs_no_step(house: House, retained: Retained) -> None:
    await house.policy()
    for number in range(12):
        await house.statements(f"l{number:02}", statement(number), statement(50))
    request = await retained.begin("delete", stored_before=stored_before(1))
    assert said(await retained.finish(request)) == ({"evidence": 1}, {})
    assert await retained.steps(request) == 2, "one for whom there is something, and one to finish"
    request = await retained.begin("delete", stored_before=stored_before(1))
    await retained.finish(request)
    assert await retained.steps(request) == 1


async def test_a_worker_that_dies_with_a_learner_half_done_ends_with_that_learner(
    house: House, retained: Retained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retaining, "PART", 4)
    await house.policy()
    for learner in ("a", "b"):
        await house.statements(learner, *[statement(number) for number in range(4)])
    request = await retained.begin("delete", stored_before=stored_before(4))
    await retained.retaining().turn()
    assert (await house.rows("a"), await house.rows("b")) == (0, 4)
    assert said(await retained.finish(request)) == ({"evidence": 8}, {})
    assert (await house.rows("a"), await house.rows("b")) == (0, 0)
    await house.settle()
    assert (await house.state("a"))[2] == 0, "the profile followed though nothing of it was left to find"


async def test_nothing_of_the_learner_goes_once_a_hold_is_acknowledged(
    house: House, retained: Retained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retaining, "PART", 5)
    monkeypatch.setenv("TRELLIS_RETENTION_RECORDS_PER_SECOND", "20")
    await house.policy()
    await house.statements("l", *[statement(number) for number in range(20)])
    begun = asyncio.Event()
    part = participant(house.c, house.views)
    inner = part.retain

    async def slow(task: Any, session: Any) -> Any:
        begun.set()
        await asyncio.sleep(0.05)
        return await inner(task, session)

    monkeypatch.setattr(part, "retain", slow)
    steps = Retained(house.c, part, house.tenant)
    run = asyncio.create_task(steps.carry_out("delete", stored_before=stored_before(20)))
    await begun.wait()  # a step has read that nobody is held, and not deleted yet
    await held(house, "l", held=True)
    left = await house.rows("l")
    counts, kept = said(await run)
    assert kept == {"held": 1}
    assert await house.rows("l") == left == 20 - counts["evidence"] > 0


@pytest.mark.parametrize(
    ("query", "sort"),
    [
        (
            {
                "tenant": "t",
                "learner": {"$gt": "a", "$lt": "b"},
                "voided": False,
                "at_us": {"$lt": 9},
                "stored_us": {"$lt": 9},
            },
            [("learner", 1)],
        ),
        ({"tenant": "t", "learner": {"$gt": "a"}, "voided": True, "arrived": {"$lt": START}}, [("learner", 1)]),
        (
            {"tenant": "t", "learner": "l", "voided": False, "at_us": {"$lt": 9}, "stored_us": {"$lt": 9}},
            [("at_us", 1), ("statement", 1)],
        ),
        ({"tenant": "t", "learner": "l", "voided": True, "arrived": {"$lt": START}}, None),
        ({"tenant": "t", "learner": "l", "voided": False, "stored_us": {"$gte": 9}}, [("at_us", -1)]),
    ],
)
async def test_a_run_walks_the_index(house: House, query: dict[str, Any], sort: list[tuple[str, int]] | None) -> None:
    rows = house.c.db["evidence"]
    assert IN_ORDER in await rows.index_information()
    await assert_indexed(rows, query, sort)
    await assert_indexed(house.c.db["bases"], {"_id": {"$gt": "t/a", "$lt": "t0"}}, [("_id", 1)])
