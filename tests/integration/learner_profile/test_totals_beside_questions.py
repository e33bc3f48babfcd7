"""Totals beside their questions in a real MongoDB, whichever came first; late and future times; groups of no one."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.learner_profile.conftest import ADL, HOME, House, statement, voiding

EMITTERS = Path(__file__).parents[2] / "fixtures" / "emitters"
SELF = {"objectType": "Agent", "account": {"homePage": HOME, "name": "self"}}


def question(number: int, *parents: str, **more: Any) -> dict[str, Any]:
    context = {"contextActivities": {"parent": [{"id": parent} for parent in parents]}}
    return statement(number, object={"id": f"https://lms.example/q/{number}"}, context=context, **more)


def total(number: int, activity: str, **more: Any) -> dict[str, Any]:
    verb = {"id": f"{ADL}completed"}
    return statement(number, object={"id": activity}, verb=verb, result={"score": {"scaled": 0.5}}, **more)


def fixture(name: str) -> list[dict[str, Any]]:
    sent = json.loads((EMITTERS / f"{name}.json").read_text())["statements"]
    return [{"id": str(uuid4()), **one, "actor": SELF, "stored": "2026-03-09T10:00:00Z"} for one in sent]


async def counts(house: House, learner: str) -> tuple[int, int]:
    """Pieces of evidence that moved a belief, and totals."""
    profile = (await house.views.learners.load(house.tenant, [learner]))[learner]
    assert profile.state is not None
    rows = (await house.views.evidence.of_learners(house.tenant, [learner]))[learner]
    return sum(one.evidence_count for one in profile.state.competencies.values()), sum(row.total for row in rows)


@pytest.mark.parametrize("name", ["moodle", "h5p", "open_edx"])
async def test_any_order_of_an_emitters_statements_gives_the_same_bytes(house: House, name: str) -> None:
    await house.policy()
    history = fixture(name)
    await house.statements("at-once", *history)
    await house.settle()
    expected = await house.state("at-once")
    for seed in range(3):
        rng = random.Random(seed)
        sent = rng.sample(history, len(history))
        learner = f"shuffled-{seed}"
        while sent:
            size = rng.randint(1, 4)
            await house.statements(learner, *sent[:size])
            sent = sent[size:]
            if rng.random() < 0.4:
                await house.rebuilder.turn()
        await house.settle()
        assert await house.state(learner) == expected


@pytest.mark.parametrize("first", ["total", "questions"])
async def test_the_questions_count_and_the_total_is_kept(house: House, first: str) -> None:
    await house.policy()
    sent = [total(9, "quiz"), question(1, "quiz"), question(2, "quiz")]
    for one in sent if first == "total" else sent[::-1]:
        await house.statements("l", one)
    await house.settle()
    assert await counts(house, "l") == (2, 1)
    assert await house.rows("l") == 3


async def test_a_second_attempt_under_the_same_id_builds_nothing_anew(house: House) -> None:
    await house.policy()
    await house.statements("l", question(1, "set"), total(2, "set"))
    await house.statements("l", question(3, "set"))
    document = await house.document("l")
    assert document is not None
    assert "dirty" not in document
    await house.statements("l", total(4, "set"))
    assert await counts(house, "l") == (2, 2)


async def test_a_reference_finds_its_statement_whichever_came_first(house: House) -> None:
    await house.policy()
    whole = statement(5, object={"id": "problem"})
    part = statement(6, context={"statement": {"objectType": "StatementRef", "id": whole["id"]}})
    passed = {
        "verb": {"id": f"{ADL}passed"},
        "context": {"statement": {"objectType": "StatementRef", "id": part["id"]}},
    }
    unit = statement(7, object={"id": "unit"}, **passed)
    for learner, order in (("a", [whole, part, unit]), ("b", [unit, part, whole])):
        for one in order:
            await house.statements(learner, one)
        await house.settle()
        rows = (await house.views.evidence.of_learners(house.tenant, [learner]))[learner]
        assert [row.total for row in rows] == [True, False, True]
    assert await house.state("a") == await house.state("b")


async def test_once_its_questions_are_voided_a_total_counts_again(house: House) -> None:
    await house.policy()
    sent = question(1, "quiz")
    await house.statements("l", sent, total(2, "quiz", context=statement(0)["context"]))
    assert (await counts(house, "l"))[1] == 1
    await house.statements("l", voiding(sent["id"]))
    await house.settle()
    assert await counts(house, "l") == (1, 0)


async def test_learners_and_tenants_have_ties_of_their_own(house: House) -> None:
    await house.policy()
    other = House.of(house.c, f"{house.tenant}-2")
    await other.policy()
    await house.statements("a", question(1, "quiz"))
    await house.statements("b", total(2, "quiz"))
    await other.statements("a", total(3, "quiz"))
    assert (await counts(house, "b"))[1] == (await counts(other, "a"))[1] == 0


async def test_late_evidence_counts_and_is_flagged(house: House) -> None:
    await house.policy()
    late = statement(1, stored="2026-04-02T08:01:00Z")
    await house.statements("l", late, statement(2), statement(3, timestamp="2030-01-01T00:00:00Z"))
    rows = (await house.views.evidence.of_learners(house.tenant, ["l"]))["l"]
    assert {row.reading.statement_id for row in rows if row.late} == {late["id"]}
    assert [row.reading.ahead for row in rows] == [False, False, True]
    assert rows[-1].reading.at == rows[-1].reading.stored
    assert (await house.state("l"))[2] == 3


async def test_a_group_of_whom_no_one_is_known_is_kept_and_not_folded(house: House) -> None:
    await house.policy()
    mark = {"https://trellis.invalid/extensions/group": {"name": "self", "members": 0}}
    await house.statements("group", statement(1, context={"extensions": mark}))
    assert await house.rows("group") == 1
    assert await house.views.learners.load(house.tenant, ["group"]) == {}


async def test_a_groups_results_are_kept_as_the_measure_of_collaboration(house: House) -> None:
    await house.policy()
    mark = {"https://trellis.invalid/extensions/group": {"name": "other-1", "members": 4}}
    together = [statement(n, context={**statement(n)["context"], "extensions": mark}) for n in (2, 1)]
    for one in [*together, statement(3)]:
        await house.statements("l", one)
    await house.settle()
    profile = (await house.views.learners.load(house.tenant, ["l"]))["l"]
    assert (profile.collaboration.acts, profile.collaboration.members) == (2, 8)
