"""Every rule of the Data part: what is refused and where, what is accepted and left as it was."""

from __future__ import annotations

import copy
import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xapi import VOIDED, JsonObject, Problem, StatementInvalid, Version, parse_agent, parse_statement, parse_statements

from tests.support.xapi_strategies import statements

V1, V2 = Version.V1_0_3, Version.V2_0_0
ID = "12345678-1234-5678-1234-567812345678"
HASH = "495395e777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a"
AGENT = {"mbox": "mailto:ann@example.org"}
ATTACHMENT = {
    "usageType": "http://example.org/usage",
    "display": {"en": "a file"},
    "contentType": "text/plain",
    "length": 3,
    "sha2": HASH,
}
FULL: JsonObject = {
    "id": ID,
    "actor": {"objectType": "Agent", "name": "Ann", "account": {"homePage": "https://lms.example.org", "name": "ann"}},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/completed", "display": {"en-US": "completed"}},
    "object": {
        "objectType": "Activity",
        "id": "https://lms.example.org/quiz/1",
        "definition": {
            "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
            "name": {"en": "Quiz"},
            "moreInfo": "https://lms.example.org/quiz/1/about",
            "interactionType": "choice",
            "correctResponsesPattern": ["a[,]b"],
            "choices": [{"id": "a", "description": {"en": "A"}}, {"id": "b"}],
            "extensions": {"http://example.org/x": None},
        },
    },
    "result": {
        "score": {"scaled": 0.5, "raw": 5, "min": 0, "max": 10},
        "success": True,
        "completion": False,
        "response": "a",
        "duration": "PT1H0.5S",
        "extensions": {"http://example.org/y": {"deep": [None, {"x": 1.50}]}},
    },
    "context": {
        "registration": ID,
        "instructor": AGENT,
        "team": {"objectType": "Group", "member": [AGENT]},
        "contextActivities": {"parent": {"id": "http://example.org/course"}, "other": [{"id": "http://example.org/o"}]},
        "revision": "1",
        "platform": "Moodle",
        "language": "en-US",
        "statement": {"objectType": "StatementRef", "id": ID},
        "extensions": {},
    },
    "timestamp": "2026-01-02T03:04:05.678Z",
    "stored": "2026-01-02T03:04:05.678Z",
    "authority": AGENT,
    "version": "1.0.0",
    "attachments": [{**ATTACHMENT, "description": {"en": "long"}, "fileUrl": "https://example.org/file"}],
}
SUB: JsonObject = {
    "objectType": "SubStatement",
    "actor": AGENT,
    "verb": {"id": "http://example.org/planned"},
    "object": {"id": "http://example.org/a"},
}
MISSING = object()


def changed(path: str, value: Any, base: JsonObject = FULL) -> JsonObject:
    """A copy of base with one place set (or removed, by MISSING)."""
    result = copy.deepcopy(base)
    *parents, last = path.strip("/").split("/")
    place: Any = result
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place[part]
    if value is MISSING:
        del place[last]
    elif isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return result


def problems(statement: Any, version: Version = V2) -> tuple[Problem, ...]:
    with pytest.raises(StatementInvalid) as caught:
        parse_statements(orjson.dumps(statement), version)
    return caught.value.errors


