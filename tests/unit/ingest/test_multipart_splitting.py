"""Multipart bodies taken apart as they stream."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest.attachments.multipart import End, Event, Head, Malformed, Splitter, boundary_of

from tests.support.multipart_mixed import BOUNDARY, CRLF, body

Parts = list[tuple[dict[str, str], bytes]]

NAMES = st.from_regex(r"[A-Za-z][A-Za-z-]{0,10}", fullmatch=True)
VALUES = st.from_regex(r"[!-~]([ -~]{0,20}[!-~])?", fullmatch=True)
# What might be taken for a boundary is more likely than chance has it.
PIECES = st.sampled_from(
    [b"\r\n", b"--", b"\r\n--", BOUNDARY[:5].encode(), b"--" + BOUNDARY.encode()[:-1], b"\r", b"\n"]
)
DATA = st.lists(st.binary(max_size=20) | PIECES, max_size=8).map(b"".join)
PARTS = st.lists(
    st.tuples(st.dictionaries(NAMES.map(str.title), VALUES, min_size=1, max_size=3), DATA), min_size=1, max_size=4
)


def is_delimiter_inside(parts: Parts) -> bool:
    return any(CRLF + b"--" + BOUNDARY.encode() in CRLF + data + CRLF for _, data in parts)


def events_of(content: bytes, cuts: list[int]) -> list[Event]:
    splitter = Splitter(BOUNDARY.encode())
    places = sorted({0, len(content), *(cut % (len(content) + 1) for cut in cuts)})
    events = [event for a, b in pairwise(places) for event in splitter.feed(content[a:b])]
    splitter.close()
    return events


def parts_of(events: list[Event]) -> Parts:
    parts: Parts = []
    is_open = False
    for event in events:
        if isinstance(event, Head):
            assert not is_open
            parts.append(({name.title(): value for name, value in event.headers.items()}, b""))
        elif isinstance(event, bytes):
            assert is_open
            parts[-1] = (parts[-1][0], parts[-1][1] + event)
        is_open = not isinstance(event, End)
    assert not is_open
    return parts


@given(PARTS.filter(lambda parts: not is_delimiter_inside(parts)), st.lists(st.integers(0, 10_000), max_size=12))
def test_the_same_however_it_is_cut(parts: Parts, cuts: list[int]) -> None:
    assert parts_of(events_of(b"preamble\r\n" + body(*parts) + b"epilogue", cuts)) == parts


@given(st.binary(max_size=200) | DATA, st.integers(0, 300))
def test_anything_else_is_malformed_and_no_more(content: bytes, cut: int) -> None:
    whole = body(({"A": "b"}, b"c"))
    broken = whole[: cut % len(whole)] + content
    with suppress(Malformed):
        parts_of(events_of(broken, [cut]))


def test_what_follows_a_boundary_is_one() -> None:
    """A boundary that another begins with is another: `--abc` in the data is no `--ab`."""
    splitter = Splitter(b"ab")
    events = splitter.feed(b"--ab\r\nX: y\r\n\r\none\r\n--abc\r\ntwo\r\n--ab--")
    splitter.close()
    assert b"".join(event for event in events if isinstance(event, bytes)) == b"one\r\n--abc\r\ntwo"


def test_the_preamble_has_a_bound() -> None:
    splitter = Splitter(b"ab")
    splitter.feed(b"x" * 8_000)
    with pytest.raises(Malformed, match="within 8192 bytes"):
        splitter.feed(b"x" * 600)


def test_headers_have_a_bound() -> None:
    with pytest.raises(Malformed):
        Splitter(b"ab").feed(b"--ab\r\n" + b"X: y\r\n" * 100)
    with pytest.raises(Malformed):
        Splitter(b"ab").feed(b"--ab\r\nX: " + b"y" * 100_000)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/mixed; boundary=ab", b"ab"),
        ('multipart/mixed; BOUNDARY="a b"', b"a b"),
        ("multipart/mixed;charset=utf-8;boundary=-------314159265358979323846", b"-------314159265358979323846"),
        (f'multipart/mixed; boundary="{BOUNDARY}"', BOUNDARY.encode()),
        ("multipart/mixed", None),
        ("multipart/mixed;", None),
        ("multipart/mixed; boundary=", None),
        ('multipart/mixed; boundary="a "', None),
        ("multipart/mixed; boundary=a*b", None),
        (f"multipart/mixed; boundary={'x' * 70}", b"x" * 70),
        (f"multipart/mixed; boundary={'x' * 71}", None),
    ],
)
def test_boundaries(content_type: str, boundary: bytes | None) -> None:
    if boundary is None:
        with pytest.raises(Malformed):
            boundary_of(content_type)
    else:
        assert boundary_of(content_type) == boundary
