"""A statement of others without whoever is forgotten."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ingest.erasure.rewriting import FORGOTTEN_HOME_PAGE, without
from xapi import agents_of, canonical_ifi, parse_statement

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
    result = without(source, {ada}.__contains__, "f7a1")
    assert json.dumps(source) == before
    assert "ada" not in json.dumps(result).lower()
    parse_statement(result)
    named = [use.ifi for use in agents_of(source)]
    forgotten = f"account:{FORGOTTEN_HOME_PAGE}|f7a1"
    assert [use.ifi for use in agents_of(result)] == [forgotten if ifi == ada else ifi for ifi in named]


def test_an_identified_group_keeps_its_members() -> None:
    group = {"objectType": "Group", "mbox": "mailto:team@example.org", "member": [GRACE]}
    source = {"actor": group, "verb": VERB, "object": ACTIVITY}
    result = without(source, {str(canonical_ifi(group))}.__contains__, "f7a1")
    assert result["actor"]["member"] == [GRACE]
    assert result["actor"]["account"]["homePage"] == FORGOTTEN_HOME_PAGE
    parse_statement(result)


def test_what_names_nobody_forgotten_stays() -> None:
    source = {"actor": GRACE, "verb": VERB, "object": ACTIVITY, "context": {"extensions": {"https://x.org/agent": {}}}}
    assert without(source, lambda _: False, "x") == source
