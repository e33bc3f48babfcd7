"""Definitions of one activity put together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from xapi import merge_definition

languages = st.dictionaries(st.sampled_from(["en", "fr", "de"]), st.text(max_size=5))
definitions = st.fixed_dictionaries(
    {},
    optional={"name": languages, "description": languages, "type": st.text(max_size=5), "extensions": languages},
)


def test_languages_come_together() -> None:
    known = {"name": {"en": "meeting"}, "type": "https://e.org/meeting"}
    assert merge_definition(known, {"name": {"fr": "réunion"}}) == {
        "name": {"en": "meeting", "fr": "réunion"},
        "type": "https://e.org/meeting",
    }


def test_what_is_newer_wins() -> None:
    assert merge_definition({"name": {"en": "a"}, "type": "x:a"}, {"name": {"en": "b"}, "type": "x:b"}) == {
        "name": {"en": "b"},
        "type": "x:b",
    }


def test_components_keep_their_other_languages() -> None:
    known = {"interactionType": "choice", "choices": [{"id": "a", "description": {"en": "A"}}, {"id": "b"}]}
    newer = {"interactionType": "choice", "choices": [{"id": "c"}, {"id": "a", "description": {"fr": "À"}}]}
    merged = merge_definition(known, newer)
    assert merged["choices"] == [{"id": "c"}, {"id": "a", "description": {"en": "A", "fr": "À"}}]


def test_another_interaction_drops_what_does_not_fit() -> None:
    known = {"interactionType": "choice", "choices": [{"id": "a"}], "correctResponsesPattern": ["a"], "type": "x:q"}
    merged = merge_definition(known, {"interactionType": "numeric"})
    assert merged == {"type": "x:q", "interactionType": "numeric"}


def test_a_definition_without_interaction_leaves_it() -> None:
    known = {"interactionType": "choice", "choices": [{"id": "a"}]}
    assert merge_definition(known, {"type": "x:q"}) == known | {"type": "x:q"}


@given(definitions, definitions)
def test_nothing_is_lost_and_again_changes_nothing(known: dict[str, object], newer: dict[str, object]) -> None:
    before = repr(known), repr(newer)
    merged = merge_definition(known, newer)
    assert merged.keys() == known.keys() | newer.keys()
    assert merge_definition(merged, newer) == merged
    assert (repr(known), repr(newer)) == before
