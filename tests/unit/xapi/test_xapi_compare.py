"""Equality by the standard's rules of immutability, and what the LRS adds."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from xapi import JsonObject, Version, complete, difference, equal, parse_statement

from tests.support.xapi_strategies import statements

ANN = {"mbox": "mailto:ann@example.org"}
BOB = {"mbox": "mailto:bob@example.org"}
BASE: JsonObject = {
    "id": "abcdefab-1234-5678-1234-567812345678",
    "actor": {"objectType": "Group", "member": [ANN, BOB]},
    "verb": {"id": "http://example.org/did", "display": {"en": "did"}},
    "object": {"id": "http://example.org/a", "definition": {"name": {"en": "A"}}},
    "result": {"duration": "PT1.501S", "success": True, "score": {"raw": 1}, "response": "x"},
    "context": {
        "registration": "abcdefab-1234-5678-1234-567812345678",
        "language": "en-US",
        "contextActivities": {"parent": {"id": "http://example.org/p"}},
        "extensions": {"http://example.org/e": {"a": 1}},
        "instructor": {**ANN, "name": "Ann"},
    },
    "timestamp": "2026-01-01T00:00:00Z",
}
STORED = "2026-01-02T03:04:05.000678Z"


def changed(path: str, value: Any) -> JsonObject:
    result = copy.deepcopy(BASE)
    *parents, last = path.strip("/").split("/")
    place: Any = result
    for part in parents:
        place = place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return result


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/id", "ABCDEFAB-1234-5678-1234-567812345678"),
        ("/id", None),
        ("/timestamp", "2026-01-01T01:00:00.000+01:00"),
        ("/timestamp", None),
        ("/stored", "2026-01-01T01:00:00Z"),
        ("/authority", ANN),
        ("/version", "1.0.0"),
        ("/actor/member", [BOB, ANN]),
        ("/actor/member", [{"mbox": "mailto:ann@EXAMPLE.org", "objectType": "Agent"}, BOB]),
        ("/verb/display", {"de": "tat"}),
        ("/object/definition", None),
        ("/object/objectType", "Activity"),
        ("/result/duration", "PT1.50S"),
        ("/result/duration", "PT1.5S"),
        ("/result/score", {"raw": 1.0}),
        ("/context/registration", "ABCDEFAB-1234-5678-1234-567812345678"),
        ("/context/language", "en-us"),
        ("/context/contextActivities/parent", [{"id": "http://example.org/p", "definition": {}}]),
    ],
)
def test_ignored(path: str, value: Any) -> None:
    assert difference(BASE, changed(path, value)) is None
    assert difference(changed(path, value), BASE) is None


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("/id", "00000000-1234-5678-1234-567812345678", "/id"),
        ("/timestamp", "2026-01-01T00:00:00.001Z", "/timestamp"),
        ("/actor/member", [ANN], "/actor/member"),
        ("/actor/member", [ANN, {"mbox": "mailto:Bob@example.org"}], "/actor/member/0/mbox"),
        ("/actor", ANN, "/actor/mbox"),
        ("/verb/id", "http://example.org/Did", "/verb/id"),
        ("/object/id", "http://example.org/b", "/object/id"),
        ("/result/duration", "PT1.51S", "/result/duration"),
        ("/result/duration", "PT0M1.501S", "/result/duration"),
        ("/result/success", False, "/result/success"),
        ("/result/response", "y", "/result/response"),
        ("/result", None, "/result"),
        ("/context/instructor/name", "Anne", "/context/instructor/name"),
        ("/context/extensions", {"http://example.org/e": {"a": True}}, "/context/extensions/http:~1~1example.org~1e/a"),
        ("/attachments", [], "/attachments"),
    ],
)
def test_a_real_difference_is_named(path: str, value: Any, named: str) -> None:
    assert difference(BASE, changed(path, value)) == named
    assert not equal(changed(path, value), BASE)


def test_a_voided_statement_ref_differs_by_its_id_without_case() -> None:
    one = {**BASE, "object": {"objectType": "StatementRef", "id": "abcdefab-1234-5678-1234-567812345678"}}
    same = {**BASE, "object": {"objectType": "StatementRef", "id": "ABCDEFAB-1234-5678-1234-567812345678"}}
    other = {**BASE, "object": {"objectType": "StatementRef", "id": "bbcdefab-1234-5678-1234-567812345678"}}
    assert equal(one, same)
    assert difference(one, other) == "/object/id"


@given(statements())
@settings(max_examples=100, deadline=None)
def test_what_the_lrs_adds_keeps_a_statement_equal_and_valid(statement: JsonObject) -> None:
    before = orjson.dumps(statement)
    for version in (Version.V2_0_0, Version.V1_0_3):
        whole = complete(statement, statement_id="x", stored=STORED, authority=ANN, version=version)
        whole["id"] = statement.get("id", BASE["id"])
        assert equal(statement, whole)
        assert equal(whole, statement)
        assert parse_statement(orjson.dumps(whole)).raw == whole
    assert orjson.dumps(statement) == before


class TestComplete:
    def complete(self, statement: JsonObject, version: Version = Version.V2_0_0) -> JsonObject:
        return complete(statement, statement_id="the-id", stored=STORED, authority=BOB, version=version)

    def test_sets_what_the_lrs_sets(self) -> None:
        sent = {**changed("/timestamp", None), "stored": "2000-01-01T00:00:00Z", "authority": ANN}
        found = self.complete(sent)
        assert found["id"] == "the-id"
        assert found["stored"] == found["timestamp"] == "2026-01-02T03:04:05.000678Z"
        assert found["authority"] == BOB
        assert found["version"] == "2.0.0"
        assert self.complete(sent, Version.V1_0_3)["version"] == "1.0.0"
        assert self.complete({**sent, "version": "1.0.2"})["version"] == "1.0.2"

    def test_makes_arrays_of_context_activities_in_a_substatement_too(self) -> None:
        inner = {**BASE["context"], "contextActivities": {"other": {"id": "http://example.org/o"}}}
        found = self.complete({**BASE, "object": {"objectType": "SubStatement", **BASE, "context": inner}})
        assert found["context"]["contextActivities"] == {"parent": [{"id": "http://example.org/p"}]}
        assert found["object"]["context"]["contextActivities"] == {"other": [{"id": "http://example.org/o"}]}

    def test_converts_to_utc_in_2_0_alone(self) -> None:
        sent = changed("/timestamp", "2026-01-01T00:00:00.5+02:00")
        assert self.complete(sent)["timestamp"] == "2025-12-31T22:00:00.500000Z"
        assert self.complete(sent, Version.V1_0_3)["timestamp"] == "2026-01-01T00:00:00.5+02:00"
        assert self.complete(BASE)["timestamp"] == "2026-01-01T00:00:00Z"
