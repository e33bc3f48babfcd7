"""Statements out: a query to a selection, a page to the answer, and on to the next page."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from xapi import StatementQuery

from ingest.statements.indexing import (
    ACTIVITY,
    AGENT,
    REGISTRATION,
    RELATED_ACTIVITY,
    VERB,
    agent_tokens,
    token,
)
from ingest.statements.refusals import wrong_parameter
from ingest.statements.repository import Place, Selection
from ingest.statements.stamps import to_micros

PAGE: Final = 500
"""The most statements of one answer; `limit` 0, or none, means this many (1.0.3 Communication 2.1.3)."""
MORE: Final = "more"
Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a walk goes on: the parameters it began with, and the last statement given."""

    params: Pairs
    place: Place

    def encode(self) -> str:
        raw = orjson.dumps([self.params, self.place.stored, self.place.statement_id])
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """Raises `BadRequest`."""
        try:
            params, stored, statement_id = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            cursor = cls([(str(name), str(value)) for name, value in params], Place(stored, statement_id))
        except (TypeError, ValueError):
            cursor = None
        if cursor is None or not _is_possible(cursor.place):
            raise wrong_parameter(MORE, "expected a cursor that this LRS has given")
        return cursor


def _is_possible(place: Place) -> bool:
    return type(place.stored) is int and abs(place.stored) < 2**63 and type(place.statement_id) is str


def pages(params: Pairs) -> tuple[Pairs, Place | None]:
    """The parameters of the walk and where it goes on. Raises `BadRequest`."""
    cursors = [value for name, value in params if name == MORE]
    if not cursors:
        return params, None
    if len(params) > 1:
        raise wrong_parameter(MORE, "is not used together with other parameters: it holds them")
    cursor = Cursor.decode(cursors[0])
    return cursor.params, cursor.place


def page_size(query: StatementQuery) -> int:
    return min(query.limit, PAGE) or PAGE


def selection(query: StatementQuery, agents: Sequence[str], consistent_through: int) -> Selection:
    """`agents` are the agent_ids of whom the query names, several of one person. An ascending walk ends where later
    ones may still come in.
    """
    until = None if query.until is None else to_micros(query.until)
    if query.ascending:
        until = consistent_through if until is None else min(until, consistent_through)
    return Selection(
        tuple(_conditions(query, agents)),
        since=None if query.since is None else to_micros(query.since),
        until=until,
        ascending=query.ascending,
    )


def _conditions(query: StatementQuery, agents: Sequence[str]) -> Iterator[list[bytes]]:
    if query.registration is not None:
        yield [token(REGISTRATION, query.registration)]
    if agents:
        found = [agent_tokens(one) if query.related_agents else [token(AGENT, one)] for one in agents]
        yield [one for tokens in found for one in tokens]
    if query.activity is not None:
        kinds = (ACTIVITY, RELATED_ACTIVITY) if query.related_activities else (ACTIVITY,)
        yield [token(kind, query.activity) for kind in kinds]
    if query.verb is not None:
        yield [token(VERB, query.verb)]


def result(statements: Sequence[bytes], more: str) -> bytes:
    """A StatementResult (1.0.3 Data 2.5)."""
    return b'{"statements":[' + b",".join(statements) + b'],"more":' + orjson.dumps(more) + b"}"


def place_of(document: dict[str, Any]) -> Place:
    return Place(document["stored"], document["_id"].partition("/")[2])
