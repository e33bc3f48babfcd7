"""Bytes or JSON objects → checked statements."""

from dataclasses import dataclass
from typing import Any

from .models import Statement
from .versions import Version

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A checked statement: `statement` to read, `raw` to store (exactly the JSON that was sent, nothing changed)."""

    statement: Statement
    raw: JsonObject


def parse_statements(body: bytes, version: Version = Version.V2_0_0) -> list[Parsed]:
    """One statement or a non-empty batch (JSON array) from a request body; ids within a batch are distinct.

    Raises StatementInvalid; in a batch each pointer begins with the index (`/3/actor/mbox`).
    """
    raise NotImplementedError


def parse_statement(raw: bytes | JsonObject, version: Version = Version.V2_0_0) -> Parsed:
    """Exactly one statement (an array is refused). Raises StatementInvalid."""
    raise NotImplementedError


def parse_agent(raw: bytes | str | JsonObject, version: Version = Version.V2_0_0) -> JsonObject:
    """An identified Agent or Group, as GET parameters and POST /identities carry it; returns the JSON object.

    Raises StatementInvalid; an agent without an identifier is refused.
    """
    raise NotImplementedError
