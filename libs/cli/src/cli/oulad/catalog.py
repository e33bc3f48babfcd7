"""What else the files tell: activities with their competencies, and who belongs where. Plain functions."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from cli.oulad.dataset import Dataset
from cli.oulad.rows import Enrolment
from cli.oulad.statements import (
    ASSESSMENT_TYPE,
    MODULE_TYPE,
    STUDENTS,
    assessment_activity,
    assessment_title,
    module_activity,
)

ROSTER_COLUMNS: Final = (
    "account_home_page",
    "account_name",
    "role",
    "display_name",
    "class",
    "school",
    "district",
    "region",
    "attributes",
)
ROSTER_PART_BYTES: Final = 4_000_000
# Kuzilek et al. 2017, table of modules: the domain of each.
_DOMAINS: Final = {
    **dict.fromkeys(("AAA", "BBB", "GGG"), "social sciences"),
    **dict.fromkeys(("CCC", "DDD", "EEE", "FFF"), "STEM"),
}


def competency(module: str) -> str:
    """Such as oulad/AAA: a module is what its assessments, in whichever presentation, are about."""
    return f"oulad/{module}"


def catalog(data: Dataset) -> bytes:
    """JSON Lines: every assessment, and every module, which the final results and registrations belong to."""
    return b"".join(orjson.dumps(line) + b"\n" for line in _lines(data))


def _lines(data: Dataset) -> Iterator[dict[str, Any]]:
    for module in sorted({key.module for key in data.presentations}):
        activity = module_activity(module)
        yield _line(activity["id"], activity["definition"]["name"]["en"], MODULE_TYPE, module)
    for assessment in data.assessments.values():
        iri = assessment_activity(assessment)["id"]
        yield _line(iri, assessment_title(assessment), ASSESSMENT_TYPE, assessment.presentation.module)


def _line(iri: str, title: str, type_: str, module: str) -> dict[str, Any]:
    return {
        "id": iri,
        "title": title,
        "type": type_,
        "competencies": [competency(module)],
        "language": "en",
        "core": True,
        "tags": [_DOMAINS[module]] if module in _DOMAINS else [],
    }


def rosters(data: Dataset) -> Iterator[bytes]:
    """CSV files that together are the roster, all rows of a learner in one of them, under 4 MB each.

    Class is the module presentation within a region. Of attributes that differ between two enrolments of a learner the
    later presentation's count, as its row comes later.
    """
    rows = sorted(data.enrolments, key=lambda row: (int(row.student), data.presentations[row.presentation].start))
    part: list[str] = []
    size, last = 0, ""
    for row in rows:
        if size > ROSTER_PART_BYTES and row.student != last:
            yield _csv(part)
            part, size = [], 0
        part.append(_written(_roster_row(row)))
        size += len(part[-1].encode())
        last = row.student
    if part:
        yield _csv(part)


def _roster_row(row: Enrolment) -> tuple[str, ...]:
    attributes = ";".join(f"{name}={value.replace(';', ',')}" for name, value in row.attributes)
    return (STUDENTS, row.student, "learner", "", str(row.presentation), "", "", row.region, attributes)


def _csv(rows: Iterable[str]) -> bytes:
    return "".join([_written(ROSTER_COLUMNS), *rows]).encode()


def _written(cells: Iterable[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
