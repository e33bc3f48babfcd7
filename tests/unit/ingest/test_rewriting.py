"""A statement of others without whoever is forgotten."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ingest.attachments.signatures import USAGE as SIGNATURE
from ingest.erasure.rewriting import ERASED_SIGNATURE, as_kept, rewritten
from xapi import agents_of, canonical_ifi, difference, parse_statement
from xapi.cutting import ERASED_HOME_PAGE, with_erased

ADA = {"objectType": "Agent", "name": "Ada", "mbox": "mailto:ada@example.org"}
GRACE = {"account": {"homePage": "https://lms.example.org", "name": "grace"}}
PAIR = {"objectType": "Group", "name": "pair", "member": [ADA, GRACE]}
ACTIVITY = {"id": "https://example.org/activities/1"}
VERB = {"id": "https://example.org/verbs/read"}

PLACES: list[dict[str, Any]] = [
    {"actor": ADA},
    {"actor": PAIR},
    {"object": ADA},
    {"object": PAIR},
    {"context": {"instructor": ADA}},
    {"context": {"team": PAIR}},
    {"context": {"contextAgents": [{"objectType": "contextAgent", "agent": ADA}]}},
    {"context": {"contextGroups": [{"objectType": "contextGroup", "group": PAIR}]}},
    {"authority": ADA},
    {
        "object": {
            "objectType": "SubStatement",
            "actor": ADA,
            "verb": VERB,
            "object": ACTIVITY,
            "context": {"instructor": ADA},
        }
    },
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: json.dumps(place)[:40])
def test_every_place(place: dict[str, Any]) -> None:
    source = {"actor": GRACE, "verb": VERB, "object": ACTIVITY} | place
    before = json.dumps(source)
    ada = str(canonical_ifi(ADA))
    result = with_erased(source, {ada: "f7a1"})
    assert json.dumps(source) == before
    assert "ada" not in json.dumps(result).lower()
    parse_statement(result)
    named = [use.ifi for use in agents_of(source)]
    forgotten = f"account:{ERASED_HOME_PAGE}|f7a1"
    assert [use.ifi for use in agents_of(result)] == [forgotten if ifi == ada else ifi for ifi in named]


def test_an_identified_group_keeps_its_members() -> None:
    group = {"objectType": "Group", "mbox": "mailto:team@example.org", "member": [GRACE]}
    source = {"actor": group, "verb": VERB, "object": ACTIVITY}
    result = with_erased(source, {str(canonical_ifi(group)): "f7a1"})
    assert result["actor"]["member"] == [GRACE]
    assert result["actor"]["account"]["homePage"] == ERASED_HOME_PAGE
    parse_statement(result)


def test_what_names_nobody_forgotten_stays() -> None:
    source = {"actor": GRACE, "verb": VERB, "object": ACTIVITY, "context": {"extensions": {"https://x.org/agent": {}}}}
    assert with_erased(source, {}) == source


@pytest.mark.parametrize("place", PLACES, ids=lambda place: json.dumps(place)[:40])
def test_what_comes_again_is_compared_without_the_erased(place: dict[str, Any]) -> None:
    signature = {"usageType": SIGNATURE, "contentType": "a/b", "length": 1, "sha2": "a" * 64, "display": {}}
    source = {"actor": GRACE, "verb": VERB, "object": ACTIVITY, "attachments": [signature]} | place
    source["result"] = {"response": "said ada@example.org"}
    kept = rewritten(source, {str(canonical_ifi(ADA)): "f7a1"})
    assert kept["attachments"][0]["usageType"] == ERASED_SIGNATURE
    assert difference(kept, source) is not None
    assert difference(kept, as_kept(source, kept)) is None
    other = json.loads(json.dumps(source).replace("grace", "linus"))
    assert difference(kept, as_kept(other, kept)) is not None or "grace" not in json.dumps(source)
