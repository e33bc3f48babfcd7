"""The query of GET /statements and the forms of its answer."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given, settings
from xapi import JsonObject, QueryInvalid, StatementQuery, Version, agents_of, parse_statement, render

from tests.support.xapi_strategies import statements

ID = "ABCDEFAB-1234-5678-1234-567812345678"


def refused(*pairs: tuple[str, str], version: Version = Version.V2_0_0) -> set[str]:
    with pytest.raises(QueryInvalid) as caught:
        StatementQuery.parse(pairs, version)
    assert str(caught.value)
    return {problem.path for problem in caught.value.errors}


class TestQuery:
    def test_nothing_asked_for(self) -> None:
        assert StatementQuery.parse([]) == StatementQuery()

    def test_everything_read(self) -> None:
        query = StatementQuery.parse(
            [
                ("agent", '{"mbox": "mailto:a@Example.org"}'),
                ("verb", "http://example.org/did"),
                ("activity", "http://example.org/a"),
                ("registration", ID),
                ("related_activities", "true"),
                ("related_agents", "false"),
                ("since", "2026-01-01T00:00:00+01:00"),
                ("until", "2026-01-02T00:00:00Z"),
                ("limit", "0"),
                ("format", "ids"),
                ("attachments", "true"),
                ("ascending", "true"),
            ]
        )
        assert query.agent_ifi == "mbox:mailto:a@example.org"
        assert query.registration == ID.lower()
        assert query.since == datetime(2025, 12, 31, 23, tzinfo=UTC)
        assert (query.related_activities, query.related_agents, query.ascending) == (True, False, True)
        assert (query.limit, query.format, query.is_single) == (0, "ids", False)

    @pytest.mark.parametrize("name", ["statementId", "voidedStatementId"])
    def test_by_id(self, name: str) -> None:
        query = StatementQuery.parse([(name, ID), ("format", "exact"), ("attachments", "false")])
        assert query.is_single
        assert ID.lower() in (query.statement_id, query.voided_statement_id)

    @pytest.mark.parametrize(
        ("pair", "path"),
        [
            (("statementid", ID), "statementid"),
            (("cursor", "x"), "cursor"),
            (("statementId", "x"), "statementId"),
            (("voidedStatementId", ""), "voidedStatementId"),
            (("agent", "ann"), "agent"),
            (("agent", '{"mbox": "a"}'), "agent/mbox"),
            (("agent", '{"objectType":"Group","member":[{"mbox":"mailto:a@b"}]}'), "agent"),
            (("verb", "did"), "verb"),
            (("verb", "http://example.org/did\n"), "verb"),
            (("activity", "a"), "activity"),
            (("registration", "1"), "registration"),
            (("related_activities", "True"), "related_activities"),
            (("related_agents", "1"), "related_agents"),
            (("since", "yesterday"), "since"),
            (("until", "2026-01-01T00:00:00"), "until"),
            (("limit", "-1"), "limit"),
            (("limit", "1.5"), "limit"),
            (("limit", "١"), "limit"),
            (("format", "EXACT"), "format"),
            (("attachments", ""), "attachments"),
            (("ascending", "yes"), "ascending"),
        ],
    )
    def test_refused(self, pair: tuple[str, str], path: str) -> None:
        assert refused(pair) == {path}

    def test_an_id_goes_with_attachments_and_format_alone(self) -> None:
        assert refused(("statementId", ID), ("voidedStatementId", ID)) == {"voidedStatementId"}
        for pair in [("limit", "1"), ("ascending", "false"), ("verb", "http://example.org/v")]:
            assert refused(("statementId", ID), pair) == {pair[0]}

    def test_a_parameter_once(self) -> None:
        assert refused(("limit", "1"), ("limit", "1")) == {"limit"}

    def test_1_0_3_takes_iso_8601(self) -> None:
        query = StatementQuery.parse([("since", "2026-01-01T00:00:00")], Version.V1_0_3)
        assert query.since == datetime(2026, 1, 1, tzinfo=UTC)


ANN = {"objectType": "Agent", "name": "Ann", "mbox": "mailto:ann@example.org"}
STATEMENT: JsonObject = {
    "actor": {"objectType": "Group", "name": "Class", "member": [ANN]},
    "verb": {"id": "http://example.org/did", "display": {"en-US": "did", "de": "tat"}},
    "object": {
        "id": "http://example.org/a",
        "definition": {
            "name": {"en": "A", "de-CH": "B"},
            "description": {"fr": "C"},
            "choices": [{"id": "x", "description": {"en": "X", "de": "Y"}}],
            "extensions": {"http://example.org/e": {"name": {"en": "A", "de": "B"}}},
        },
    },
    "context": {"team": {"objectType": "Group", "mbox": "mailto:t@example.org", "name": "T", "member": [ANN]}},
}


class TestRender:
    def test_exact_is_the_statement(self) -> None:
        assert render(STATEMENT, "exact") is STATEMENT

    def test_ids(self) -> None:
        bare = {"objectType": "Agent", "mbox": "mailto:ann@example.org"}
        assert render(STATEMENT, "ids") == {
            "actor": {"objectType": "Group", "member": [bare]},
            "verb": {"id": "http://example.org/did"},
            "object": {"id": "http://example.org/a"},
            "context": {"team": {"objectType": "Group", "mbox": "mailto:t@example.org"}},
        }

    @pytest.mark.parametrize(
        ("header", "display", "name"),
        [
            ("de", {"de": "tat"}, {"de-CH": "B"}),
            ("de-AT;q=0.9, fr;q=0.1", {"de": "tat"}, {"de-CH": "B"}),
            ("en;q=0.2,de;q=0.8", {"de": "tat"}, {"de-CH": "B"}),
            ("en", {"en-US": "did"}, {"en": "A"}),
            ("de;q=0, *", {"en-US": "did"}, {"en": "A"}),
            (None, {"en-US": "did"}, {"en": "A"}),
            ("garbage;;;,,", {"en-US": "did"}, {"en": "A"}),
        ],
    )
    def test_canonical_picks_a_language_for_each_map(
        self, header: str | None, display: JsonObject, name: JsonObject
    ) -> None:
        found = render(STATEMENT, "canonical", header)
        assert found["verb"]["display"] == display
        definition = found["object"]["definition"]
        assert definition["name"] == name
        assert definition["description"] == {"fr": "C"}
        assert len(definition["choices"][0]["description"]) == 1
        assert definition["extensions"] == STATEMENT["object"]["definition"]["extensions"]
        assert found["actor"] == STATEMENT["actor"]


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("fr;q=0.1, de-AT;q=0.9", "de"),
        ("de-CH-1996", "de-CH"),
        ("de-CH", "de-CH"),
        ("es-MX, fr;q=0.5", "fr"),
        ("es-MX", "es-419"),
        ("EN", "en-US"),
        ("de;q=0, *", "en-US"),
        ("*;q=0.5, fr;q=0.2", "fr"),
        ("pt", "en-US"),
        ("en;q=0, de;q=0, fr;q=0, es;q=0", "en-US"),
        ("de;q=0.0001, fr", "fr"),
        ("", "en-US"),
    ],
)
def test_the_language_that_suits_best(header: str, key: str) -> None:
    texts = {"en-US": "a", "de": "b", "de-CH": "c", "fr": "d", "es-419": "e"}
    statement = {**STATEMENT, "verb": {"id": "http://example.org/did", "display": texts}}
    assert render(statement, "canonical", header)["verb"]["display"] == {key: texts[key]}
    empty = {**STATEMENT, "verb": {"id": "http://example.org/did", "display": {}}}
    assert render(empty, "canonical", header)["verb"]["display"] == {}


@given(statements())
@settings(max_examples=100, deadline=None)
def test_every_form_is_a_valid_statement_of_the_same_people(statement: JsonObject) -> None:
    before = orjson.dumps(statement)
    ids, canonical = render(statement, "ids"), render(statement, "canonical", "de")
    assert parse_statement(orjson.dumps(ids)).raw == ids
    assert parse_statement(orjson.dumps(canonical)).raw == canonical
    assert list(agents_of(canonical)) == list(agents_of(statement))
    assert {use.ifi for use in agents_of(ids)} <= {use.ifi for use in agents_of(statement)}
    assert orjson.dumps(statement) == before
