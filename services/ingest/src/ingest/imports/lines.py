"""Lines in: each a statement as another LRS gave it, or as `GET /exports/statements` writes it.

Each line is read by itself, so that one that is wrong takes none of the others with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import xapi
from xapi import Allowance, Parsed, StatementInvalid, Version, judge_statement
from xapi.parsing import JsonObject

from ingest.emitters.profiles import WAYS
from ingest.imports.schemas import Rejected

ALLOWANCES: Final = frozenset[Allowance]().union(*(ways.allowances for ways in WAYS.values()))
"""Another LRS, or ours by a credential's profile, took from emitters what we take: nobody sends it anew."""


@dataclass(frozen=True, slots=True)
class Line:
    """A valid statement and the number of its line, and what was taken beyond the standard."""

    number: int
    parsed: Parsed
    version: Version
    allowances: frozenset[Allowance] = frozenset()


def read(body: bytes) -> tuple[list[Line], list[Rejected], int]:
    """The valid lines, what is wrong with the others, and how many valid lines repeat an earlier one.

    Of lines with one id and different statements the first counts.
    """
    lines: dict[str, Line] = {}
    nameless: list[Line] = []
    rejected: list[Rejected] = []
    repeated = 0
    for number, text in _numbered(body):
        try:
            line = _line(number, text)
        except StatementInvalid as invalid:
            rejected.append(Rejected(line=number, pointer=invalid.errors[0].path, detail=invalid.errors[0].reason))
            continue
        if line.parsed.id is None:
            nameless.append(line)
        elif (first := lines.setdefault(line.parsed.id, line)) is not line:
            pointer = xapi.difference(first.parsed.raw, line.parsed.raw)
            repeated += pointer is None
            rejected += [] if pointer is None else [Rejected(line=number, pointer=pointer, detail=_differs(first))]
    return sorted([*lines.values(), *nameless], key=lambda line: line.number), rejected, repeated


def by_version(lines: Sequence[Line]) -> Iterator[tuple[Version, list[Line]]]:
    """Runs of one dialect, in order."""
    for version, run in groupby(lines, key=lambda line: line.version):
        yield version, list(run)


def _numbered(body: bytes) -> Iterator[tuple[int, bytes]]:
    return ((number, text) for number, text in enumerate(body.split(b"\n")) if text.strip())


def _line(number: int, text: bytes) -> Line:
    raw = with_provenance(xapi.loads(text))
    version = _version_of(raw)
    accepted = judge_statement(raw, version, ALLOWANCES)
    return Line(number, accepted.parsed, version, accepted.allowances)


def with_provenance(value: Any) -> JsonObject:
    """A statement with the `stored` and `authority` that it had first: those of its provenance where it has one."""
    if not isinstance(value, dict) or not isinstance(value.get("statement"), dict):
        return value  # type: ignore[no-any-return]  # parse_statement refuses what is no object
    statement: JsonObject = value["statement"]
    provenance = value.get("provenance")
    if not isinstance(provenance, dict):
        return statement
    first = {name: provenance[name] for name in ("stored", "authority") if name in provenance}
    rest = {name: part for name, part in statement.items() if name not in ("stored", "authority")}
    return {**rest, **first}


def _version_of(raw: Any) -> Version:
    """The dialect that the statement itself names; none means 1.0 (1.0.3 Data 2.4.10)."""
    named = raw.get("version") if isinstance(raw, dict) else None
    return Version.V2_0_0 if isinstance(named, str) and named.startswith("2.") else Version.V1_0_3


def _differs(first: Line) -> str:
    return f"differs from line {first.number}, which has the same id"
