"""What is taken beyond the standard: by name, kept as it was sent, and nothing else."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from xapi import (
    Allowance,
    StatementInvalid,
    Version,
    activities_of,
    equal,
    judge_statement,
    judge_statements,
    parse_statements,
    render,
)

ACTOR = {"mbox": "mailto:ada@example.org"}
VERB = {"id": "https://example.org/verbs/did"}


def statement(**parts: Any) -> dict[str, Any]:
    return {"id": str(uuid4()), "actor": ACTOR, "verb": VERB, "object": {"id": "https://example.org/a"}, **parts}


GROUP = {"objectType": "GroupActivity", "id": "https://example.org/problem"}
STRANGE = {
    Allowance.group_activity: [
        statement(object=GROUP),
        statement(context={"contextActivities": {"parent": [GROUP], "grouping": GROUP}}),
        statement(object={"objectType": "SubStatement", "actor": ACTOR, "verb": VERB, "object": GROUP}),
    ],
    Allowance.interaction_type: [
        statement(object={"id": "https://example.org/a", "definition": {"interactionType": "compound"}}),
        statement(
            object={
                "id": "https://example.org/a",
                "definition": {"interactionType": "long-choice", "choices": [{"id": "1"}]},
            }
        ),
    ],
    Allowance.flat_score: [statement(result={"score": {"raw": 0, "min": 0, "max": 0, "scaled": 0}})],
}
CASES = [(allowance, raw) for allowance, found in STRANGE.items() for raw in found]


@pytest.mark.parametrize(("allowance", "raw"), CASES)
@pytest.mark.parametrize("version", [Version.V1_0_3, Version.V2_0_0])
class TestAllowances:
    def test_without_it_the_statement_is_refused(
        self, allowance: Allowance, raw: dict[str, Any], version: Version
    ) -> None:
        with pytest.raises(StatementInvalid):
            parse_statements(json.dumps(raw).encode(), version)
        with pytest.raises(StatementInvalid):
            judge_statement(raw, version, set(Allowance) - {allowance})

    def test_with_it_the_statement_is_kept_as_it_was_sent(
        self, allowance: Allowance, raw: dict[str, Any], version: Version
    ) -> None:
        before = json.dumps(raw)
        found = judge_statement(raw, version, {allowance})
        assert found.allowances == {allowance}
        assert json.dumps(found.parsed.raw) == before
        assert equal(found.parsed.raw, raw)
        assert render(found.parsed.raw, "ids")["object"] is not None


@pytest.mark.parametrize("allowance", list(Allowance))
def test_an_allowance_lets_nothing_else_through(allowance: Allowance) -> None:
    for raw in (
        statement(object={"objectType": "Groupactivity", "id": "https://example.org/a"}),
        statement(object={"objectType": "GroupActivity"}),
        statement(object={"id": "https://example.org/a", "definition": {"interactionType": "compounds"}}),
        statement(result={"score": {"raw": 2, "min": 1, "max": 0}}),
        statement(result={"score": {"min": True, "max": True}}),
        statement(result={"score": {"min": "0", "max": "0"}}),
    ):
        with pytest.raises(StatementInvalid):
            judge_statement(raw, allowances={allowance})


def test_a_group_activity_is_an_activity_for_the_index() -> None:
    raw = statement(object=GROUP, context={"contextActivities": {"parent": [GROUP]}})
    assert [use.activity["id"] for use in activities_of(raw)] == [GROUP["id"], GROUP["id"]]


def test_each_statement_of_a_batch_is_judged_by_itself() -> None:
    good, bad = statement(), statement(actor={})
    judged = judge_statements(json.dumps([good, bad, "no statement"]).encode())
    assert [one.index for one in judged.accepted] == [0]
    assert [(one.index, one.problems[0].path) for one in judged.rejected] == [(1, "/actor"), (2, "")]
    assert judged.is_array


def test_of_statements_with_one_id_the_first_counts() -> None:
    first = statement()
    other = {**first, "verb": {"id": "https://example.org/verbs/undid"}}
    judged = judge_statements(json.dumps([first, first, other]).encode())
    assert judged.twins == {1: 0}
    assert [(one.index, one.problems[0].path) for one in judged.rejected] == [(2, "/id")]


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"actor": 1, "actor": 2}', b"[" * 2000])
def test_what_cannot_be_told_apart_is_refused_whole(body: bytes) -> None:
    with pytest.raises(StatementInvalid):
        judge_statements(body)
