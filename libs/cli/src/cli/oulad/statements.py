"""Rows into xAPI statements: plain functions. The table of what becomes what is the package's docstring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from cli.oulad.dataset import Dataset
from cli.oulad.rows import ENROLMENTS, SUBMISSIONS, Assessment, Enrolment, Presentation, PresentationKey, Submission

Json = dict[str, Any]

BASE: Final = "https://oulad.example"
STUDENTS: Final = f"{BASE}/students"
EXTENSIONS: Final = f"{BASE}/extensions"
DUE: Final = f"{EXTENSIONS}/due"
BANKED: Final = f"{EXTENSIONS}/banked"
DISTINCTION: Final = f"{EXTENSIONS}/distinction"
VERBS: Final = "http://adlnet.gov/expapi/verbs"
ACTIVITIES: Final = "http://adlnet.gov/expapi/activities"
ASSESSMENT_TYPE: Final = f"{ACTIVITIES}/assessment"
COURSE_TYPE: Final = f"{ACTIVITIES}/course"
MODULE_TYPE: Final = f"{ACTIVITIES}/module"
_IDS: Final = uuid5(NAMESPACE_URL, f"{BASE}/statements")
_MONTH_NAMES: Final = {2: "February", 10: "October"}


class Made(NamedTuple):
    """A statement and the row that it was made of."""

    file: str
    line: int
    statement: Json


class Mapper:
    """Statements of one data set; parts that many statements share are made once."""

    def __init__(self, data: Dataset) -> None:
        self._data = data
        self._courses: dict[PresentationKey, Json] = {}
        self._assessments: dict[str, Json] = {}

    def by_learner(self) -> Iterator[list[Made]]:
        """All statements, learner by learner in the order of their numbers, each learner's by time.

        Of the same time by id: the order in which a learner's evidence is folded, so that none comes late.
        """
        enrolments: defaultdict[str, list[Enrolment]] = defaultdict(list)
        submissions: defaultdict[str, list[Submission]] = defaultdict(list)
        for enrolment in self._data.enrolments:
            enrolments[enrolment.student].append(enrolment)
        for submission in self._data.submissions:
            submissions[submission.student].append(submission)
        for student in sorted(enrolments.keys() | submissions.keys(), key=int):
            made = [one for row in enrolments.get(student, ()) for one in self.of_enrolment(row)]
            made += [one for row in submissions.get(student, ()) for one in self.of_submission(row)]
            yield sorted(made, key=lambda one: (one.statement["timestamp"], one.statement["id"]))

    def of_enrolment(self, row: Enrolment) -> list[Made]:
        """`registered` at the start, the final result at the end."""
        presentation = self._data.presentations[row.presentation]
        registered = self._about_course(row, "registered", presentation.start)
        made = {"Pass": "passed", "Distinction": "passed", "Fail": "failed", "Withdrawn": "terminated"}[row.result]
        ended = self._about_course(row, made, presentation.end)
        ended["result"] = _final(row.result)
        return [Made(ENROLMENTS, row.line, registered), Made(ENROLMENTS, row.line, ended)]

    def of_submission(self, row: Submission) -> list[Made]:
        """`scored` and the `completed` that sums it up; without a score `completed` alone."""
        extensions = {"extensions": {BANKED: True}} if row.banked else {}
        if row.score is None:
            completed = self._about_assessment(row, "completed")
            completed["result"] = {"completion": True, **extensions}
            return [Made(SUBMISSIONS, row.line, completed)]
        score = _score(row.score)
        scored, completed = self._about_assessment(row, "scored"), self._about_assessment(row, "completed")
        scored["result"] = {"score": score, **extensions}
        completed["result"] = {"score": score, "completion": True, **extensions}
        completed["context"]["statement"] = {"objectType": "StatementRef", "id": scored["id"]}
        return [Made(SUBMISSIONS, row.line, scored), Made(SUBMISSIONS, row.line, completed)]

    def _about_course(self, row: Enrolment, verb: str, day: date) -> Json:
        course, module = self._course(row.presentation), module_activity(row.presentation.module)
        key = f"enrolment/{row.presentation.module}/{row.presentation.code}/{row.student}"
        context = {"registration": registration(row.presentation, row.student), **_around(parent=module)}
        return _statement(f"{key}/{verb}", row.student, verb, course, context, day)

    def _about_assessment(self, row: Submission, verb: str) -> Json:
        assessment = self._data.assessments[row.assessment]
        presentation = self._data.presentations[assessment.presentation]
        parent, grouping = self._course(presentation.key), module_activity(presentation.key.module)
        context: Json = {
            "registration": registration(presentation.key, row.student),
            **_around(parent=parent, grouping=grouping),
        }
        if assessment.due is not None:
            context["extensions"] = {DUE: presentation.day(assessment.due).isoformat()}
        key = f"submission/{row.assessment}/{row.student}/{verb}"
        return _statement(key, row.student, verb, self._assessment(assessment), context, presentation.day(row.day))

    def _course(self, key: PresentationKey) -> Json:
        if key not in self._courses:
            self._courses[key] = course_activity(self._data.presentations[key])
        return self._courses[key]

    def _assessment(self, assessment: Assessment) -> Json:
        if assessment.id not in self._assessments:
            self._assessments[assessment.id] = assessment_activity(assessment)
        return self._assessments[assessment.id]


def count(data: Dataset) -> int:
    """How many statements the data set gives, without making them."""
    return 2 * len(data.enrolments) + sum(1 if row.score is None else 2 for row in data.submissions)


def registration(key: PresentationKey, student: str) -> str:
    """The registration (xAPI 1.0.3 Data 2.4.6.1) of a student in a presentation."""
    return str(_id(f"registration/{key.module}/{key.code}/{student}"))


def agent(student: str) -> Json:
    return {"objectType": "Agent", "account": {"homePage": STUDENTS, "name": student}}


def module_activity(module: str) -> Json:
    return _activity(f"{BASE}/modules/{module}", f"Module {module}", MODULE_TYPE)


def course_activity(presentation: Presentation) -> Json:
    key = presentation.key
    month = f"{_MONTH_NAMES[presentation.start.month]} {presentation.start.year}"
    return _activity(f"{BASE}/modules/{key.module}/{key.code}", f"{key.module}, {month}", COURSE_TYPE)


def assessment_activity(assessment: Assessment) -> Json:
    return _activity(f"{BASE}/assessments/{assessment.id}", assessment_title(assessment), ASSESSMENT_TYPE)


def assessment_title(assessment: Assessment) -> str:
    """Such as TMA 1752, AAA 2013J."""
    return f"{assessment.type} {assessment.id}, {assessment.presentation}"


def _activity(iri: str, name: str, type_: str) -> Json:
    return {"objectType": "Activity", "id": iri, "definition": {"name": {"en": name}, "type": type_}}


def _around(**roles: Json) -> Json:
    return {"contextActivities": {role: [activity] for role, activity in roles.items()}}


def _statement(key: str, student: str, verb: str, target: Json, context: Json, day: date) -> Json:
    return {
        "id": str(_id(key)),
        "actor": agent(student),
        "verb": {"id": f"{VERBS}/{verb}", "display": {"en": verb}},
        "object": target,
        "context": context,
        "timestamp": f"{day.isoformat()}T00:00:00Z",
    }


def _id(key: str) -> UUID:
    return uuid5(_IDS, key)


def _score(score: float) -> Json:
    raw = int(score) if score.is_integer() else score
    return {"scaled": round(score / 100, 6), "raw": raw, "min": 0, "max": 100}


def _final(result: str) -> Json:
    if result == "Withdrawn":
        return {"completion": False}
    if result == "Fail":
        return {"success": False, "completion": True}
    distinction = {"extensions": {DISTINCTION: True}} if result == "Distinction" else {}
    return {"success": True, "completion": True, **distinction}
