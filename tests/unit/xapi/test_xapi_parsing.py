"""Every rule of the Data part: what is refused and where, what is accepted and left as it was."""

from __future__ import annotations

import copy
import json
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xapi import (
    VOIDED,
    JsonObject,
    Problem,
    StatementInvalid,
    Version,
    dumps,
    parse_agent,
    parse_statement,
    parse_statements,
)

from tests.support.xapi_defects import (
    AGENT,
    DEFECTS,
    FULL,
    ID,
    MISSING,
    SUB,
    V1,
    V2,
    Broken,
    Defect,
    broken_statements,
    changed,
)
from tests.support.xapi_strategies import statements


def problems(statement: Any, version: Version = V2) -> tuple[Problem, ...]:
    with pytest.raises(StatementInvalid) as caught:
        parse_statements(orjson.dumps(statement), version)
    return caught.value.errors


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: f"{defect.rule} {defect.value}"[:60])
def test_refused_at_its_place(defect: Defect) -> None:
    found = problems([FULL | {"id": "00000000-1234-5678-1234-567812345678"}, changed(defect.path, defect.value)])
    assert f"/1{defect.place}" in [problem.path for problem in found], defect.rule
    assert all(problem.reason for problem in found)


def refuses(version: Version, broken: Broken) -> None:
    found = problems(broken.statement, version)
    assert broken.place in [problem.path for problem in found], broken.rule
    assert all(problem.path.startswith(broken.within) for problem in found), broken.rule


in_a_dialect = st.sampled_from(Version)


@given(in_a_dialect.flatmap(lambda version: st.tuples(st.just(version), broken_statements(version))))
@settings(max_examples=300, deadline=None)
def test_one_defect_anywhere_is_refused_at_its_place(case: tuple[Version, Broken]) -> None:
    refuses(*case)


@pytest.mark.long
@given(in_a_dialect.flatmap(lambda version: st.tuples(st.just(version), broken_statements(version))))
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_ten_thousand_defects(case: tuple[Version, Broken]) -> None:
    refuses(*case)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/actor", {"mbox": "mailto:Ann.O'Neil+x@Example.org"}),
        ("/actor", {"objectType": "Group", "member": [AGENT]}),
        ("/actor", {"objectType": "Group", "mbox_sha1sum": "A" * 40}),
        ("/actor", {"openid": "https://example.org/ann"}),
        ("/verb/display", {"zh-Hans-CN": "x", "de-CH-1996": "y", "es-419": "z", "sl-rozaj-biske": "", "x-a": ""}),
        ("/verb/id", "urn:example:ü"),
        ("/verb/id", "http://example.org/%20?a=b#c"),
        ("/object/objectType", MISSING),
        ("/result/duration", "P3Y1M29DT4H35M59.14S"),
        ("/result/duration", "P4W"),
        ("/result/score", {"scaled": -1, "raw": 3}),
        ("/context/contextActivities", {"category": []}),
        ("/version", "1.0.9"),
        ("/version", "1.0"),
        ("/authority", {"objectType": "Group", "member": [AGENT, {"openid": "http://example.org/"}]}),
        ("/timestamp", "2008-09-15T15:53:00.601123456+05:30"),
        ("/timestamp", "2016-12-31T23:59:60Z"),
        ("/attachments/0/contentType", "text/plain; charset=ascii"),
    ],
)
@pytest.mark.parametrize("version", [V1, V2])
def test_accepted(path: str, value: Any, version: Version) -> None:
    statement = changed(path, value)
    assert parse_statement(orjson.dumps(statement), version).raw == statement


@pytest.mark.parametrize("name", ["revision", "platform"])
@pytest.mark.parametrize(
    "target",
    [
        {"objectType": "Agent", **AGENT},
        {"objectType": "Group", "member": [AGENT]},
        {"objectType": "StatementRef", "id": ID},
        SUB,
    ],
)
def test_revision_and_platform_only_about_activities(name: str, target: JsonObject) -> None:
    statement = {**FULL, "object": target, "context": {name: "x"}}
    assert [p.path for p in problems(statement)] == [f"/context/{name}"]
    if target is not SUB:
        inner = {**FULL, "object": {**SUB, "object": target, "context": {name: "x"}}, "context": {}}
        assert [p.path for p in problems(inner)] == [f"/object/context/{name}"]


