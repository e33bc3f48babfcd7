"""Agents resource (1.0.3 Communication 2.4; 2.0 4.1.6.3)."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.conformance.lrs_client import Json, Lrs, agent, statement


def person(lrs: Lrs, one: Json) -> Json:
    answer = lrs.send("GET", "agents", {"agent": one})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_of_an_unknown_agent_holds_what_was_sent(lrs: Lrs) -> None:
    """2.4: the LRS MUST still return a Person, with the information associated with the requested Agent."""
    one = agent() | {"name": "Nobody"}
    assert person(lrs, one) == {"objectType": "Person", "name": ["Nobody"], "mbox": [one["mbox"]]}


@pytest.mark.parametrize(
    "identifier",
    [
        {"mbox": f"mailto:{uuid4()}@example.org"},
        {"mbox_sha1sum": "ebd31e95054c018b10727ccffd2ef2ec3a016ee9"},
        {"openid": f"https://{uuid4()}.example.org/"},
        {"account": {"homePage": "https://lms.example.org", "name": str(uuid4())}},
    ],
)
def test_each_identifier_is_an_array(lrs: Lrs, identifier: Json) -> None:
    """2.4: each property of an Agent, as an array of members with the same definition."""
    ((name, value),) = identifier.items()
    lrs.keep(statement(actor=identifier))
    assert person(lrs, identifier) == {"objectType": "Person", name: [value]}


def test_names_seen_in_statements_are_listed(lrs: Lrs) -> None:
    """2.4: list of names of Agents retrieved; here at most the five newest."""
    one = agent()
    batch = [statement(actor=one | {"name": f"Ada {n}"}) for n in (1, 2, 2, 3)]
    assert lrs.post(batch).status_code == 200
    assert person(lrs, one)["name"] == ["Ada 1", "Ada 2", "Ada 3"]
    lrs.keep(*(statement(actor=one | {"name": f"Ada {n}"}) for n in (4, 5, 6)))
    assert person(lrs, one)["name"] == [f"Ada {n}" for n in (2, 3, 4, 5, 6)]


def test_names_of_others_in_a_statement_count(lrs: Lrs) -> None:
    """2.4: wherever in a statement the agent stands."""
    teacher, member = agent(), agent()
    context = {"instructor": teacher | {"name": "Teacher"}}
    lrs.keep(statement(actor={"objectType": "Group", "member": [member | {"name": "Member"}]}, context=context))
    assert [person(lrs, one)["name"] for one in (teacher, member)] == [["Teacher"], ["Member"]]


@pytest.mark.parametrize("wrong", [None, "", "ada", "{}", "[]", '{"mbox":"ada"}', '{"objectType":"Agent"}'])
def test_what_is_no_agent_is_refused(lrs: Lrs, wrong: str | None) -> None:
    """2.4: agent is required, and an Agent object."""
    assert lrs.send("GET", "agents", {} if wrong is None else {"agent": wrong}).status_code == 400


def test_head_is_get_without_content(lrs: Lrs) -> None:
    """1.1: HEAD."""
    params = {"agent": agent()}
    head, get = (lrs.send(method, "agents", params) for method in ("HEAD", "GET"))
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", get.headers["ETag"])
