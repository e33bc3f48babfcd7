"""A roster CSV into entries. Every row is looked at before anything is stored; each fault has its line and column."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, cast

from insights.rosters.places import Place

REQUIRED: Final = ("account_home_page", "account_name", "role")
OPTIONAL: Final = ("display_name", "class", "school", "district", "region", "attributes")
COLUMNS: Final = (*REQUIRED, *OPTIONAL)
LONGEST: Final = 300
MOST_ATTRIBUTES: Final = 20
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

MemberRole = Literal["learner", "teacher"]


class Account(NamedTuple):
    """An account as xAPI knows it."""

    home_page: str
    name: str


class Fault(NamedTuple):
    line: int
    column: str
    detail: str


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    account: Account
    role: MemberRole
    display_name: str
    place: Place
    attributes: Mapping[str, str]


@dataclass(slots=True)
class Entry:
    """All rows of one account in one role. Of two rows that contradict each other the later one counts."""

    account: Account
    role: MemberRole
    display_name: str = ""
    places: list[Place] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        self.display_name = row.display_name or self.display_name
        if row.place not in self.places:
            self.places.append(row.place)
        self.attributes |= row.attributes


class RosterInvalid(Exception):
    """The file is not a roster; `faults` in the order of the lines."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = list(faults)


def parse(raw: bytes) -> tuple[list[Entry], int]:
    """The entries in a CSV and the number of its rows. Raises `RosterInvalid` with all faults."""
    rows, faults = _rows(_text(raw))
    if faults:
        raise RosterInvalid(faults)
    if not rows:
        raise RosterInvalid([Fault(1, "", "the roster has no rows")])
    entries: dict[tuple[Account, str], Entry] = {}
    for row in rows:
        entries.setdefault((row.account, row.role), Entry(row.account, row.role)).add(row)
    return list(entries.values()), len(rows)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise RosterInvalid([Fault(line, "", "this line is not UTF-8")]) from None


def _rows(text: str) -> tuple[list[Row], list[Fault]]:
    records = _records(text)
    rows: list[Row] = []
    faults: list[Fault] = []
    try:
        _, header = next(records, (1, []))
        columns = _header(header)
        for line, cells in records:
            found = _row(line, columns, cells)
            if isinstance(found, Row):
                rows.append(found)
            else:
                faults += found
    except csv.Error as error:
        faults.append(Fault(_line_of(error), "", f"not CSV: {error}"))
    return rows, faults


class _CsvFault(csv.Error):
    line = 1


def _line_of(error: csv.Error) -> int:
    return error.line if isinstance(error, _CsvFault) else 1


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Records with the line each begins on; empty lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins, [cell.strip() for cell in cells]
            begins = reader.line_num + 1
    except csv.Error as error:
        fault = _CsvFault(str(error))
        fault.line = begins
        raise fault from None


def _header(cells: Sequence[str]) -> list[str]:
    """The columns in their order. Raises `RosterInvalid`."""
    names = [cell.lower() for cell in cells]
    faults = [Fault(1, name, "unknown column") for name in names if name not in COLUMNS]
    faults += [
        Fault(1, name, "this column is there twice") for name in sorted({n for n in names if names.count(n) > 1})
    ]
    faults += [Fault(1, name, "this column is missing") for name in REQUIRED if name not in names]
    if faults:
        raise RosterInvalid(faults)
    return names


def _row(line: int, columns: Sequence[str], cells: Sequence[str]) -> Row | list[Fault]:
    if len(cells) != len(columns):
        return [Fault(line, "", f"{len(cells)} cells under {len(columns)} columns")]
    values = dict.fromkeys(COLUMNS, "") | dict(zip(columns, cells, strict=True))
    faults = [Fault(line, column, detail) for column, detail in _wrong(values)]
    attributes, wrong_attributes = _attributes(values["attributes"])
    faults += [Fault(line, "attributes", detail) for detail in wrong_attributes]
    if faults:
        return faults
    return Row(
        line=line,
        account=Account(values["account_home_page"], values["account_name"]),
        role=cast("MemberRole", values["role"].lower()),
        display_name=values["display_name"],
        place=Place(values["region"], values["district"], values["school"], values["class"]),
        attributes=attributes,
    )


def _wrong(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for column, value in values.items():
        if _CONTROL.search(value):
            yield column, "control characters are not allowed"
        if column != "attributes" and len(value) > LONGEST:
            yield column, f"longer than {LONGEST} characters"
    if not _IRI.fullmatch(values["account_home_page"]):
        yield "account_home_page", "an absolute IRI is needed, such as https://lms.example"
    if not values["account_name"]:
        yield "account_name", "must not be empty"
    role = values["role"].lower()
    if role not in {"learner", "teacher"}:
        yield "role", "either learner or teacher"
    if role == "teacher" and not values["class"]:
        yield "class", "a teacher's row names a class"


def _attributes(cell: str) -> tuple[dict[str, str], list[str]]:
    """`name=value;name=value`. An attribute with an empty value is one that is not given."""
    attributes: dict[str, str] = {}
    wrong: list[str] = []
    for part in filter(None, (part.strip() for part in cell.split(";"))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not name:
            wrong.append("written as name=value;name=value")
        elif len(name) > LONGEST or len(value) > LONGEST:
            wrong.append(f"longer than {LONGEST} characters")
        elif name in attributes:
            wrong.append(f"{name} is there twice")
        elif value:
            attributes[name] = value
    if len(attributes) > MOST_ATTRIBUTES:
        wrong.append(f"more than {MOST_ATTRIBUTES} attributes")
    return attributes, wrong
