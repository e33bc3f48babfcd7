"""Numbers, order and text come back as they were sent; what is not I-JSON is refused with its place."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xapi import JsonObject, StatementInvalid, Version, complete, difference, dumps, loads, parse_statements, render
from xapi.exact import LONGEST_NUMBER, Number

from tests.support.xapi_strategies import literals, statements, with_literals

ODD = [
    "-0", "1.10", "1E5", "1e5", "1e+5", "1e-400", "-0.0", "0.10", "100000000000000000000", "-9223372036854775809",
    "18446744073709551616", "0.1000000000000000055511151231257827", "3.141592653589793238462643383279502884197",
    "12345678901234567.25", "0e0", "-0e-0", "5e-324",
]  # fmt: skip
EVEN = ["0", "1", "-1", "1.0", "0.5", "9007199254740993", "18446744073709551615", "-9223372036854775808", "1e16"]
NOW = "2026-01-02T00:00:00.000000Z"
ANN = {"mbox": "mailto:ann@example.org"}


@pytest.mark.parametrize("text", ODD + EVEN)
@pytest.mark.parametrize("frame", [b"%s", b"[%s]", b'{"a":%s}', b'{"a":[{"b":%s}]}'])
def test_a_number_comes_back_as_it_stood(text: str, frame: bytes) -> None:
    body = frame % text.encode()
    assert dumps(loads(body)) == body
    spaced = body.replace(b":", b": ")
    assert dumps(loads(spaced)) == body


@pytest.mark.parametrize("text", ODD)
def test_an_odd_number_still_reckons(text: str) -> None:
    value = loads(text.encode())
    assert isinstance(value, float)
    assert value == float(text)
    assert str(value) == text
    assert dumps([copy.deepcopy(value), copy.copy(value)]) == (f"[{text},{text}]".encode())


@pytest.mark.parametrize("text", EVEN[:-1])
def test_others_are_plain(text: str) -> None:
    assert type(loads(f'{{"a": {text}}}'.encode())["a"]) in (int, float)


def numbers(body: bytes) -> list[str]:
    """Every number's text, in order."""
    return re.findall(r"-?[0-9][0-9.eE+-]*", re.sub(r'"(?:[^"\\]|\\.)*"', '""', body.decode()))


