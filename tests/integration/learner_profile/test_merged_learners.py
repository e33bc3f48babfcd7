"""Two learners who are one person: one state of the evidence of both, and both again, byte for byte, after an undo."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import partial

from events.payloads import Basis, RosterRole, Unknown
from learner_profile.estimates.said import Said
from learner_profile.learners.profiles import Status
from service_kit.mongo import in_transaction

from tests.integration.learner_profile.conftest import START, House, policy, statement, voiding

HISTORY = [statement(number) for number in range(24)]
OURS, THEIRS = HISTORY[::2], HISTORY[1::2]


async def test_a_merge_makes_one_state_of_the_evidence_of_both_and_its_undo_restores_them(house: House) -> None:
    await house.policy()
    await house.statements("expected", *HISTORY)
    await house.statements("a", *OURS)
    await house.statements("b", *THEIRS)
    await house.settle()
    before = await house.state("a"), await house.state("b")
    await house.merge("b", "a")
    assert await house.state("a") == await house.state("expected")
    assert (await house.document("b") or {})["status"] == Status.CLOSED
    await house.merge("b", None, version=2)
    assert (await house.state("a"), await house.state("b")) == before


async def test_whenever_the_merge_comes_the_state_is_the_same(house: House) -> None:
    await house.policy()
    void = voiding(HISTORY[3]["id"])
    await house.statements("expected", *HISTORY, void)
    await house.settle()
    for seed in range(3):
        a, b, rng = f"a-{seed}", f"b-{seed}", random.Random(seed)
        sent = [(a, one) for one in OURS] + [(b, one) for one in [*THEIRS, void]]
        rng.shuffle(sent)
        merged_at = rng.randrange(len(sent))
        for number, (learner, one) in enumerate(sent):
            if number == merged_at:
                await house.merge(b, a)
            await house.statements(learner, one)
        await house.settle()
        assert await house.state(a) == await house.state("expected")


async def test_what_comes_in_order_is_folded_on_as_for_anyone_and_nobody_is_built_anew(house: House) -> None:
    await house.policy()
    await house.statements("a", HISTORY[0])
    await house.merge("b", "a")
    for number, one in enumerate(HISTORY[1:], start=1):
        await house.statements("b" if number % 2 else "a", one)
        assert "dirty" not in (await house.document("a") or {}), number
    assert (await house.document("b") or {})["status"] == Status.CLOSED
    folded_on = await house.state("a")
    await house.views.learners.mark_dirty(house.tenant, ["a"])
    await house.settle()
    assert await house.state("a") == folded_on


async def test_what_changes_what_was_folded_builds_anew(house: House) -> None:
    await house.policy()
    await house.statements("a", HISTORY[0], HISTORY[10])
    await house.merge("b", "a")
    together, void = HISTORY[12], voiding(HISTORY[14]["id"])
    for name, sent in {
        "late": [("b", HISTORY[5])],
        "once more by the other identifier": [("a", together), ("b", together)],
        "taken back": [("b", HISTORY[14]), ("b", void)],
    }.items():
        for learner, one in sent:
            await house.statements(learner, one)
        assert "dirty" in (await house.document("a") or {}), name
        await house.settle()


async def test_a_total_by_one_identifier_of_what_the_other_answered_counts_once(house: House) -> None:
    await house.policy()
    quiz = {"id": "https://lms.example/quiz"}
    inside = {"contextActivities": {"parent": [quiz]}}
    question = statement(10, context=inside, result={"success": True})
    total = statement(11, object=quiz, context={}, result={"score": {"scaled": 0.5}})
    for first, second in ((question, total), (total, question)):
        a, b = f"a-{first['id']}", f"b-{first['id']}"
        await house.statements(a, HISTORY[0])
        await house.merge(b, a)
        await house.statements(a, first)
        await house.statements(b, second)
        await house.settle()
        await house.statements(expected := f"expected-{first['id']}", HISTORY[0], question, total)
        await house.settle()
        assert await house.state(a) == await house.state(expected)


async def test_chains_are_one_person_and_every_link_can_be_undone(house: House) -> None:
    await house.policy()
    for learner, number in (("a", 0), ("b", 1), ("c", 2)):
        await house.statements(learner, HISTORY[number])
    await house.merge("b", "c")
    await house.merge("a", "b")
    assert (await house.document("c") or {})["statements"] == 3
    await house.merge("b", None, version=2)
    assert [(await house.document(one) or {})["statements"] for one in ("b", "c")] == [2, 1]
    await house.merge("b", "c", version=1)  # what comes late changes nothing
    assert [(await house.document(one) or {})["statements"] for one in ("b", "c")] == [2, 1]


async def test_the_stricter_consent_holds(house: House) -> None:
    await house.policy(policy(Basis.consent, Unknown.denied))
    await house.decide("a", 1, "granted")
    await house.statements("a", *OURS)
    await house.settle()
    before = await house.state("a")
    await house.decide("b", 1, "withdrawn")
    await house.merge("b", "a")
    assert (await house.document("a") or {})["status"] == Status.CLOSED
    await house.merge("b", None, version=2)
    assert await house.state("a") == before
    await house.merge("b", "a", version=3)
    await house.decide("b", 2, "granted")  # the person has decided anew
    await house.settle()
    assert await house.state("a") == before


async def test_a_withdrawal_removes_the_evidence_of_both(house: House) -> None:
    await house.policy(policy(Basis.consent, Unknown.denied))
    for one in "ab":
        await house.decide(one, 1, "granted")
        await house.statements(one, HISTORY[0 if one == "a" else 1])
    await house.merge("b", "a")
    await house.decide("a", 2, "withdrawn")
    assert [await house.rows("a"), await house.rows("b")] == [0, 0]


async def test_what_two_identifiers_reached_in_one_group_counts_once(house: House) -> None:
    await house.policy()
    together = statement(5, actor={**HISTORY[5]["actor"]})
    await house.statements("expected", together)
    for one in "ab":
        await house.statements(one, together)
    await house.merge("b", "a")
    assert await house.state("a") == await house.state("expected")


async def test_who_learns_by_any_of_the_entries_is_a_learner(house: House) -> None:
    await house.policy()
    await house.statements("a", *OURS)
    await house.role("a", "teacher")
    await house.settle()
    assert (await house.document("a") or {})["status"] == Status.CLOSED
    await house.role("b", "learner", learns_in=["class:1"])
    await house.merge("b", "a")
    assert (await house.document("a") or {})["statements"] == len(OURS)
    known = await house.views.roles.known(house.tenant, ["a"])
    assert known["a"] == RosterRole(roles=["learner", "teacher"], learns_in=["class:1"])
    await house.role("b")
    await house.settle()
    assert (await house.document("a") or {})["status"] == Status.CLOSED


async def test_a_teachers_word_goes_with_the_person_and_stays_where_it_was_said(house: House) -> None:
    await house.policy()
    estimates = house.views.estimates
    words = [Said(competency="c", at=START + timedelta(days=n), by="t", reason="r", probability=n / 4) for n in (1, 2)]
    for one, said in zip("ba", words, strict=True):
        await house.statements(one, HISTORY[0 if one == "a" else 1])
        await in_transaction(house.c.client, partial(estimates.save, house.tenant, one, (said,)))
    await house.merge("b", "a")
    assert (await estimates.of_people(house.tenant, ["a"]))["a"] == tuple(words)
    await house.merge("b", None, version=2)
    assert await estimates.of_people(house.tenant, ["a", "b"]) == {"a": (words[1],), "b": (words[0],)}
