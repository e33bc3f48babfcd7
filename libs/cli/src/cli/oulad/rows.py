"""Cells into rows. Plain functions; what is wrong is raised as `WrongRow` with its reason."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

Cells = Mapping[str, str]

COURSES: Final = "courses"
ASSESSMENTS: Final = "assessments"
ENROLMENTS: Final = "studentInfo"
SUBMISSIONS: Final = "studentAssessment"

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    COURSES: ("code_module", "code_presentation", "module_presentation_length"),
    ASSESSMENTS: ("code_module", "code_presentation", "id_assessment", "assessment_type", "date"),
    ENROLMENTS: (
        "code_module",
        "code_presentation",
        "id_student",
        "gender",
        "region",
        "highest_education",
        "imd_band",
        "age_band",
        "disability",
        "final_result",
    ),
    SUBMISSIONS: ("id_assessment", "id_student", "date_submitted", "is_banked", "score"),
}
RESULTS: Final = ("Pass", "Distinction", "Fail", "Withdrawn")
_MONTHS: Final = {"B": 2, "J": 10}
_MISSING: Final = frozenset({"", "?"})
_NUMBER: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_DAY: Final = re.compile(r"-?[0-9]{1,5}", re.ASCII)
_MODULE: Final = re.compile(r"[A-Za-z0-9]{1,20}", re.ASCII)
_PRESENTATION: Final = re.compile(r"((?:19|20)[0-9]{2})([BJ])", re.ASCII)
# A spreadsheet took the band 10-20 for a date; the first edition writes it without a per cent sign.
_SPOILED_BANDS: Final = {"20-Oct": "10-20%", "Oct-20": "10-20%", "10-20": "10-20%"}


class WrongRow(ValueError):
    """This row cannot be used; the reason is the message."""


class PresentationKey(NamedTuple):
    """A module's presentation, such as AAA 2013J."""

    module: str
    code: str

    def __str__(self) -> str:
        return f"{self.module} {self.code}"


@dataclass(frozen=True, slots=True)
class Presentation:
    key: PresentationKey
    days: int

    @property
    def start(self) -> date:
        """The first day of the month that the code names: the files say no more."""
        return start_of(self.key.code)

    @property
    def end(self) -> date:
        return self.day(self.days)

    def day(self, number: int) -> date:
        """Day 0 is the start."""
        return self.start + timedelta(days=number)


@dataclass(frozen=True, slots=True)
class Assessment:
    id: str
    presentation: PresentationKey
    type: str
    due: int | None


@dataclass(frozen=True, slots=True)
class Enrolment:
    line: int
    presentation: PresentationKey
    student: str
    region: str
    result: str
    attributes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Submission:
    line: int
    assessment: str
    student: str
    day: int
    banked: bool
    score: float | None


def presentation(cells: Cells) -> Presentation:
    days = cells["module_presentation_length"]
    if not _NUMBER.fullmatch(days) or not 0 < int(days) <= 3_000:
        raise WrongRow(f"module_presentation_length is not a number of days: {days!r}")
    return Presentation(_key(cells), int(days))


def assessment(cells: Cells) -> Assessment:
    due = cells["date"]
    return Assessment(
        id=_number(cells, "id_assessment"),
        presentation=_key(cells),
        type=_text(cells, "assessment_type"),
        due=None if due in _MISSING else _day(cells, "date"),
    )


def enrolment(line: int, cells: Cells) -> Enrolment:
    result = cells["final_result"]
    if result not in RESULTS:
        raise WrongRow(f"final_result is none of {', '.join(RESULTS)}: {result!r}")
    band = cells["imd_band"]
    attributes = {
        "deprivation_band": _SPOILED_BANDS.get(band, band),
        "gender": cells["gender"],
        "age_band": cells["age_band"],
        "disability": cells["disability"],
        "highest_education": cells["highest_education"],
    }
    return Enrolment(
        line=line,
        presentation=_key(cells),
        student=_number(cells, "id_student"),
        region="" if cells["region"] in _MISSING else cells["region"],
        result=result,
        attributes=tuple((name, value) for name, value in attributes.items() if value not in _MISSING),
    )


def submission(line: int, cells: Cells) -> Submission:
    banked = cells["is_banked"]
    if banked not in {"0", "1"}:
        raise WrongRow(f"is_banked is neither 0 nor 1: {banked!r}")
    return Submission(
        line=line,
        assessment=_number(cells, "id_assessment"),
        student=_number(cells, "id_student"),
        day=_day(cells, "date_submitted"),
        banked=banked == "1",
        score=_score(cells["score"]),
    )


def start_of(code: str) -> date:
    """2013B: 1 February 2013; 2013J: 1 October 2013."""
    found = _PRESENTATION.fullmatch(code)
    if found is None:
        raise WrongRow(f"code_presentation is not a year and B or J: {code!r}")
    return date(int(found[1]), _MONTHS[found[2]], 1)


def _key(cells: Cells) -> PresentationKey:
    module, code = cells["code_module"], cells["code_presentation"]
    if not _MODULE.fullmatch(module):
        raise WrongRow(f"code_module is not a code of letters and digits: {module!r}")
    start_of(code)
    return PresentationKey(module, code)


def _number(cells: Cells, column: str) -> str:
    value = cells[column]
    if not _NUMBER.fullmatch(value):
        raise WrongRow(f"{column} is not a number: {value!r}")
    return value


def _day(cells: Cells, column: str) -> int:
    value = cells[column]
    if not _DAY.fullmatch(value):
        raise WrongRow(f"{column} is not a day's number: {value!r}")
    return int(value)


def _text(cells: Cells, column: str) -> str:
    value = cells[column]
    if value in _MISSING or len(value) > 100:
        raise WrongRow(f"{column} is empty or too long")
    return value


def _score(value: str) -> float | None:
    if value in _MISSING:
        return None
    try:
        score = float(value)
    except ValueError:
        raise WrongRow(f"score is not a number: {value!r}") from None
    if not math.isfinite(score) or not 0 <= score <= 100:
        raise WrongRow(f"score is not between 0 and 100: {value!r}")
    return score
