"""Cut into pieces and put together again, byte for byte; each piece holds its own agent and no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xapi import JsonObject, agents_of, canonical_ifi, dumps, loads, parse_statement
from xapi.cutting import ERASED_HOME_PAGE, Part, Piece, cut, erased_name, is_erased, join

from tests.support.xapi_strategies import statements, with_literals

ADA = {"objectType": "Agent", "name": "Ada", "mbox": "mailto:ada@example.org"}
GRACE = {"account": {"homePage": "https://lms.example.org", "name": "grace"}, "name": "Grace\u0000"}
TEAM = {"objectType": "Group", "name": "team", "member": [GRACE, ADA], "mbox": "mailto:team@example.org"}
REST = {"verb": {"id": "https://example.org/verbs/read"}, "object": {"id": "https://example.org/activities/1"}}
IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
OWNERS = {str(canonical_ifi(one)): owner for owner, one in (("ada", ADA), ("grace", GRACE), ("team", TEAM))}


def parts_of(pieces: Sequence[Piece], gone: str | None = None) -> list[Part]:
    return [
        Part(
            one.at,
            None if one.owner == gone else one.data,
            parts_of(one.inner, gone),
            one.is_group,
            erased_name("s", one.owner),
        )
        for one in pieces
    ]


def flat(pieces: Sequence[Piece]) -> Iterator[Piece]:
    for one in pieces:
        yield one
        yield from flat(one.inner)


def mapped(statement: JsonObject, owners: Sequence[str]) -> dict[str, str]:
    """The identifiers of a statement, dealt out to the owners in turn."""
    found = sorted({use.ifi for use in agents_of(statement) if use.ifi is not None})
    return {ifi: owners[number % len(owners)] for number, ifi in enumerate(found)}


@given(with_literals(statements()) | statements(), st.lists(st.sampled_from("abcde"), min_size=1, max_size=9))
@settings(max_examples=100, deadline=None)
def test_whole_again(statement: JsonObject, owners: list[str]) -> None:
    """Agents that repeat, owners of several identifiers, groups within owners, any text and number."""
    whose = mapped(statement, owners)
    before = dumps(statement)
    data, pieces = cut(statement, whose, "a")
    assert join(data, parts_of(pieces)) == before == dumps(statement)
    for piece in flat(pieces):
        assert piece.owner != "a" or piece.data  # what is a's stands on its own only within another's group


@given(statements())
@settings(max_examples=60, deadline=None)
def test_nothing_of_others_is_left(statement: JsonObject) -> None:
    """With a key for each identifier the rest names nobody but its owner, and a piece nobody but its own."""
    whose = {ifi: ifi for ifi in mapped(statement, "x")}
    about = next(iter(whose), "")
    data, pieces = cut(statement, whose, about)
    texts = [(about, data), *((piece.owner, piece.data) for piece in flat(pieces))]
    for use in agents_of(statement):
        said = [dumps(use.agent[name]) for name in IDENTIFIERS if name in use.agent]
        assert {owner for owner, text in texts if any(one in text for one in said)} <= {use.ifi}


@given(statements(), st.data())
@settings(max_examples=60, deadline=None)
def test_who_is_erased_is_an_account(statement: JsonObject, data: st.DataObject) -> None:
    """Still a valid statement, with the same others at the same places."""
    whose = {ifi: ifi for ifi in mapped(statement, "x")}
    about = str(canonical_ifi(statement["actor"]) or "nobody")
    gone = data.draw(st.sampled_from(sorted(whose.keys() - {about}) or ["nobody"]))
    left, pieces = cut(statement, whose, about)
    result = loads(join(left, parts_of(pieces, gone)))
    parse_statement(result)
    name = f"account:{ERASED_HOME_PAGE}|{erased_name('s', gone)}"
    before = {use.path: use.ifi for use in agents_of(statement) if not use.member}
    after = {use.path: use.ifi for use in agents_of(result) if not use.member}
    assert after == {path: name if ifi == gone else ifi for path, ifi in before.items()}
    rest = {key: value for key, value in statement.items() if key not in ("actor", "object", "context", "authority")}
    assert {key: result[key] for key in rest} == rest


PLACES: list[dict[str, Any]] = [
    {"object": GRACE | {"objectType": "Agent"}},
    {"context": {"instructor": GRACE}},
    {"context": {"team": {"objectType": "Group", "member": [ADA, GRACE]}}},
    {"context": {"contextAgents": [{"objectType": "contextAgent", "agent": GRACE}]}},
    {"context": {"contextGroups": [{"objectType": "contextGroup", "group": {**TEAM, "member": [GRACE]}}]}},
    {"authority": GRACE},
    {"object": {"objectType": "SubStatement", "actor": GRACE, **REST, "context": {"instructor": GRACE}}},
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: next(iter(place)))
def test_every_place(place: Mapping[str, Any]) -> None:
    statement = {"actor": ADA, **REST, **place}
    data, pieces = cut(statement, OWNERS, "ada")
    assert b"grace" not in data.lower()
    assert any(b"grace" in piece.data.lower() for piece in flat(pieces))
    assert all(b"grace" not in piece.data.lower() or piece.owner == "grace" for piece in flat(pieces))
    assert b"grace" not in join(data, parts_of(pieces, "grace")).lower()


def test_an_actor_alone_is_not_cut() -> None:
    statement = {"actor": ADA, **REST, "context": {"instructor": ADA}, "authority": ADA}
    assert cut(statement, OWNERS, "ada") == (dumps(statement), [])
    assert cut(statement, {}, "ada") == (dumps(statement), [])


def test_members_within_a_group_of_somebody_elses() -> None:
    statement = {"actor": ADA, **REST, "context": {"team": TEAM}}
    data, pieces = cut(statement, OWNERS, "ada")
    (team,) = pieces
    assert [member.owner for member in team.inner] == ["grace", "ada"]
    assert b"ada" not in team.data.lower()
    without_team = loads(join(data, parts_of(pieces, "team")))
    assert without_team["context"]["team"]["member"] == [GRACE, ADA]
    assert is_erased(str(canonical_ifi(without_team["context"]["team"])))
    parse_statement(without_team)


def test_one_name_a_statement() -> None:
    assert erased_name("a", "key") == erased_name("a", "key") != erased_name("b", "key")
    assert erased_name("a", "key") != erased_name("a", "other")