# (requirement, place set, value, place named by the problem or None for the same)
REFUSED: list[tuple[str, str, Any, str | None]] = [
    ("2.2 actor is required", "/actor", MISSING, None),
    ("2.2 verb is required", "/verb", MISSING, None),
    ("2.2 object is required", "/object", MISSING, None),
    ("2.2 no null", "/actor/name", None, None),
    ("2.2 no null", "/result", None, None),
    ("2.2 no null in a language map", "/verb/display/en-US", None, None),
    ("2.2 no null", "/object/definition", None, None),
    ("2.2 no null", "/context/registration", None, None),
    ("2.2 no null", "/object/definition/moreInfo", None, None),
    ("2.2 unknown property", "/extra", 1, None),
    ("2.2 unknown property", "/actor/homePage", "http://example.org", None),
    ("2.2 unknown property", "/context/extra", "x", None),
    ("2.2 case of a key", "/Result", {}, None),
    ("2.2 case of a value", "/actor/objectType", "agent", None),
    ("2.2 case of a value", "/object/definition/interactionType", "Choice", None),
    ("2.2 a string, not a number", "/actor/name", 3, None),
    ("2.2 an object, not a string", "/actor", "ann", None),
    ("2.2 an object, not an array", "/verb", [], None),
    ("2.2 objectType is a string", "/actor/objectType", 1, None),
    ("2.4.1 id is a UUID", "/id", "AA97B177-9383-4934-8543-0F91A7A028368", None),
    ("2.4.1 id is a UUID", "/id", "MA97B177-9383-4934-8543-0F91A7A02836", None),
    ("2.4.1 id is a UUID", "/id", "12345678123456781234567812345678", None),
    ("2.4.1 id is a UUID", "/id", 7, None),
    ("2.4.1 no trailing newline", "/id", ID + "\n", None),
    ("2.4.2.1 one identifier", "/actor", {"name": "Ann"}, None),
    ("2.4.2.1 one identifier", "/actor/mbox", "mailto:a@example.org", "/actor"),
    ("2.4.2.1 an Agent has no member", "/actor/member", [AGENT], None),
    ("2.4.2.2 anonymous needs members", "/actor", {"objectType": "Group"}, None),
    ("2.4.2.2 anonymous needs members", "/actor", {"objectType": "Group", "member": []}, None),
    ("2.4.2.2 one identifier", "/actor", {"objectType": "Group", **AGENT, "openid": "http://e.org/"}, None),
    ("2.4.2.2 no group in a group", "/actor", {"objectType": "Group", "member": [{"objectType": "Group", **AGENT}]},
     "/actor/member/0/objectType"),
    ("2.4.2.3 mbox is a mailto IRI", "/context/instructor/mbox", "ann@example.org", None),
    ("2.4.2.3 mbox is a mailto IRI", "/context/instructor/mbox", "mailto:ann", None),
    ("2.4.2.3 mbox is a mailto IRI", "/context/instructor/mbox", "mailto:a@b,c@d", None),
    ("2.4.2.3 mbox is a mailto IRI", "/context/instructor/mbox", "", None),
    ("2.4.2.3 mbox_sha1sum", "/actor", {"mbox_sha1sum": "abc"}, "/actor/mbox_sha1sum"),
    ("2.4.2.3 mbox_sha1sum", "/actor", {"mbox_sha1sum": "g" * 40}, "/actor/mbox_sha1sum"),
    ("2.4.2.3 openid is a URI", "/actor", {"openid": "ann"}, "/actor/openid"),
    ("2.4.2.4 homePage is an IRL", "/actor/account/homePage", "lms", None),
    ("2.4.2.4 homePage is required", "/actor/account/homePage", MISSING, None),
    ("2.4.2.4 name is required", "/actor/account/name", MISSING, None),
    ("2.4.2.4 name is a string", "/actor/account/name", 12, None),
    ("2.4.2.4 account is an object", "/actor/account", "ann", None),
    ("2.4.3 verb id is required", "/verb/id", MISSING, None),
    ("2.4.3 verb id is an IRI", "/verb/id", "completed", None),
    ("2.4.3 verb id is an IRI", "/verb/id", "ab=c://should.fail.com", None),
    ("2.4.3 verb id is an IRI", "/verb/id", "http://example.org/a b", None),
    ("2.4.3 display is a map", "/verb/display", "completed", None),
    ("4.2 language tags", "/verb/display", {"a12345678": "x"}, "/verb/display/a12345678"),
    ("4.2 language tags", "/verb/display", {"en_US": "x"}, "/verb/display/en_US"),
    ("4.2 language tags", "/verb/display", {"something": "x"}, "/verb/display/something"),
    ("4.2 language tags", "/verb/display", {"": "x"}, "/verb/display/"),
    ("4.2 texts are strings", "/verb/display/en-US", 1, None),
    ("2.4.4 objectType is known", "/object/objectType", "Thing", None),
    ("2.4.4.1 activity id is required", "/object/id", MISSING, None),
    ("2.4.4.1 activity id is an IRI", "/object/id", "quiz", None),
    ("2.4.4.1 definition is an object", "/object/definition", "x", None),
    ("2.4.4.1 name is a map", "/object/definition/name", "Quiz", None),
    ("2.4.4.1 type is an IRI", "/object/definition/type", "quiz", None),
    ("2.4.4.1 moreInfo is an IRL", "/object/definition/moreInfo", "quiz", None),
    ("2.4.4.1 interactionType is known", "/object/definition/interactionType", "compound", None),
    ("2.4.4.1 pattern is an array", "/object/definition/correctResponsesPattern", "a", None),
    ("2.4.4.1 pattern is of strings", "/object/definition/correctResponsesPattern/0", 1, None),
    ("2.4.4.1 interactionType beside a pattern", "/object/definition", {"correctResponsesPattern": ["a"]}, None),
    ("2.4.4.1 lists belong to their type", "/object/definition/scale", [{"id": "a"}], None),
    ("2.4.4.1 ids within a list are distinct", "/object/definition/choices/1/id", "a", "/object/definition/choices"),
    ("2.4.4.1 component id is required", "/object/definition/choices/1", {}, "/object/definition/choices/1/id"),
    ("2.4.4.1 component id is a string", "/object/definition/choices/1/id", 1, None),
    ("2.4.4.2 an agent as object says so", "/object", AGENT, "/object/id"),
    ("2.4.4.3 StatementRef has a UUID", "/object", {"objectType": "StatementRef", "id": "x"}, "/object/id"),
    ("2.4.4.3 StatementRef has an id", "/object", {"objectType": "StatementRef"}, "/object/id"),
    ("2.4.5 success is a boolean", "/result/success", "true", None),
    ("2.4.5 success is a boolean", "/result/success", 1, None),
    ("2.4.5 completion is a boolean", "/result/completion", "false", None),
    ("2.4.5 response is a string", "/result/response", 5, None),
    ("2.4.5 duration is a string", "/result/duration", 12345, None),
    ("4.6 duration", "/result/duration", "PA1H0M0S", None),
    ("4.6 duration", "/result/duration", "P4W1D", None),
    ("4.6 duration", "/result/duration", "P", None),
    ("4.6 duration", "/result/duration", "P1DT", None),
    ("4.6 duration", "/result/duration", "PT1.5H1S", None),
    ("4.6 no alternative format", "/result/duration", "P0003-06-04T12:30:05", None),
    ("2.4.5.1 scaled at most 1", "/result/score/scaled", 1.01, None),
    ("2.4.5.1 scaled at least -1", "/result/score/scaled", -1.00001, None),
    ("2.4.5.1 scaled is a number", "/result/score/scaled", "0.5", None),
    ("2.4.5.1 a boolean is no number", "/result/score/raw", True, None),
    ("2.4.5.1 raw at most max", "/result/score/raw", 11, "/result/score"),
    ("2.4.5.1 raw at least min", "/result/score/raw", -1, "/result/score"),
    ("2.4.5.1 min less than max", "/result/score", {"min": 2, "max": 2}, None),
    ("2.4.5.1 score is an object", "/result/score", 5, None),
    ("2.4.6 registration is a UUID", "/context/registration", "x", None),
    ("2.4.6 instructor is an actor", "/context/instructor", {"name": "x"}, None),
    ("2.4.6 team is a Group", "/context/team", AGENT, "/context/team/objectType"),
    ("2.4.6 team is a Group", "/context/team", {"objectType": "Agent", **AGENT}, "/context/team/objectType"),
    ("2.4.6 revision is a string", "/context/revision", 1, None),
    ("2.4.6 language is a tag", "/context/language", "english language", None),
    ("2.4.6 statement is a StatementRef", "/context/statement", {"id": ID}, "/context/statement/objectType"),
    ("2.4.6.2 known keys", "/context/contextActivities/child", [], None),
    ("2.4.6.2 values are activities", "/context/contextActivities/parent", "x", None),
    ("2.4.6.2 values are activities", "/context/contextActivities/parent", {"objectType": "Agent", **AGENT},
     "/context/contextActivities/parent/objectType"),
    ("4.1 extension keys are IRIs", "/context/extensions", {"key": 1}, "/context/extensions/key"),
    ("4.1 extensions are an object", "/result/extensions", [], None),
    ("2.0 contextAgents is an array", "/context/contextAgents", {}, None),
    ("2.0 contextAgent objectType", "/context/contextAgents", [{"objectType": "Agent", "agent": AGENT}],
     "/context/contextAgents/0/objectType"),
    ("2.0 contextAgent objectType", "/context/contextAgents", [{"agent": AGENT}],
     "/context/contextAgents/0/objectType"),
    ("2.0 relevantTypes is not empty", "/context/contextAgents",
     [{"objectType": "contextAgent", "agent": AGENT, "relevantTypes": []}], "/context/contextAgents/0/relevantTypes"),
    ("2.0 relevantTypes are IRIs", "/context/contextGroups",
     [{"objectType": "contextGroup", "group": {"objectType": "Group", **AGENT}, "relevantTypes": ["abc"]}],
     "/context/contextGroups/0/relevantTypes/0"),
    ("2.0 contextGroup has a Group", "/context/contextGroups", [{"objectType": "contextGroup", "group": AGENT}],
     "/context/contextGroups/0/group/objectType"),
    ("4.5 timestamp", "/timestamp", "01/011/2015", None),
    ("4.5 timestamp", "/timestamp", "2026-01-02", None),
    ("4.5 timestamp that exists", "/timestamp", "2026-02-30T00:00:00Z", None),
    ("4.5 timestamp", "/timestamp", 1767322000, None),
    ("4.5 no -00", "/timestamp", "2008-09-15T15:53:00.601-00", None),
    ("4.5 no -0000", "/timestamp", "2008-09-15T15:53:00.601-0000", None),
    ("4.5 no -00:00", "/timestamp", "2008-09-15T15:53:00.601-00:00", None),
    ("2.4.8 stored is a timestamp", "/stored", "yesterday", None),
    ("2.4.9 authority is an Agent", "/authority", {"objectType": "Group", **AGENT}, None),
    ("2.4.9 or two Agents", "/authority", {"objectType": "Group", "member": [AGENT]}, "/authority/member"),
    ("2.4.9 or two Agents", "/authority", {"objectType": "Group", "member": [AGENT] * 3}, "/authority/member"),
    ("2.4.10 version", "/version", "1.1.0", None),
    ("2.4.10 version", "/version", "0.9.9", None),
    ("2.4.10 version", "/version", "1.0.", None),
    ("2.4.11 attachments is an array", "/attachments", {}, None),
    ("2.4.11 an attachment is an object", "/attachments/0", "x", None),
    ("2.4.11 usageType is required", "/attachments/0/usageType", MISSING, None),
    ("2.4.11 usageType is an IRI", "/attachments/0/usageType", "x", None),
    ("2.4.11 display is required", "/attachments/0/display", MISSING, None),
    ("2.4.11 contentType is a media type", "/attachments/0/contentType", "text", None),
    ("2.4.11 length is an integer", "/attachments/0/length", "3", None),
    ("2.4.11 length is an integer", "/attachments/0/length", 3.5, None),
    ("2.4.11 length is not negative", "/attachments/0/length", -1, None),
    ("2.4.11 sha2", "/attachments/0/sha2", "x" * 64, None),
    ("2.4.11 fileUrl is an IRL", "/attachments/0/fileUrl", "file", None),
    ("2.4.4.3 no nesting", "/object", {**SUB, "object": SUB}, "/object/object/objectType"),
    ("2.4.4.3 no id", "/object", {**SUB, "id": ID}, "/object/id"),
    ("2.4.4.3 no stored", "/object", {**SUB, "stored": "2026-01-01T00:00:00Z"}, "/object/stored"),
    ("2.4.4.3 no version", "/object", {**SUB, "version": "1.0.0"}, "/object/version"),
    ("2.4.4.3 no authority", "/object", {**SUB, "authority": AGENT}, "/object/authority"),
    ("2.4.4.3 is a statement", "/object", {k: v for k, v in SUB.items() if k != "actor"}, "/object/actor"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "path", "value", "named"), REFUSED, ids=lambda part: str(part)[:60])
def test_refused_at_its_place(rule: str, path: str, value: Any, named: str | None) -> None:
    found = problems([FULL | {"id": "00000000-1234-5678-1234-567812345678"}, changed(path, value)])
    assert f"/1{named or path}" in [problem.path for problem in found], rule
    assert all(problem.reason for problem in found)


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
    with pytest.raises(StatementInvalid, match="/result/success: .* found this one twice"):
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


@given(st.sampled_from(Version).flatmap(lambda version: st.tuples(st.just(version), statements(version))))
@settings(max_examples=150, deadline=None)
def test_any_valid_statement_is_accepted_and_left_as_it_was(case: tuple[Version, JsonObject]) -> None:
    version, statement = case
    before = orjson.dumps(statement)
    parsed = parse_statements(before, version)[0]
    assert parsed.raw == statement
    assert orjson.dumps(parsed.raw) == before
    assert parse_statements(json.dumps(statement).encode(), version)[0].raw == statement


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
@settings(max_examples=150, deadline=None)
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
