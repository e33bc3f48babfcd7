"""Rows and states in a real MongoDB: any order, any split, any repetition ends in the same bytes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
from events import topics
from events.consumer import Rejected
from events.payloads import Basis, CatalogActivity, Statement, Unknown
from learner_model import CompetencyState, view
from learner_profile.learners.profiles import Status
from service_kit.consent import PolicyUnknown
from service_kit.mongo import in_transaction

from tests.integration.learner_profile.conftest import START, House, course, policy, statement, voiding


async def test_shuffled_repeated_and_split_batches_give_the_same_state_byte_for_byte(house: House) -> None:
    await house.policy()
    history = [statement(number) for number in range(40)]
    history += [voiding(history[number]["id"]) for number in (3, 17)]
    await house.statements("in-order", *history)
    await house.settle()
    expected = await house.state("in-order")
    assert expected[2] == 38
    for seed in range(4):
        rng = random.Random(seed)
        learner = f"shuffled-{seed}"
        sent = [*history, *rng.sample(history, 15)]
        rng.shuffle(sent)
        while sent:
            size = rng.randint(1, 12)
            await house.statements(learner, *sent[:size])
            sent = sent[size:]
            if rng.random() < 0.3:
                await house.rebuilder.turn()
        await house.settle()
        assert await house.state(learner) == expected
        assert await house.rows(learner) == 38


async def test_a_video_in_pieces_is_one_act_in_whatever_order_they_come(house: House) -> None:
    await house.policy()
    pieces = [_watched(number, number / 10) for number in range(11)]
    await house.statements("in-order", *pieces)
    await house.statements("backwards", *pieces[6:])
    await house.statements("backwards", *reversed(pieces[:6]))
    await house.settle()
    assert await house.state("backwards") == await house.state("in-order")
    profiles = await house.views.learners.load(house.tenant, ["in-order"])
    state = profiles["in-order"].state
    assert state is not None
    assert [one.exposures for one in state.competencies.values()] == [1]
    assert state.activity.statements == 11


def _watched(number: int, share: float) -> dict[str, Any]:
    video = "https://w3id.org/xapi/video"
    return statement(
        number,
        verb={"id": f"{video}/verbs/paused"},
        object={"id": "https://lms.example/video", "definition": {"type": f"{video}/activity-type/video"}},
        result={"extensions": {f"{video}/extensions/progress": share}},
        context={"contextActivities": {"grouping": [course(1)]}},
    )


async def test_a_batch_of_many_learners_is_folded_each_for_itself(house: House) -> None:
    await house.policy()
    for number in range(6):
        await house.statements(f"l{number % 2}", statement(number))
    assert [await house.rows(f"l{number}") for number in range(2)] == [3, 3]
    document = await house.document("l1")
    assert document is not None
    assert (document["version"], document["statements"]) == (3, 3)


async def test_late_evidence_is_rebuilt_and_reflects_the_last_stored(house: House) -> None:
    await house.policy()
    late = statement(1, stored="2026-05-01T00:00:00Z")
    await house.statements("l", statement(5))
    await house.statements("l", late)
    document = await house.document("l")
    assert document is not None
    assert "dirty" in document
    assert document["data"]
    await house.settle()
    document = await house.document("l")
    assert document is not None
    assert document["reflects"][1] == late["id"]
    assert document["statements"] == 2
    assert "outbox" in document


class TestVoiding:
    async def test_it_takes_evidence_out_of_the_state(self, house: House) -> None:
        await house.policy()
        first, second = statement(1), statement(2)
        await house.statements("l", first, second)
        await house.statements("l", voiding(second["id"]))
        await house.settle()
        await house.statements("without", first)
        assert await house.state("l") == await house.state("without")
        assert (await house.rows("l"), await house.rows("l", voided=True)) == (1, 1)
        row = await house.c.db["evidence"].find_one({"_id": f"{house.tenant}/l/{second['id']}"})
        assert row is not None
        assert "data" not in row

    async def test_it_may_come_before_its_target(self, house: House) -> None:
        await house.policy()
        first, second = statement(1), statement(2)
        await house.statements("l", voiding(second["id"]))
        assert await house.document("l") is None
        await house.statements("l", first, second)
        await house.settle()
        assert (await house.state("l"))[2] == 1


class TestCatalog:
    async def test_a_mapping_that_comes_later_moves_the_evidence(self, house: House) -> None:
        await house.policy()
        history = [statement(number) for number in range(7)]
        await house.statements("before", *history)
        profile = (await house.views.learners.load(house.tenant, ["before"]))["before"]
        assert profile.state is not None
        assert all(competency.provisional for competency in profile.state.competencies.values())
        assert profile.titles["https://lms.example/course/1"] == "Course 1"
        await house.activities(*[_activity(number) for number in range(7)])
        await house.settle()
        await house.statements("after", *history)
        assert await house.state("before") == await house.state("after")
        profile = (await house.views.learners.load(house.tenant, ["before"]))["before"]
        assert profile.state is not None
        assert sorted(profile.state.competencies) == ["c/0", "c/1"]
        assert profile.titles == {}

    async def test_other_weights_weigh_the_evidence_anew(self, house: House) -> None:
        await house.policy()
        whole = _activity(1).model_copy(update={"competencies": ["c/whole"]})
        await house.activities(whole)
        await house.statements("l", statement(1, result={"success": True}))
        [before] = (await self._competencies(house, "l")).values()
        await house.activities(whole.model_copy(update={"weights": {"c/whole": 0.25}}))
        await house.settle()
        [after] = (await self._competencies(house, "l")).values()
        assert 0 < after.mean < before.mean
        assert after.variance > before.variance

    @staticmethod
    async def _competencies(house: House, learner: str) -> Mapping[str, CompetencyState]:
        profile = (await house.views.learners.load(house.tenant, [learner]))[learner]
        assert profile.state is not None
        return profile.state.competencies

    async def test_what_does_not_change_the_mapping_rebuilds_nobody(self, house: House) -> None:
        await house.policy()
        await house.activities(_activity(1))
        await house.settle()
        await house.statements("l", statement(1))
        version = (await house.document("l") or {})["version"]
        await house.activities(_activity(1).model_copy(update={"title": "Another title"}))
        await house.settle()
        assert (await house.document("l") or {})["version"] == version

    async def test_a_remap_still_due_outlives_a_change_of_title(self, house: House) -> None:
        await house.policy()
        answer = statement(1)
        await house.statements("l", answer)
        await house.activities(_activity(1))
        await house.activities(_activity(1).model_copy(update={"title": "Another title"}))
        await house.settle()
        await house.statements("after", answer)
        assert await house.state("l") == await house.state("after")

    async def test_a_removed_activity_gives_its_evidence_back_to_the_course(self, house: House) -> None:
        await house.policy()
        await house.statements("never", statement(1))
        await house.activities(_activity(1))
        await house.statements("l", statement(1))
        key = "https://lms.example/activity/1"
        await house.run(house.catalog.handle, house.message(topics.ACTIVITIES, key, None))
        await house.settle()
        state = view((await house.views.learners.load(house.tenant, ["l"]))["l"].state, START)  # type: ignore[arg-type]
        assert [competency.id for competency in state.competencies] == [course(1)["id"]]

    async def test_a_second_look_finds_what_came_in_between(self, house: House) -> None:
        """A batch that began before the change may commit after the first look: here, its row appears by hand."""
        await house.policy()
        await house.activities(_activity(1))
        due = await house.views.activities.due(house.c.clock(), 10)
        await house.settle()
        remap = await house.c.db["activities"].find_one({"_id": f"{house.tenant}/https://lms.example/activity/1"})
        assert remap is not None
        assert remap["remap"]["due"] > house.c.clock()
        await house.statements("l", statement(1))
        version = (await house.document("l") or {})["version"]
        later = [one for one in due if one.tenant == house.tenant]
        await house.c.db["activities"].update_one({"_id": remap["_id"]}, {"$set": {"remap.due": START}})
        assert len(later) == 1
        await house.settle()
        assert (await house.document("l") or {})["version"] == version + 1
        remap = await house.c.db["activities"].find_one({"_id": remap["_id"]})
        assert remap is not None
        assert "remap" not in remap


class TestConsent:
    async def test_without_a_policy_the_batch_waits(self, house: House) -> None:
        with pytest.raises(PolicyUnknown):
            await house.statements("l", statement(1))
        assert await house.rows("l") == 0

    async def test_an_objection_keeps_the_rows_and_folds_nothing(self, house: House) -> None:
        await house.policy()
        await house.statements("l", statement(1))
        await house.decide("l", 1, "objected")
        document = await house.document("l")
        assert document is not None
        assert (document["status"], document["data"]) == (Status.CLOSED, None)
        assert "outbox" in document
        await house.statements("l", statement(2), statement(0))
        assert await house.rows("l") == 3
        assert (await house.document("l") or {})["status"] == Status.CLOSED
        await house.decide("l", 2, "granted")
        await house.settle()
        await house.statements("always", *[statement(number) for number in range(3)])
        assert (await house.state("l"))[2] == 3
        document = await house.document("l")
        assert document is not None
        assert (document["status"], document["version"]) == (Status.OPEN, 3)

    async def test_a_withdrawal_removes_rows_and_state_and_later_statements_leave_none(self, house: House) -> None:
        await house.policy()
        await house.statements("l", statement(1))
        await house.decide("l", 1, "withdrawn")
        await house.statements("l", statement(2))
        assert await house.rows("l") == 0
        assert (await house.document("l") or {})["status"] == Status.CLOSED
        await house.decide("l", 2, "granted")
        await house.settle()
        await house.statements("l", statement(3))
        assert (await house.state("l"))[2] == 1

    async def test_what_waits_to_be_built_is_built_before_a_withdrawal_of_record_is_acknowledged(
        self, house: House
    ) -> None:
        await house.policy()
        await house.statements("l", statement(2))
        await house.statements("l", statement(1))
        assert "dirty" in (await house.document("l") or {})
        await house.decide("l", 1, "withdrawn", "record")
        acknowledged = await house.document("l")
        assert acknowledged is not None
        assert (acknowledged["statements"], "dirty" in acknowledged) == (2, False)
        await house.statements("l", statement(3))
        await house.settle()
        assert await house.document("l") == acknowledged

    async def test_where_nothing_is_known_and_the_policy_denies_nothing_is_kept(self, house: House) -> None:
        await house.policy(policy(Basis.consent, Unknown.denied))
        await house.statements("l", statement(1))
        assert await house.rows("l") == 0
        await house.decide("l", 1, "granted")
        assert await house.document("l") is None
        await house.statements("l", statement(2))
        assert await house.rows("l") == 1

    async def test_every_decision_is_acknowledged(self, house: House) -> None:
        await house.policy()
        await house.decide("l", 4, "objected")
        found = await house.c.db["receipts"].find({"tenant": house.tenant}).to_list(None)
        assert [(one["receipt"]["kind"], one["receipt"]["version"]) for one in found] == [("consent", 4)]


class TestErasure:
    async def test_nothing_is_left_and_what_still_arrives_is_dropped(self, house: House) -> None:
        await house.policy()
        target = statement(1)
        await house.statements("l", target, statement(2), voiding(target["id"]))
        await house.statements("other", statement(1))
        other = await house.state("other")
        await house.erase("l")
        await house.statements("l", statement(3))
        assert (await house.rows("l"), await house.rows("l", voided=True)) == (0, 0)
        receipt = await house.c.db["receipts"].find_one({"tenant": house.tenant, "receipt.kind": "erasure"})
        assert receipt is not None
        counts = {"evidence": 2, "estimates": 0, "learners": 1, "roles": 0, "claims": 0}
        assert receipt["receipt"]["counts"] == counts
        document = await house.document("l")
        assert document is not None
        assert (document["status"], document["data"]) == (Status.ERASED, None)
        await house.c.db["learners"].update_one({"_id": document["_id"]}, {"$unset": {"outbox": ""}})
        await house.views.learners.sweep_erased()
        assert await house.document("l") is None
        assert await house.state("other") == other


class TestInvalid:
    async def test_what_cannot_be_read_is_rejected_by_itself(self, house: House) -> None:
        await house.policy()
        good = house.message(topics.STATEMENTS, "l", Statement(statement(1)))
        bad = house.message(topics.STATEMENTS, "l", Statement({"id": "x"}))
        lost = house.message(topics.STATEMENTS, None, Statement(statement(2)))
        with pytest.raises(Rejected) as error:
            await house.run(house.handler.handle, good, bad, lost)
        assert [message for message, _ in error.value.verdicts] == [bad, lost]
        assert await house.rows("l") == 0


async def test_a_batch_that_fails_leaves_nothing(house: House) -> None:
    await house.policy()
    message = house.message(topics.STATEMENTS, "l", Statement(statement(1)))

    async def crash(session: Any) -> None:
        await house.handler.handle([message], session)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        await in_transaction(house.c.client, crash)
    assert await house.rows("l") == 0
    assert await house.document("l") is None


def _activity(number: int) -> CatalogActivity:
    return CatalogActivity(
        id=f"https://lms.example/activity/{number}",
        title=f"Activity {number}",
        competencies=[f"c/{number % 2}"],
        difficulty=0.4,
        duration="PT30S",
        tags=["maths"],
    )
