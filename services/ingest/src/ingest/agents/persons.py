"""The Person object (1.0.3 Communication 2.4; 2.0 4.1.6.3): each property of an Agent as an array. No I/O."""

from collections.abc import Iterable
from typing import Any, Final

from xapi import canonical_ifi
from xapi.parsing import JsonObject

from ingest.identities.repository import Persona

_PROPERTIES: Final = ("name", "mbox", "mbox_sha1sum", "openid", "account")


def person(agent: JsonObject, personas: Iterable[Persona]) -> JsonObject:
    """What was sent, as it was sent, and what is known beside it."""
    found: dict[str, list[Any]] = {name: [agent[name]] for name in _PROPERTIES if name in agent}
    own = canonical_ifi(agent)
    for persona in personas:
        if persona.ifi != own:
            kind, value = identifier(persona.ifi)
            found.setdefault(kind, []).append(value)
        names = [name for name in persona.names if name not in found.get("name", [])]
        if names:
            found.setdefault("name", []).extend(names)
    return {"objectType": "Person"} | {name: found[name] for name in _PROPERTIES if name in found}


def identifier(ifi: str) -> tuple[str, Any]:
    """The property and its value behind a canonical identifier (`xapi.canonical_ifi`)."""
    kind, _, value = ifi.partition(":")
    if kind != "account":
        return kind, value
    home_page, _, name = value.partition("|")
    return kind, {"homePage": home_page, "name": name}
