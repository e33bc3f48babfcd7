"""The Person object."""

from __future__ import annotations

import pytest
from ingest.agents.persons import identifier, person
from ingest.identities.repository import Persona
from xapi import canonical_ifi

MAIL = {"mbox": "mailto:Ada@EXAMPLE.org"}
ACCOUNT = {"account": {"homePage": "https://lms.example.org", "name": "a|b"}}


def test_of_an_unknown_agent_is_what_was_sent() -> None:
    assert person({**MAIL, "objectType": "Agent", "name": "Ada"}, []) == {
        "objectType": "Person",
        "name": ["Ada"],
        "mbox": ["mailto:Ada@EXAMPLE.org"],
    }


def test_names_and_other_identifiers_are_added() -> None:
    known = [
        Persona(str(canonical_ifi(MAIL)), ["Ada", "Ada L."]),
        Persona(str(canonical_ifi(ACCOUNT)), ["Ada", "Countess"]),
        Persona("mbox:mailto:ada@example.net", []),
    ]
    assert person(MAIL, known) == {
        "objectType": "Person",
        "name": ["Ada", "Ada L.", "Countess"],
        "mbox": ["mailto:Ada@EXAMPLE.org", "mailto:ada@example.net"],
        "account": [ACCOUNT["account"]],
    }


@pytest.mark.parametrize(
    "agent",
    [
        ACCOUNT,
        {"mbox": "mailto:ada@example.org"},
        {"openid": "https://ada.example.org/"},
        {"mbox_sha1sum": "ebd31e95054c018b10727ccffd2ef2ec3a016ee9"},
    ],
)
def test_identifier_is_the_way_back(agent: dict[str, object]) -> None:
    kind, value = identifier(str(canonical_ifi(agent)))
    assert {kind: value} == agent
