"""Which records a rule means."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from events.payloads import Selection
from service_kit.selecting import Facts, before, facts_of, is_outlived, is_whole, matches

T1, T2, T3 = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3))
STATEMENT: dict[str, Any] = {
    "actor": {"mbox": "mailto:ada@example.org"},
    "verb": {"id": "v:did"},
    "object": {"id": "a:1", "definition": {"type": "t:quiz"}},
    "context": {
        "contextActivities": {
            "category": {"id": "a:tag"},
            "parent": [{"id": "a:parent"}],
            "grouping": [{"id": "a:course"}],
        }
    },
}


def test_what_a_statement_says() -> None:
    activities = frozenset({"a:1", "a:tag", "a:parent", "a:course"})
    assert facts_of(STATEMENT) == Facts("v:did", "t:quiz", frozenset({"a:tag"}), activities)
    reference = {"verb": {"id": "v:x"}, "object": {"objectType": "StatementRef", "id": "u"}}
    assert facts_of(reference) == Facts("v:x")


@pytest.mark.parametrize(
    ("selection", "meant"),
    [
        ({}, True),
        ({"verbs": ("v:did", "v:other")}, True),
        ({"verbs": ("v:other",)}, False),
        ({"activity_types": ("t:quiz",), "tags": ("a:tag",)}, True),
        ({"activity_types": ("t:quiz",), "tags": ("a:parent",)}, False),
        ({"activities": ("a:course", "a:none")}, True),
        ({"activities": ("a:none",)}, False),
    ],
)
def test_all_that_is_said_must_hold(selection: dict[str, Any], meant: bool) -> None:
    assert matches(Selection(**selection), facts_of(STATEMENT)) is meant
    assert is_whole(Selection(**selection)) is (selection == {})


def test_the_earliest_of_the_ages_counts() -> None:
    assert before(Selection()) is None
    assert before(Selection(stored_before=T2, inactive_since=T1)) == T1
    assert before(Selection(inactive_since=T2)) == T2


def test_a_copy_goes_once_all_that_it_says_is_old() -> None:
    assert is_outlived(Selection(stored_before=T2), T1)
    assert not is_outlived(Selection(stored_before=T2), T3)
    assert not is_outlived(Selection(stored_before=T2), None)
    assert not is_outlived(Selection(stored_before=T2, verbs=("v:x",)), T1)
