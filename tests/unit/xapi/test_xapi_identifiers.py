"""Who and what a statement names, and its Kafka form."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xapi import (
    JsonObject,
    Named,
    Version,
    activities_of,
    agents_of,
    canonical_ifi,
    filter_activities,
    filter_agents,
    for_learner,
    learners_of,
    parse_statement,
)
from xapi.identifiers import provider_digest
from xapi.pseudonymise import GROUP_EXTENSION, HOME_PAGE, PROVIDER_EXTENSION

from tests.support.xapi_strategies import PERSONAL, statements

ANN = {"mbox": "mailto:ann@example.org", "name": "Ann Arbor"}
BOB = {"account": {"homePage": "https://lms.example.org", "name": "bob-1"}}
CLASS = {"objectType": "Group", "name": "Class 4", "member": [ANN, BOB]}
TEAM = {"objectType": "Group", "mbox": "mailto:team@example.org"}
ACTIVITY = {"id": "http://example.org/a"}
VERB = {"id": "http://example.org/did"}
ANN_IFI, BOB_IFI = "mbox:mailto:ann@example.org", "account:https://lms.example.org|bob-1"


def account(name: str, kind: str = "Agent") -> JsonObject:
    return {"objectType": kind, "account": {"homePage": HOME_PAGE, "name": name}}


class TestCanonicalIfi:
    @pytest.mark.parametrize(
        ("agent", "ifi"),
        [
            ({"mbox": "MAILTO:Ann@Example.ORG"}, "mbox:mailto:Ann@example.org"),
            ({"mbox": 'mailto:"a@b"@Example.org'}, 'mbox:mailto:"a@b"@example.org'),
            ({"mbox_sha1sum": "ABCDEF0123" * 4}, "mbox_sha1sum:" + "abcdef0123" * 4),
            ({"openid": "https://Example.org/Ann"}, "openid:https://Example.org/Ann"),
            ({"account": {"homePage": "https://e.org", "name": "a|b"}}, "account:https://e.org|a|b"),
            ({"objectType": "Group", "member": [ANN]}, None),
        ],
    )
    def test_table(self, agent: JsonObject, ifi: str | None) -> None:
        assert canonical_ifi(agent) == ifi


WHOLE: JsonObject = {
    "actor": CLASS,
    "verb": VERB,
    "object": {
        "objectType": "SubStatement",
        "actor": ANN,
        "verb": VERB,
        "object": ACTIVITY,
        "context": {"instructor": BOB, "contextActivities": {"parent": {"id": "http://example.org/sub-parent"}}},
    },
    "context": {
        "team": TEAM,
        "contextAgents": [{"objectType": "contextAgent", "agent": BOB}],
        "contextGroups": [{"objectType": "contextGroup", "group": TEAM}],
        "contextActivities": {"parent": {"id": "http://example.org/p"}, "other": [{"id": "http://example.org/o"}]},
    },
    "authority": {"openid": "https://example.org/lms"},
}


def test_agents_in_order_with_their_places() -> None:
    found = [(use.path, use.role.value, use.member, use.in_substatement) for use in agents_of(WHOLE)]
    assert found == [
        ("/actor", "actor", False, False),
        ("/actor/member/0", "actor", True, False),
        ("/actor/member/1", "actor", True, False),
        ("/object/actor", "actor", False, True),
        ("/object/context/instructor", "instructor", False, True),
        ("/context/team", "team", False, False),
        ("/context/contextAgents/0/agent", "context_agent", False, False),
        ("/context/contextGroups/0/group", "context_group", False, False),
        ("/authority", "authority", False, False),
    ]


def test_activities_with_their_places() -> None:
    assert [(use.path, use.role.value, use.in_substatement) for use in activities_of(WHOLE)] == [
        ("/object/object", "object", True),
        ("/object/context/contextActivities/parent", "parent", True),
        ("/context/contextActivities/parent", "parent", False),
        ("/context/contextActivities/other/0", "other", False),
    ]


def test_filters_narrow_and_broad() -> None:
    team, lms = "mbox:mailto:team@example.org", "openid:https://example.org/lms"
    assert filter_agents(WHOLE, related=False) == {ANN_IFI, BOB_IFI}
    assert filter_agents(WHOLE, related=True) == {ANN_IFI, BOB_IFI, team, lms}
    assert filter_activities(WHOLE, related=False) == set()
    assert len(filter_activities(WHOLE, related=True)) == 4
    plain = {**WHOLE, "object": ACTIVITY}
    assert filter_activities(plain, related=False) == {"http://example.org/a"}
    about = {**WHOLE, "actor": ANN, "object": {"objectType": "Agent", **BOB}}
    assert filter_agents(about, related=False) == {ANN_IFI, BOB_IFI}


def test_one_walk_names_it_all() -> None:
    named = Named.in_statement(WHOLE)
    assert named.learners == (ANN_IFI, BOB_IFI)
    assert (named.activity, named.registration, named.target) == (None, None, None)
    about = {"objectType": "StatementRef", "id": "ABCDEFAB-1234-5678-1234-567812345678"}
    named = Named.in_statement({**WHOLE, "object": about, "context": {"registration": "ABC"}})
    assert (named.target, named.registration, named.verb) == (about["id"], "ABC", VERB["id"])


@given(statements())
@settings(max_examples=100, deadline=None)
def test_one_walk_names_what_the_others_name(statement: JsonObject) -> None:
    named = Named.in_statement(statement)
    sent = {name: value for name, value in statement.items() if name != "authority"}
    assert named.agents == filter_agents(sent, related=False)
    assert named.related_agents == filter_agents(sent, related=True)
    assert list(named.learners) == learners_of(statement)
    assert {named.activity} - {None} == filter_activities(statement, related=False)
    assert named.related_activities == filter_activities(statement, related=True)
    defined = [(use.activity["id"], d) for use in activities_of(statement) if (d := use.activity.get("definition"))]
    assert sorted(named.definitions, key=repr) == sorted(defined, key=repr)
    uses = [use for use in agents_of(sent) if use.ifi is not None and use.agent.get("name")]
    assert sorted(named.names) == sorted((use.ifi or "", use.agent["name"]) for use in uses)


@pytest.mark.parametrize(
    ("actor", "learners"),
    [
        (ANN, [ANN_IFI]),
        (CLASS, [ANN_IFI, BOB_IFI]),
        ({**CLASS, "member": [BOB, ANN, BOB]}, [BOB_IFI, ANN_IFI]),
        (TEAM, ["mbox:mailto:team@example.org"]),
        ({**TEAM, "member": []}, ["mbox:mailto:team@example.org"]),
        ({**TEAM, "member": [ANN]}, [ANN_IFI]),
    ],
)
def test_learners(actor: JsonObject, learners: list[str]) -> None:
    assert learners_of({**WHOLE, "actor": actor}) == learners


FROM = {PROVIDER_EXTENSION: provider_digest("example.org")}


class TestForLearner:
    def test_names_in_order_of_appearance(self) -> None:
        sent = {
            "actor": ANN,
            "verb": VERB,
            "object": ACTIVITY,
            "context": {"instructor": BOB, "team": {**TEAM, "member": [ANN]}},
            "authority": BOB,
        }
        found = for_learner(sent, {ANN_IFI})
        assert found["actor"] == account("self")
        named = {"instructor": account("other-1"), "team": account("other-2", "Group")}
        assert found["context"] == {**named, "extensions": FROM}
        assert found["authority"] == account("other-1")

    def test_a_group_goes_out_as_each_member(self) -> None:
        found = for_learner({"actor": CLASS, "verb": VERB, "object": ACTIVITY}, {BOB_IFI})
        assert found["actor"] == account("self")
        assert found["context"]["extensions"] == {
            GROUP_EXTENSION: {"name": "other-1", "members": 2},
            PROVIDER_EXTENSION: provider_digest("https://lms.example.org"),
        }

    @pytest.mark.parametrize(
        ("group", "mark"),
        [
            ({**CLASS, "member": [BOB, BOB, ANN]}, {"name": "other-1", "members": 2}),
            ({"objectType": "Group", "member": [BOB, BOB]}, None),
            ({**TEAM, "member": [BOB]}, {"name": "other-1", "members": 1}),
        ],
    )
    def test_a_group_counts_each_member_once_and_one_alone_is_no_group(
        self, group: JsonObject, mark: JsonObject | None
    ) -> None:
        found = for_learner({"actor": group, "verb": VERB, "object": ACTIVITY}, {BOB_IFI})
        assert found["actor"] == account("self")
        assert found["context"]["extensions"].get(GROUP_EXTENSION) == mark

    def test_where_the_identifier_is_from_and_no_more_of_it(self) -> None:
        def told(agent: dict[str, Any], own: str, **more: Any) -> Any:
            found = for_learner({"actor": agent, "verb": VERB, "object": ACTIVITY, **more}, {own})
            return found.get("context", {}).get("extensions", {}).get(PROVIDER_EXTENSION)

        page = "https://lms.example/staff"
        at = {"account": {"homePage": page, "name": "4711"}}
        assert told(ANN, ANN_IFI) == provider_digest("Example.org")
        assert told(at, f"account:{page}|4711") == provider_digest(f"{page}/")
        assert told({"openid": "https://ann.example"}, "openid:https://ann.example") is None
        own_page = {"account": {"homePage": f"{page}/4711", "name": "4711"}}
        assert told(own_page, f"account:{page}/4711|4711") is None, "it says who it is"
        forged = {"extensions": {PROVIDER_EXTENSION: page}}
        assert told(ANN, ANN_IFI, context=forged) == provider_digest("example.org")
        assert told(BOB, ANN_IFI, context=forged) is None

    def test_a_statement_of_someone_else(self) -> None:
        voiding = {"actor": BOB, "verb": VERB, "object": {"objectType": "StatementRef", "id": "x"}}
        assert for_learner(voiding, {ANN_IFI})["actor"] == account("other-1")

    def test_a_merged_learner_is_self_under_every_identifier(self) -> None:
        found = for_learner({"actor": ANN, "verb": VERB, "object": {"objectType": "Agent", **BOB}}, {ANN_IFI, BOB_IFI})
        assert found["actor"] == found["object"] == account("self")

    def test_an_authority_of_two_stays_one_of_two(self) -> None:
        sent = {
            "actor": ANN,
            "verb": VERB,
            "object": ACTIVITY,
            "authority": {"objectType": "Group", "member": [ANN, BOB]},
        }
        assert for_learner(sent, {ANN_IFI})["authority"]["member"] == [account("self"), account("other-1")]

    def test_leaves_out_what_is_said(self) -> None:
        sent = {
            "actor": ANN,
            "verb": VERB,
            "object": ACTIVITY,
            "result": {
                "success": True,
                "response": "I am Ann",
                "extensions": {
                    "http://example.org/copy": {"text": ["so: I AM ANN"]},
                    "http://example.org/who": "ann arbor",
                    "http://example.org/hints": 2,
                },
            },
            "attachments": [],
        }
        found = for_learner(sent, {ANN_IFI})
        assert found["result"] == {"success": True, "extensions": {"http://example.org/hints": 2}}
        assert "attachments" not in found

    def test_keeps_what_a_profile_is_made_of(self) -> None:
        sent = {
            "id": "abcdefab-1234-5678-1234-567812345678",
            "actor": ANN,
            "verb": {**VERB, "display": {"en": "did"}},
            "object": {**ACTIVITY, "definition": {"name": {"en": "Fractions"}, "type": "http://example.org/t"}},
            "result": {"score": {"scaled": 0.5}, "duration": "PT1S"},
            "context": {"contextActivities": {"parent": {"id": "http://example.org/p"}}, "language": "en"},
            "timestamp": "2026-01-01T00:00:00Z",
            "stored": "2026-01-01T00:00:01Z",
        }
        parents = {"parent": [{"id": "http://example.org/p"}]}
        assert for_learner(sent, {ANN_IFI}) == {
            **sent,
            "actor": account("self"),
            "context": {"contextActivities": parents, "language": "en", "extensions": FROM},
        }


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_the_kafka_form_is_valid_and_says_nothing_of_anyone(data: st.DataObject) -> None:
    version = data.draw(st.sampled_from(Version))
    statement = data.draw(statements(version))
    before = orjson.dumps(statement)
    uses = list(agents_of(statement))
    for learner in learners_of(statement) or [""]:
        found = for_learner(statement, {learner})
        body = orjson.dumps(found)
        assert parse_statement(body, version).raw == found
        assert PERSONAL not in body.decode()
        for use in uses:
            if "mbox_sha1sum" in use.agent:
                assert use.agent["mbox_sha1sum"] not in body.decode()
        assert learner == "" or found["actor"] == account("self")
        assert {use.agent.get("account", {}).get("homePage", HOME_PAGE) for use in agents_of(found)} == {HOME_PAGE}
    assert orjson.dumps(statement) == before
