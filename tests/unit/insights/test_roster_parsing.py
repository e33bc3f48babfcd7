"""A roster file: what is read, what is refused, and where the fault is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from insights.rosters.parsing import Account, Entry, Fault, RosterInvalid, parse
from insights.rosters.places import Place

HEADER = "account_home_page,account_name,role,display_name,class,school,district,region,attributes"
HOME = "https://lms.example"


def faults(text: str | bytes) -> list[Fault]:
    with pytest.raises(RosterInvalid) as caught:
        parse(text if isinstance(text, bytes) else text.encode())
    return caught.value.faults


def test_a_learner_and_a_teacher_are_read() -> None:
    ada_row = f"{HOME},ada,learner,Ada L.,7b,North,D1,West,band=1;lunch=free"
    entries, rows = parse(f"{HEADER}\n{ada_row}\n{HOME},tom,teacher,,7b,North,D1,West,\n".encode())
    place = Place("West", "D1", "North", "7b")
    ada = Entry(Account(HOME, "ada"), "learner", "Ada L.", [place], {"band": "1", "lunch": "free"})
    assert (entries, rows) == ([ada, Entry(Account(HOME, "tom"), "teacher", "", [place], {})], 2)


def test_columns_come_in_any_order_and_optional_ones_may_be_missing() -> None:
    entries, _ = parse(f"\ufeffrole,account_name,account_home_page\r\nLearner,ada,{HOME}\r\n".encode())
    assert entries == [Entry(Account(HOME, "ada"), "learner", "", [Place()], {})]


def test_rows_of_one_account_are_one_entry_with_all_its_places() -> None:
    entries, rows = parse(
        f"{HEADER}\n{HOME},a,learner,,x,,,,band=1\n{HOME},a,learner,,y,,,,band=2\n{HOME},a,learner,,x,,,,\n".encode()
    )
    assert rows == 3
    assert [(e.places, e.attributes) for e in entries] == [([Place(class_="x"), Place(class_="y")], {"band": "2"})]


@pytest.mark.parametrize(
    ("header", "column", "detail"),
    [
        (HEADER + ",grade", "grade", "unknown column"),
        ("account_home_page,role", "account_name", "this column is missing"),
        (HEADER + ",role", "role", "this column is there twice"),
    ],
)
def test_a_wrong_header_is_named(header: str, column: str, detail: str) -> None:
    assert Fault(1, column, detail) in faults(header + "\n")


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("lms,ada,learner,,,,,,", "account_home_page"),
        (f"{HOME},,learner,,,,,,", "account_name"),
        (f"{HOME},ada,pupil,,,,,,", "role"),
        (f"{HOME},ada,teacher,,,North,,,", "class"),
        (f"{HOME},ada,learner,,,,,,band", "attributes"),
        (f"{HOME},ada,learner,,,,,,=1", "attributes"),
        (f"{HOME},ada,learner,,,,,,band=1;band=2", "attributes"),
        (f"{HOME},ada,learner,{'x' * 301},,,,,", "display_name"),
        (f"{HOME},ada\x07,learner,,,,,,", "account_name"),
        (f"{HOME},ada,learner", ""),
    ],
)
def test_a_wrong_row_is_named_by_line_and_column(row: str, column: str) -> None:
    assert [(f.line, f.column) for f in faults(f"{HEADER}\n{HOME},ok,learner,,,,,,\n{row}\n")] == [(3, column)]


def test_all_wrong_rows_are_named() -> None:
    assert [f.line for f in faults(f"{HEADER}\n,,,,,,,,x\n{HOME},b,x,,,,,,\n")] == [2, 2, 2, 2, 3]


def test_lines_are_counted_through_quoted_line_breaks_and_empty_lines() -> None:
    text = f'{HEADER}\n\n{HOME},a,learner,"A\nB",,,,,\n{HOME},b,x,,,,,,\n'
    assert [(f.line, f.column) for f in faults(text)] == [(3, "display_name"), (5, "role")]


@pytest.mark.parametrize(
    ("raw", "line"), [(HEADER.encode() + b"\n\xff", 2), (HEADER.encode() + b'\n"a', 2), (b"", 1), (HEADER.encode(), 1)]
)
def test_what_is_no_csv_is_refused(raw: bytes, line: int) -> None:
    assert faults(raw)[0].line == line


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_the_reading(raw: bytes) -> None:
    try:
        entries, _ = parse(raw)
    except RosterInvalid as error:
        named = bool(error.faults)
    else:
        named = bool(entries)
    assert named


def test_the_same_class_name_in_two_schools_is_two_scopes() -> None:
    north, south = Place("W", "", "North", "7b"), Place("W", "", "South", "7b")
    assert north.scope != south.scope
    assert north.scope == Place("W", "", "North", "7b").scope
    assert north.way() == (Place("W"), Place("W", "", "North"), north)
