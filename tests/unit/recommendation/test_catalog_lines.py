"""JSON Lines in, activities or places out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recommendation.catalog.lines import ERRORS_SHOWN, numbered, parse

GOOD = {
    "id": "https://x.example/1",
    "title": "One",
    "type": "http://adlnet.gov/expapi/activities/lesson",
    "competencies": ["maths/adding"],
    "weights": {"maths/adding": 0.5},
    "prerequisites": [],
    "difficulty": 0.5,
    "duration": "PT20M",
    "language": "en",
    "modality": "text",
    "bandwidth": "low",
    "core": False,
    "tags": ["maths"],
}


def body(*lines: object) -> bytes:
    return b"\n".join(json.dumps(line).encode() for line in lines)


def test_every_key_is_kept() -> None:
    parsed = parse(numbered(body(GOOD)))
    assert parsed.errors == []
    assert parsed.activities[0].model_dump() == GOOD


def test_id_and_title_are_enough() -> None:
    parsed = parse(numbered(body({"id": "urn:x:1", "title": "One"})))
    assert parsed.activities[0].core
    assert parsed.activities[0].competencies == []


@pytest.mark.parametrize(
    ("change", "pointer", "says"),
    [
        ({"difficulty": 1.5}, "/difficulty", "less than or equal to 1"),
        ({"difficulty": "0.5"}, "/difficulty", "number"),
        ({"duration": "20 minutes"}, "/duration", "ISO 8601"),
        ({"id": "no iri"}, "/id", "IRI"),
        ({"title": ""}, "/title", "at least 1"),
        ({"competencies": "maths"}, "/competencies", "list"),
        ({"tags": ["a", 7]}, "/tags/1", "string"),
        ({"core": "yes"}, "/core", "boolean"),
        ({"colour": "red"}, "/colour", "'colour' is unknown"),
        ({"a/b": 1}, "/a~1b", "unknown"),
    ],
)
def test_what_is_wrong_is_named_by_line_and_place(change: dict[str, object], pointer: str, says: str) -> None:
    parsed = parse(numbered(body(GOOD, GOOD | {"id": "urn:x:2"} | change)))
    (place,) = parsed.errors
    assert (place["line"], place["pointer"]) == (2, pointer)
    assert says in place["detail"]


def test_lines_that_are_no_objects_are_named() -> None:
    parsed = parse(numbered(b'{"id": \n[1]\n\n7\n'))
    assert [place["line"] for place in parsed.errors] == [1, 2, 4]


def test_an_id_that_stands_twice_is_refused() -> None:
    parsed = parse(numbered(body(GOOD, GOOD)))
    assert parsed.errors == [{"line": 2, "pointer": "/id", "detail": "this activity stands in line 1 already"}]


def test_not_more_errors_than_anyone_reads() -> None:
    assert len(parse(numbered(b"no\n" * 1000)).errors) == ERRORS_SHOWN


@given(st.binary(max_size=300))
def test_any_bytes_give_activities_or_places(data: bytes) -> None:
    lines = list(numbered(data))
    parsed = parse(lines)
    assert parsed.errors or len(parsed.activities) == len(lines)
