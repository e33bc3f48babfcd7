"""Open text that repeats who somebody is goes with them; nothing else does, and the Kafka form stays as it was."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from xapi import JsonObject, agents_of, canonical_ifi, dumps, for_learner, learners_of, parse_statement
from xapi.cutting import with_erased
from xapi.mentions import without_mentions

from tests.support.xapi_strategies import statements

BOB = {"name": "Bob Noble", "mbox": "mailto:bob@example.org"}
IFI = str(canonical_ifi(BOB))


def statement(mention: str) -> JsonObject:
    definition: dict[str, Any] = {"name": {"en": mention}, "moreInfo": f"https://e.org/{mention}"}
    activity = {"id": "https://e.org/1", "definition": definition}
    return {
        "actor": {"mbox": "mailto:ada@example.org"},
        "verb": {"id": "https://e.org/v", "display": {"en": mention, "de": "las"}},
        "object": {
            "objectType": "SubStatement",
            "actor": BOB,
            "verb": {"id": "https://e.org/v"},
            "object": activity,
            "result": {"response": mention, "extensions": {"https://e.org/x": [{"by": mention}], "https://e.org/y": 1}},
        },
        "context": {
            "platform": mention,
            "extensions": {"https://e.org/x": mention},
            "contextActivities": {"parent": [activity], "other": activity},
        },
        "attachments": [{"display": {"en": mention}, "usageType": "https://e.org/u", "sha2": "a" * 64}],
    }


def test_every_place() -> None:
    for mention in ("from bob@example.org", "BOB NOBLE!", "mailto:BOB@example.org"):
        text = dumps(without_mentions(statement(mention), {IFI})).decode()
        assert text.lower().count("bob") == dumps(BOB).decode().lower().count("bob")
        assert '"de":"las"' in text
        assert '"https://e.org/y":1' in text


def test_what_mentions_nobody_stays_as_it_is() -> None:
    for mention in ("bobsleigh", "Noble Bob", "ada@example.org"):
        assert dumps(without_mentions(statement(mention), {IFI})) == dumps(statement(mention))
    assert dumps(without_mentions(statement("bob@example.org"), set())) == dumps(statement("bob@example.org"))


@given(statements(), st.data())
@settings(max_examples=80, deadline=None)
def test_the_form_on_kafka_is_as_it_was(sent: JsonObject, data: st.DataObject) -> None:
    """For everyone who is left, whoever of the others is erased."""
    learners = learners_of(sent)
    own = {data.draw(st.sampled_from(learners))}
    others = sorted({use.ifi for use in agents_of(sent) if use.ifi is not None} - own)
    if not others:
        return
    gone = data.draw(st.sampled_from(others))
    spoken = {**sent, "context": {**sent.get("context", {}), "extensions": {"https://e.org/x": f"by {gone}"}}}
    left = with_erased(without_mentions(spoken, {gone}), {gone: "f7a1-0042"})
    parse_statement(left)
    assert dumps(for_learner(left, own)) == dumps(for_learner(spoken, own))
