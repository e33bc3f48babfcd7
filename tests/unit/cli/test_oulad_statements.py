"""Rows of the Open University's data set into xAPI statements, catalog and roster."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import orjson
import pytest
from cli.oulad import rows
from cli.oulad.catalog import catalog, rosters
from cli.oulad.dataset import Dataset, Refusal, load
from cli.oulad.errors import ImportStopped
from cli.oulad.rows import (
    RESULTS,
    Assessment,
    Enrolment,
    Presentation,
    PresentationKey,
    Submission,
    WrongRow,
    start_of,
)
from cli.oulad.statements import BANKED, DISTINCTION, DUE, STUDENTS, Made, Mapper, count
from hypothesis import given, settings
from hypothesis import strategies as st
from xapi import Version, parse_statements

from tests.support import oulad_files

presentation_keys = st.builds(
    PresentationKey,
    st.text("ABCxyz019", min_size=1, max_size=6),
    st.builds("{}{}".format, st.integers(1990, 2050), st.sampled_from("BJ")),
)
numbers = st.integers(0, 10**9).map(str)


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    """Any data that the reader lets through."""
    keys = draw(st.lists(presentation_keys, min_size=1, max_size=3, unique=True))
    names = draw(st.lists(numbers, min_size=1, max_size=3, unique=True))
    students = draw(st.lists(numbers, min_size=1, max_size=3, unique=True))
    days = st.integers(-99_999, 99_999)
    data = Dataset()
    data.presentations = {key: Presentation(key, draw(st.integers(1, 3000))) for key in keys}
    data.assessments = {
        name: Assessment(name, draw(st.sampled_from(keys)), draw(st.text(min_size=1)), draw(st.none() | days))
        for name in names
    }
    data.enrolments = [
        Enrolment(2, key, student, "", draw(st.sampled_from(RESULTS)), ()) for key in keys for student in students
    ]
    scores = st.none() | st.floats(0, 100)
    data.submissions = [
        Submission(2, name, student, draw(days), draw(st.booleans()), draw(scores))
        for name in names
        for student in students
    ]
    return data


def all_of(data: Dataset) -> list[Made]:
    return [made for learner in Mapper(data).by_learner() for made in learner]


@pytest.mark.parametrize("version", list(Version))
@settings(max_examples=30, deadline=None)
@given(data=datasets())
def test_every_statement_is_valid_with_an_id_of_its_own(version: Version, data: Dataset) -> None:
    made = all_of(data)
    parsed = parse_statements(orjson.dumps([one.statement for one in made]), version)
    assert len({one.id for one in parsed}) == len(made) == count(data)


@settings(max_examples=30, deadline=None)
@given(data=datasets())
def test_the_same_rows_give_the_same_statements_in_whichever_order(data: Dataset) -> None:
    turned = Dataset(data.presentations, data.assessments, data.enrolments[::-1], data.submissions[::-1])
    assert all_of(data) == all_of(turned)


@settings(max_examples=30, deadline=None)
@given(data=datasets())
def test_a_learners_statements_stand_together_by_time_then_id(data: Dataset) -> None:
    for learner in Mapper(data).by_learner():
        assert len({one.statement["actor"]["account"]["name"] for one in learner}) == 1
        places = [(one.statement["timestamp"], one.statement["id"]) for one in learner]
        assert places == sorted(places)


def by_verb(made: list[Made], student: str) -> dict[tuple[str, str], dict[str, Any]]:
    """(verb, last part of the activity's IRI) → statement."""
    return {
        (s["verb"]["id"].rsplit("/", 1)[1], s["object"]["id"].rsplit("/", 1)[1]): s
        for s in (one.statement for one in made)
        if s["actor"]["account"] == {"homePage": STUDENTS, "name": student}
    }


@pytest.fixture
def sample(tmp_path: Path) -> Dataset:
    return load(oulad_files.write(tmp_path))


def test_a_submission_is_scored_and_completed_which_refers_to_it(sample: Dataset) -> None:
    found = by_verb(all_of(sample), "101")
    scored, completed = found["scored", "11"], found["completed", "11"]
    assert scored["result"] == {"score": {"scaled": 0.78, "raw": 78, "min": 0, "max": 100}}
    assert completed["result"] == {**scored["result"], "completion": True}
    assert completed["context"]["statement"]["id"] == scored["id"]
    assert scored["timestamp"] == completed["timestamp"] == "2013-10-19T00:00:00Z"
    assert scored["context"]["extensions"] == {DUE: "2013-10-20"}
    around = scored["context"]["contextActivities"]
    assert around["parent"][0]["id"].endswith("/modules/AAA/2013J")
    assert around["grouping"][0]["id"].endswith("/modules/AAA")
    assert found["scored", "21"]["result"]["score"]["raw"] == 66.5


def test_an_exam_without_a_day_has_no_due_date(sample: Dataset) -> None:
    assert "extensions" not in by_verb(all_of(sample), "101")["scored", "12"]["context"]


def test_without_a_score_it_is_completed_alone(sample: Dataset) -> None:
    found = by_verb(all_of(sample), "103")
    assert ("scored", "11") not in found
    assert found["completed", "11"]["result"] == {"completion": True}
    assert "statement" not in found["completed", "11"]["context"]


def test_a_banked_result_is_marked(sample: Dataset) -> None:
    banked = by_verb(all_of(sample), "102")["scored", "11"]
    assert banked["result"]["extensions"] == {BANKED: True}
    assert banked["timestamp"] == "2013-09-28T00:00:00Z"


@pytest.mark.parametrize(
    ("student", "code", "verb", "result", "end"),
    [
        ("101", "2013J", "failed", {"success": False, "completion": True}, "2014-06-26"),
        (
            "101",
            "2014B",
            "passed",
            {"success": True, "completion": True, "extensions": {DISTINCTION: True}},
            "2014-09-29",
        ),
        ("102", "2013J", "terminated", {"completion": False}, "2014-06-26"),
        ("103", "2013J", "passed", {"success": True, "completion": True}, "2014-06-26"),
    ],
)
def test_a_final_result_is_dated_at_the_end(
    sample: Dataset, student: str, code: str, verb: str, result: dict[str, Any], end: str
) -> None:
    found = by_verb(all_of(sample), student)
    assert found[verb, code]["result"] == result
    assert found[verb, code]["timestamp"] == f"{end}T00:00:00Z"
    start = {"2013J": "2013-10-01", "2014B": "2014-02-01"}[code]
    assert found["registered", code]["timestamp"] == f"{start}T00:00:00Z"
    assert found["registered", code]["context"]["registration"] == found[verb, code]["context"]["registration"]


def test_ids_stay_what_they_are(sample: Dataset) -> None:
    """Another id for the same row would store everything twice at the next import."""
    assert by_verb(all_of(sample), "101")["scored", "11"]["id"] == "85d05ca6-a02b-5e47-860f-f6d87ce99677"


def test_gzip_reads_the_same(tmp_path: Path, sample: Dataset) -> None:
    assert load(oulad_files.write(tmp_path / "gz", zipped=True)) == sample


def test_the_end_is_that_of_the_last_presentation(sample: Dataset) -> None:
    assert str(sample.end) == "2014-09-29"
    assert sample.read == {"courses": 2, "assessments": 3, "studentInfo": 4, "studentAssessment": 5}


def test_a_limit_takes_the_first_submissions_and_their_enrolments(tmp_path: Path) -> None:
    data = load(oulad_files.write(tmp_path), limit=2)
    assert [row.student for row in data.submissions] == ["101", "102"]
    assert [(row.student, row.presentation.code) for row in data.enrolments] == [("101", "2013J"), ("102", "2013J")]
    assert str(data.end) == "2014-06-26"


@pytest.mark.parametrize(
    ("file", "row", "reason"),
    [
        ("studentAssessment", "99,101,1,0,50", "assessment 99 does not stand in assessments.csv"),
        ("studentAssessment", "11,101,30,0,50", "submission to assessment 11 stands in line 2 already"),
        ("studentAssessment", "11,104,x,0,50", "date_submitted is not a day's number: 'x'"),
        ("studentAssessment", "11,104,1,0,101", "score is not between 0 and 100: '101'"),
        ("studentAssessment", "11,104,1,0,nan", "score is not between 0 and 100: 'nan'"),
        ("studentAssessment", "11,104,1,0,ten", "score is not a number: 'ten'"),
        ("studentAssessment", "11,104,1,2,10", "is_banked is neither 0 nor 1: '2'"),
        ("studentAssessment", "11,,1,0,10", "id_student is not a number: ''"),
        ("studentAssessment", "11,104,1", "3 cells under 5 columns"),
        ("studentInfo", "AAA,2013J,101,M,,,,,0,1,N,Pass", "enrolment in AAA 2013J stands in line 2 already"),
        ("studentInfo", "AAA,2015J,101,M,,,,,0,1,N,Pass", "AAA 2015J does not stand in courses.csv"),
        ("studentInfo", "AAA,2013J,109,M,,,,,0,1,N,Maybe", "final_result is none of"),
        ("assessments", "BBB,2013J,31,TMA,1,1", "BBB 2013J does not stand in courses.csv"),
        ("assessments", "AAA,2013J,11,TMA,1,1", "assessment 11 stands in an earlier line already"),
        ("courses", "AAA,2013,100", "code_presentation is not a year and B or J: '2013'"),
        ("courses", "AAA,2015J,0", "module_presentation_length is not a number of days: '0'"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_with_its_line(tmp_path: Path, file: str, row: str, reason: str) -> None:
    text = oulad_files.TEXTS[file] + row + "\n"
    data = load(oulad_files.write(tmp_path, {file: text}))
    assert [(refusal.file, refusal.line) for refusal in data.refusals] == [(file, text.count("\n"))]
    assert reason in data.refusals[0].reason
    assert len(all_of(data)) == len(all_of(load(oulad_files.write(tmp_path / "whole"))))


def test_a_submission_without_an_enrolment_is_a_statement_all_the_same(tmp_path: Path) -> None:
    text = oulad_files.SUBMISSIONS + "11,999,5,0,50\n"
    data = load(oulad_files.write(tmp_path, {"studentAssessment": text}))
    assert not data.refusals
    assert set(by_verb(all_of(data), "999")) == {("scored", "11"), ("completed", "11")}


def test_files_that_are_missing_or_others_are_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ImportStopped, match=r"neither courses\.csv nor courses\.csv\.gz"):
        load(tmp_path)
    with pytest.raises(ImportStopped, match=r"courses\.csv is not a file of OULAD: it lacks the column code_module"):
        load(oulad_files.write(tmp_path, {"courses": "a,b\n1,2\n"}))
    folder = oulad_files.write(tmp_path / "gz", zipped=True)
    (folder / "courses.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(ImportStopped, match=r"courses\.csv\.gz cannot be read"):
        load(folder)


@pytest.mark.parametrize("code", ["2013", "13J", "2013K", "2013j", "", "2013J "])
def test_other_codes_are_no_presentations(code: str) -> None:
    with pytest.raises(WrongRow):
        start_of(code)


def test_a_refusal_names_file_and_line() -> None:
    assert str(Refusal(rows.SUBMISSIONS, 7, "why")) == "studentAssessment.csv line 7: why"


def test_the_catalog_maps_assessments_and_modules_to_the_module(sample: Dataset) -> None:
    lines = [orjson.loads(line) for line in catalog(sample).splitlines()]
    assert [line["title"] for line in lines] == [
        "Module AAA",
        "TMA 11, AAA 2013J",
        "Exam 12, AAA 2013J",
        "CMA 21, AAA 2014B",
    ]
    assert all(line["competencies"] == ["oulad/AAA"] and line["core"] is True for line in lines)
    named = {one.statement["object"]["id"] for one in all_of(sample) if one.file == rows.SUBMISSIONS}
    assert named <= {line["id"] for line in lines}


def test_the_roster_has_a_row_for_each_enrolment(sample: Dataset) -> None:
    (part,) = rosters(sample)
    found = list(csv.DictReader(io.StringIO(part.decode())))
    assert [(row["account_name"], row["class"], row["region"]) for row in found] == [
        ("101", "AAA 2013J", "Wales"),
        ("101", "AAA 2014B", "Wales"),
        ("102", "AAA 2013J", "Scotland"),
        ("103", "AAA 2013J", "Ireland, all"),
    ]
    assert all(row["role"] == "learner" and row["school"] == row["district"] == "" for row in found)
    assert found[0]["attributes"] == (
        "deprivation_band=10-20%;gender=M;age_band=55<=;disability=N;highest_education=HE Qualification"
    )
    assert "deprivation_band" not in found[2]["attributes"]


def test_a_large_roster_comes_in_parts_that_split_no_learner(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.oulad.catalog.ROSTER_PART_BYTES", 1)
    parts = [list(csv.DictReader(io.StringIO(part.decode()))) for part in rosters(sample)]
    assert [[row["account_name"] for row in part] for part in parts] == [["101", "101"], ["102"], ["103"]]