@pytest.mark.parametrize("name", ["contextAgents", "contextGroups"])
def test_context_agents_and_groups_are_of_2_0_alone(name: str) -> None:
    context: JsonObject = {
        "contextAgents": [{"objectType": "contextAgent", "agent": AGENT, "relevantTypes": ["http://example.org/r"]}],
        "contextGroups": [{"objectType": "contextGroup", "group": {"objectType": "Group", **AGENT}}],
    }
    statement = {**FULL, "context": {name: context[name]}}
    assert parse_statement(orjson.dumps(statement), V2)
    assert [p.path for p in problems(statement, V1)] == [f"/context/{name}"]
    inner = {**FULL, "object": {**SUB, "context": {name: context[name]}}, "context": {}}
    assert parse_statement(orjson.dumps(inner), V2)
    assert [p.path for p in problems(inner, V1)] == [f"/object/context/{name}"]


def test_version_2_0_belongs_to_requests_of_2_0() -> None:
    statement = changed("/version", "2.0.0")
    assert parse_statement(orjson.dumps(statement), V2).statement["version"] == "2.0.0"
    assert [p.path for p in problems(statement, V1)] == ["/version"]


@pytest.mark.parametrize(
    "text", ["2015-11-18T12:17:00", "2015-11-18T12:17Z", "20151118T121700Z", "2015-11-18T12:17:00+01"]
)
def test_2_0_demands_rfc_3339_where_1_0_3_takes_iso_8601(text: str) -> None:
    statement = changed("/timestamp", text)
    assert parse_statement(orjson.dumps(statement), V1).raw == statement
    assert [p.path for p in problems(statement, V2)] == ["/timestamp"]


def test_voiding_needs_a_statement_ref() -> None:
    voided = {"id": VOIDED}
    reference = {"objectType": "StatementRef", "id": ID}
    whole = {"actor": AGENT, "verb": voided, "object": reference}
    assert parse_statement(orjson.dumps(whole)).statement["verb"]["id"] == VOIDED
    assert [p.path for p in problems({**whole, "object": {"id": "http://example.org/a"}})] == ["/object/objectType"]


def test_a_batch_has_statements() -> None:
    assert problems([]) == (Problem("", "expected at least one statement, found an empty array"),)


def test_ids_in_a_batch_are_distinct_whatever_their_case() -> None:
    upper = {**FULL, "id": "abcdefab-1234-5678-1234-567812345678"}
    lower = {**FULL, "id": "ABCDEFAB-1234-5678-1234-567812345678"}
    assert [p.path for p in problems([upper, FULL, lower])] == ["/2/id"]


def test_a_batch_names_every_bad_statement() -> None:
    assert {p.path.split("/")[1] for p in problems([{}, FULL, 3, None])} == {"0", "2", "3"}


def test_reports_are_bounded() -> None:
    assert len(problems([{}] * 1000)) == 100


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b'{"a": NaN}', b'{"a": 1e999}', b'{"a": "\\ud800"}', b"nonsense", b"[" * 100_000, b"'a'",
     b'{"x": %s1%s}' % (b"[" * 2000, b"]" * 2000)],
)  # fmt: skip
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(StatementInvalid):
        parse_statements(body)


@pytest.mark.parametrize("body", [b'"text"', b"3", b"null", b"true"])
def test_what_is_no_statement_is_refused(body: bytes) -> None:
    with pytest.raises(StatementInvalid) as caught:
        parse_statements(body)
    assert caught.value.errors[0].path == ""


@pytest.mark.parametrize("separator", [(",", ":"), (", ", ": ")])
def test_a_property_twice_is_refused(separator: tuple[str, str]) -> None:
    text = json.dumps(FULL, separators=separator)
    twice = text.replace('"score"', '"success"' + separator[1] + "true" + separator[0] + '"score"')
    with pytest.raises(StatementInvalid, match=r"/result/success: .* found this one twice"):
        parse_statements(twice.encode())
    assert parse_statements(text.encode())[0].raw == FULL


