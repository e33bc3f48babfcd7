"""The four files, plain or gzip, read and set against each other."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import itertools
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from cli.oulad import rows
from cli.oulad.errors import ImportStopped
from cli.oulad.rows import (
    ASSESSMENTS,
    COLUMNS,
    COURSES,
    ENROLMENTS,
    SUBMISSIONS,
    Assessment,
    Cells,
    Enrolment,
    Presentation,
    PresentationKey,
    Submission,
    WrongRow,
)

Row = TypeVar("Row")
LONGEST_SHOWN: Final = 300


class Refusal(NamedTuple):
    """A row, or a statement made of it, that was not taken."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}.csv line {self.line}: {self.reason}"


@dataclass(slots=True)
class Dataset:
    """What can be imported; `refusals` holds what cannot, `read` the number of rows looked at, by file."""

    presentations: dict[PresentationKey, Presentation] = field(default_factory=dict)
    assessments: dict[str, Assessment] = field(default_factory=dict)
    enrolments: list[Enrolment] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    read: Counter[str] = field(default_factory=Counter)
    digest: str = ""

    @property
    def end(self) -> date | None:
        """The end of the last presentation that has an enrolment or a submission."""
        keys = {enrolment.presentation for enrolment in self.enrolments}
        keys |= {self.assessments[name].presentation for name in {s.assessment for s in self.submissions}}
        return max((self.presentations[key].end for key in keys), default=None)


def load(folder: Path, *, limit: int | None = None) -> Dataset:
    """Read the files of a folder.

    `limit`: only the first so many rows of studentAssessment (those that are refused count), and of studentInfo only
    the enrolments that these rows belong to: that student in that presentation. Raises `ImportStopped`.
    """
    texts = {name: _text(folder, name) for name in COLUMNS}
    data = Dataset(digest=_digest(texts, limit))
    _courses(data, texts[COURSES])
    _assessments(data, texts[ASSESSMENTS])
    _submissions(data, texts[SUBMISSIONS], limit)
    belonging = {(data.assessments[s.assessment].presentation, s.student) for s in data.submissions}
    _enrolments(data, texts[ENROLMENTS], None if limit is None else belonging)
    return data


def _courses(data: Dataset, text: str) -> None:
    for line, found in _rows(data, COURSES, text, lambda _, cells: rows.presentation(cells)):
        if found.key in data.presentations:
            data.refusals.append(Refusal(COURSES, line, f"{found.key} stands in an earlier line already"))
        else:
            data.presentations[found.key] = found


def _assessments(data: Dataset, text: str) -> None:
    for line, found in _rows(data, ASSESSMENTS, text, lambda _, cells: rows.assessment(cells)):
        if found.presentation not in data.presentations:
            reason = f"{found.presentation} does not stand in {COURSES}.csv"
        elif found.id in data.assessments:
            reason = f"assessment {found.id} stands in an earlier line already"
        else:
            data.assessments[found.id] = found
            continue
        data.refusals.append(Refusal(ASSESSMENTS, line, reason))


def _submissions(data: Dataset, text: str, limit: int | None) -> None:
    first: dict[tuple[str, str], int] = {}
    for line, found in _rows(data, SUBMISSIONS, text, rows.submission, limit=limit):
        if found.assessment not in data.assessments:
            reason = f"assessment {found.assessment} does not stand in {ASSESSMENTS}.csv"
        elif (earlier := first.setdefault((found.assessment, found.student), line)) != line:
            reason = f"this student's submission to assessment {found.assessment} stands in line {earlier} already"
        else:
            data.submissions.append(found)
            continue
        data.refusals.append(Refusal(SUBMISSIONS, line, reason))


def _enrolments(data: Dataset, text: str, belonging: set[tuple[PresentationKey, str]] | None) -> None:
    def wanted(cells: Cells) -> bool:
        key = PresentationKey(cells["code_module"], cells["code_presentation"])
        return belonging is None or (key, cells["id_student"]) in belonging

    first: dict[tuple[PresentationKey, str], int] = {}
    for line, found in _rows(data, ENROLMENTS, text, rows.enrolment, wanted=wanted):
        if found.presentation not in data.presentations:
            reason = f"{found.presentation} does not stand in {COURSES}.csv"
        elif (earlier := first.setdefault((found.presentation, found.student), line)) != line:
            reason = f"this student's enrolment in {found.presentation} stands in line {earlier} already"
        else:
            data.enrolments.append(found)
            continue
        data.refusals.append(Refusal(ENROLMENTS, line, reason))


def _rows(
    data: Dataset,
    file: str,
    text: str,
    parse: Callable[[int, Cells], Row],
    *,
    limit: int | None = None,
    wanted: Callable[[Cells], bool] = lambda _: True,
) -> Iterator[tuple[int, Row]]:
    """The rows that can be read, with their lines (the header is line 1); the others are refused."""
    records = _records(file, text)
    _, header = next(records, (1, []))
    if lacking := [name for name in COLUMNS[file] if name not in header]:
        raise ImportStopped(f"{file}.csv is not a file of OULAD: it lacks the column {lacking[0]}")
    for line, record in itertools.islice(records, limit):
        cells = dict(zip(header, record, strict=False))
        whole = len(record) == len(header)
        if whole and not wanted(cells):
            continue
        data.read[file] += 1
        try:
            if not whole:
                raise WrongRow(f"{len(record)} cells under {len(header)} columns")  # noqa: TRY301
            found = parse(line, cells)
        except WrongRow as wrong:
            data.refusals.append(Refusal(file, line, str(wrong)[:LONGEST_SHOWN]))
        else:
            yield line, found


def _records(file: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Records with the line that each begins on; empty lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""))
    begins = 1
    try:
        for record in reader:
            if record:
                yield begins, [cell.strip() for cell in record]
            begins = reader.line_num + 1
    except csv.Error as error:
        raise ImportStopped(f"{file}.csv line {begins} is not CSV: {error}") from None


def _text(folder: Path, name: str) -> str:
    for path in (folder / f"{name}.csv", folder / f"{name}.csv.gz"):
        if path.is_file():
            return _decoded(path)
    raise ImportStopped(f"{folder} holds neither {name}.csv nor {name}.csv.gz")


def _decoded(path: Path) -> str:
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ImportStopped(f"{path} is not UTF-8") from None
    except (OSError, EOFError, zlib.error) as error:
        raise ImportStopped(f"{path} cannot be read: {error}") from None


def _digest(texts: dict[str, str], limit: int | None) -> str:
    parts: Iterable[str] = [str(limit), *texts.values()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
