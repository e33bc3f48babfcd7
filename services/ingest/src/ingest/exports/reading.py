"""Which statements an export holds, and its lines."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import orjson
from service_kit.mongo import Document
from xapi import VOIDED, QueryInvalid, StatementQuery, Version, timestamps

from ingest.exports.giving import Giving
from ingest.statements import reading
from ingest.statements.indexing import key_of
from ingest.statements.refusals import invalid_query, wrong_parameter
from ingest.statements.repository import Place, Selection, StatementRepository
from ingest.statements.stamps import rendered, to_micros

PAGE: Final = 200
CURSOR: Final = "cursor"
PURPOSE: Final = "purpose"
RECIPIENT: Final = "recipient"
_OWN: Final = (CURSOR, PURPOSE, RECIPIENT)
_PURPOSE: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}\Z", re.ASCII)
_MOST_OF_A_NAME: Final = 200
_FILTERS: Final = frozenset(
    ("agent", "verb", "activity", "registration", "related_agents", "related_activities", "since", "until")
)
_CURSOR: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)/([0-9a-fA-F-]{36})\Z", re.ASCII)
_VOIDED: Final = VOIDED.encode()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checked request: the filters of GET /statements, and the last line that was received before."""

    query: StatementQuery
    after: Place | None
    purpose: str
    recipient: str | None

    @classmethod
    def parse(cls, params: reading.Pairs, version: Version) -> "Wanted":
        """Raises `BadRequest`."""
        for name, _ in params:
            if name not in _FILTERS and name not in _OWN:
                raise wrong_parameter(name, "is not a parameter of an export")
        cursor, purpose, recipient = (_once(params, name) for name in _OWN)
        if purpose is not None and not _PURPOSE.match(purpose):
            raise wrong_parameter(PURPOSE, "expected the name of a purpose")
        if recipient is not None and not 1 <= len(recipient) <= _MOST_OF_A_NAME:
            raise wrong_parameter(RECIPIENT, f"expected 1 to {_MOST_OF_A_NAME} characters")
        filters = [pair for pair in params if pair[0] not in _OWN]
        try:
            query = StatementQuery.parse([*filters, ("ascending", "true")], version)
        except QueryInvalid as error:
            raise invalid_query(error) from None
        return cls(query, place_of(cursor) if cursor is not None else None, purpose or "record", recipient)


def _once(params: reading.Pairs, name: str) -> str | None:
    values = [value for one, value in params if one == name]
    if len(values) > 1:
        raise wrong_parameter(name, "expected at most once")
    return values[0] if values else None


def place_of(cursor: str) -> Place:
    """`<stored>/<id>` of a line. Raises `BadRequest`."""
    found = _CURSOR.match(cursor)
    try:
        moment = timestamps.parse(found[1]) if found else None
    except ValueError:
        moment = None
    if found is None or moment is None:
        raise wrong_parameter(CURSOR, "expected `<stored>/<id>` of an export's line")
    return Place(to_micros(moment), found[2].lower())


class Walk:
    """All statements of a selection in the order of (stored, id), up to `through`. Holds one page at a time."""

    def __init__(
        self,
        statements: StatementRepository,
        tenant: str,
        selection: Selection,
        after: Place | None,
        giving: Giving,
    ) -> None:
        self._statements = statements
        self._giving = giving
        self._tenant = tenant
        self._selection = selection
        self._after = after
        self._count = 0
        self._ended = False

    async def chunks(self) -> AsyncIterator[bytes]:
        """Lines, a page at a time; last a summary, without which the export is not whole."""
        while not self._ended:
            if chunk := await self.next():
                yield chunk
        yield self.summary()

    async def next(self) -> bytes:
        """The lines of the next page."""
        page = await self._statements.page(self._tenant, self._selection, after=self._after, limit=PAGE, authority=None)
        self._ended = len(page) < PAGE
        if not page:
            return b""
        self._after = reading.place_of(page[-1])
        page = await self._giving.allowed(page)
        opened = await self._statements.readable(page)
        page = [document for document, _ in opened]
        lines: list[bytes] = []
        for (document, data), provenance in zip(opened, await self._statements.provenances(page), strict=True):
            lines += [one async for one in self._voided(data)]
            lines.append(line(document, data, provenance))
        self._count += len(lines)
        await self._giving.given(page)
        return b"".join(lines)

    def summary(self) -> bytes:
        through = None if self._selection.until is None else rendered(self._selection.until)
        return orjson.dumps({"summary": {"lines": self._count, "through": through}}) + b"\n"

    async def _voided(self, data: bytes) -> AsyncIterator[bytes]:
        """The statement that this one voids: no list holds it, so it comes before what voids it."""
        if _VOIDED not in data:
            return
        statement = orjson.loads(data)
        if statement["verb"]["id"] != VOIDED:
            return
        target = key_of(self._tenant, statement["object"]["id"])
        found = await self._statements.one(target, voided=True, authority=None)
        held = await self._giving.allowed([found]) if found is not None else []
        for document, data in await self._statements.readable(held):
            (provenance,) = await self._statements.provenances([document])
            yield line(document, data, provenance, voided=True)


def line(document: Document, statement: bytes, provenance: bytes | None, *, voided: bool = False) -> bytes:
    """`{"statement": …, "stored": …}`, with `provenance` where there is one, and `"voided": true` where it is."""
    parts = [b'{"statement":', statement, b',"stored":"', rendered(document["stored"]).encode(), b'"']
    if provenance is not None:
        parts += [b',"provenance":', provenance]
    if voided:
        parts.append(b',"voided":true')
    return b"".join([*parts, b"}\n"])