def test_problems_never_repeat_values() -> None:
    secret = "Zebulon-Quux"
    bad = [
        changed("/actor/account/homePage", secret),
        changed("/context/instructor/mbox", secret),
        changed("/id", secret),
        changed("/timestamp", secret),
        changed("/result/duration", secret),
        changed("/actor/objectType", secret),
        changed("/object/definition/interactionType", secret),
        changed("/result/success", secret),
        changed("/version", secret),
    ]
    found = problems(bad)
    assert len(found) >= len(bad)
    assert secret not in repr(found)


def test_parse_statement_refuses_an_array() -> None:
    with pytest.raises(StatementInvalid):
        parse_statement(orjson.dumps([FULL]))


class TestParseAgent:
    def test_gives_back_the_object(self) -> None:
        assert parse_agent(b'{"mbox": "mailto:a@example.org"}') == {"mbox": "mailto:a@example.org"}
        group = {"objectType": "Group", "mbox": "mailto:a@example.org", "member": []}
        assert parse_agent(group) == group

    @pytest.mark.parametrize(
        ("raw", "path"),
        [
            ('{"mbox": "a"}', "/mbox"),
            ("{}", ""),
            ("[]", ""),
            ("x", ""),
            ('{"objectType": "Group", "member": [{"mbox": "mailto:a@example.org"}]}', ""),
            ('{"objectType": "Activity", "id": "http://example.org"}', "/objectType"),
            ('{"objectType": 1, "mbox": "mailto:a@example.org"}', "/objectType"),
        ],
    )
    def test_refuses(self, raw: str, path: str) -> None:
        with pytest.raises(StatementInvalid) as caught:
            parse_agent(raw)
        assert path in [p.path for p in caught.value.errors]


def accepts(version: Version, statement: JsonObject) -> None:
    before = orjson.dumps(statement)
    parsed = parse_statements(before, version)[0]
    assert parsed.raw == statement
    assert dumps(parsed.raw) == before
    assert parse_statements(json.dumps(statement).encode(), version)[0].raw == statement


@given(in_a_dialect.flatmap(lambda version: st.tuples(st.just(version), statements(version))))
@settings(max_examples=150, deadline=None)
def test_any_valid_statement_is_accepted_and_left_as_it_was(case: tuple[Version, JsonObject]) -> None:
    accepts(*case)


@pytest.mark.long
@given(in_a_dialect.flatmap(lambda version: st.tuples(st.just(version), statements(version))))
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_ten_thousand_valid_statements(case: tuple[Version, JsonObject]) -> None:
    accepts(*case)


def _places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place outside extensions."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += [] if key == "extensions" else _places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += _places(inner, (*path, index))
    return found


def _set(statement: JsonObject, path: tuple[str | int, ...], value: Any) -> JsonObject:
    result = copy.deepcopy(statement)
    place: Any = result
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return result


@given(statements(), st.data())
@settings(max_examples=50, deadline=None)
def test_a_near_miss_is_refused_near_its_place(statement: JsonObject, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(_places(statement)))
    wrong = data.draw(st.sampled_from([None, "", 17.5, True, ["x"], {"unknown": 1}]))
    old: Any = statement
    for part in place:
        old = old[part]
    same_kind = type(old) is type(wrong) or (isinstance(old, (int, float)) and wrong == 17.5)
    if same_kind and not (isinstance(old, dict) and place[-1] not in ("display", "name", "description")):
        return
    pointer = "/" + "/".join(str(part) for part in place)
    found = problems(_set(statement, place, wrong))
    near = [p.path for p in found]
    head = "/".join(pointer.split("/")[:2])
    assert any(path.startswith(head) for path in near), near


@given(statements(), st.data())
@settings(max_examples=60, deadline=None)
def test_an_unknown_property_anywhere_is_refused_at_its_place(statement: JsonObject, data: st.DataObject) -> None:
    maps = ("display", "description", "contextActivities")
    objects = [()] + [
        place
        for place in _places(statement)
        if place[-1] not in maps and not (place[-1] == "name" and "definition" in place)
    ]
    place = data.draw(st.sampled_from(objects))
    target: Any = statement
    for part in place:
        target = target[part]
    if not isinstance(target, dict):
        return
    found = problems(_set(statement, (*place, "unknownProperty"), 1))
    assert any(p.path.endswith("/unknownProperty") for p in found)