def written(value: Any, comma: str, colon: str, *, ascii_only: bool) -> str:
    """JSON in another hand than ours."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        parts = [f"{written(k, '', '', ascii_only=ascii_only)}{colon}" for k in value]
        values = (written(inner, comma, colon, ascii_only=ascii_only) for inner in value.values())
        return "{" + comma.join(k + v for k, v in zip(parts, values, strict=True)) + "}"
    if isinstance(value, list):
        return "[" + comma.join(written(inner, comma, colon, ascii_only=ascii_only) for inner in value) + "]"
    text = json.dumps(value, ensure_ascii=ascii_only)
    return text.replace("/", "\\/") if ascii_only and isinstance(value, str) else text


HANDS = [(",", ":", False), (", ", ": ", False), (",", ":", True), (",\n  ", " : ", True)]


@given(with_literals(statements()))
@settings(max_examples=100, deadline=None)
def test_whoever_wrote_it_every_number_comes_back(statement: JsonObject) -> None:
    compact = written(statement, ",", ":", ascii_only=False).encode()
    for comma, colon, ascii_only in HANDS:
        body = written(statement, comma, colon, ascii_only=ascii_only).encode()
        raw = parse_statements(body)[0].raw
        assert numbers(dumps(raw)) == numbers(compact)
        assert list(raw) == list(statement)
        whole = complete(raw, statement_id="x", stored=NOW, authority=ANN, version=Version.V2_0_0)
        kept = {name: value for name, value in whole.items() if name not in ("stored", "authority", "version", "id")}
        assert sorted(numbers(dumps(kept))) == sorted(numbers(compact))
        assert numbers(dumps(render(whole, "canonical", "de"))) == numbers(dumps(whole))
        assert difference(raw, loads(compact)) is None


@given(st.lists(literals, max_size=5), st.text(max_size=5))
@settings(max_examples=300, deadline=None)
def test_what_is_read_is_what_a_json_reader_reads(texts: list[str], key: str) -> None:
    body = f"{{{json.dumps(key)}: [{', '.join(texts)}]}}".encode()
    assert [float(one) for one in loads(body)[key]] == [float(one) for one in texts]
    assert dumps(loads(body)) == f"{{{json.dumps(key, ensure_ascii=False)}:[{','.join(texts)}]}}".encode()


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"a":1,"a":1}', "/a"),
        (b'{"a": 1, "\\u0061": 2}', "/a"),
        (b'[{"x":[{"a":1},{"b":2,"c":{},"b":3}]}]', "/0/x/1/b"),
        (b'{"a/b":{"~":{"q":1,"q":{}}}}', "/a~1b/~0/q"),
        (b'{"a":{"b":1,"b":2},"a":3}', "/a"),
    ],
)
def test_a_property_twice_is_named(body: bytes, place: str) -> None:
    with pytest.raises(StatementInvalid, match="twice") as caught:
        loads(body)
    assert caught.value.errors[0].path == place


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "expected JSON"),
        (b"[1] 2", "line 1, column 5"),
        (b'{"a": 01}', "expected JSON"),
        (b'{"a": 1.}', "expected JSON"),
        (b'{"a": +1}', "expected JSON"),
        (b'{"a": "\t"}', "expected JSON"),
        (b"[NaN]", "expected JSON"),
        (b'{"a": -Infinity}', "expected JSON"),
        (b'{"a": NaN}', "expected JSON"),
        (b"\xef\xbb\xbf[]", "expected JSON"),
        (b'["\xff"]', "UTF-8"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b'["\\ud800"]', "surrogate"),
        (b'{"a": "\\udc00"}', "surrogate"),
        (b'{"a": 1, "\\udc00": "x"}', "surrogate"),
        (b"[1e400]", "range of a double"),
        (b'{"a": -1e400}', "range of a double"),
        (b'{"a": 1%s}' % (b"0" * 400), "range of a double"),
        (b'{"a": 0.%s}' % (b"1" * LONGEST_NUMBER), "at most 1000 characters"),
        (b'{"a": 1%s}' % (b"0" * 100_000), "range of a double"),
        (b"[" * 5_000 + b"]" * 5_000, "nested too deeply"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b"[" * 250 + b"]" * 250, "nested too deeply"),
    ],
)
def test_refused(body: bytes, reason: str) -> None:
    with pytest.raises(StatementInvalid, match=reason):
        loads(body)


@pytest.mark.parametrize("frame", [b"%s", b'{"a": %s}'])
def test_what_is_read_can_be_put_into_something_else_and_written(frame: bytes) -> None:
    deep = loads(frame % (b"[" * 240 + b"1.10" + b"]" * 240))
    assert b"1.10" in dumps({"statements": [{"more": deep}]})


def test_other_values_are_no_json() -> None:
    with pytest.raises(TypeError):
        dumps({"a": object()})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1.10", "1.1", True),
        ("1E1", "10", True),
        ("-0", "0", True),
        ("100000000000000000000", "1e20", True),
        ("100000000000000000001", "1e20", False),
        ("0.1000000000000000055511151231257827", "0.1", False),
        ("9007199254740993", "9007199254740992.0", False),
        ("1e-400", "0", False),
        ("1.10", "true", False),
        ("1.10", '"1.10"', False),
        ("1e-9999999999999999999999", "0.0", False),
    ],
)
def test_numbers_are_the_same_by_their_exact_value(one: str, other: str, same: bool) -> None:
    def statement(text: str) -> JsonObject:
        body = f'{{"actor":{{}},"verb":{{"id":"v"}},"object":{{"id":"o"}},"result":{{"extensions":{{"e:e":{text}}}}}}}'
        value: JsonObject = loads(body.encode())
        return value

    place = None if same else "/result/extensions/e:e"
    assert difference(statement(one), statement(other)) == place
    assert difference(statement(other), statement(one)) == place


@pytest.mark.parametrize(
    ("body", "written"),
    [
        (rb'{"a": "x\/y z", "b": 1.0}', b'{"a":"x/y z","b":1.0}'),
        (rb'{"a": "x\\/y", "b": 1.10}', rb'{"a":"x\\/y","b":1.10}'),
        (rb'{"a": "\/", "b": 100000000000000000000}', b'{"a":"/","b":100000000000000000000}'),
        (b'{\n\t"a b": [1, 2.50 ,\r\n-0]}', b'{"a b":[1,2.50,-0]}'),
    ],
)
def test_spaces_and_escaped_slashes_hide_no_number(body: bytes, written: bytes) -> None:
    assert dumps(loads(body)) == written
