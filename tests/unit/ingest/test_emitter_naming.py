"""Who a broken statement names, and what a report says of one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest.emitters.naming import names_in
from ingest.emitters.observing import Tally, tally_of
from ingest.emitters.quarantine import Reason
from ingest.emitters.repeats import canonical, statement_id_of
from xapi import Accepted, judge_statement

KEYS = ["actor", "mbox", "account", "openid", "name", "homePage"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["actor", "mbox", "account", "openid", "name", "homePage"]), inner, max_size=3
        )
    ),
    max_leaves=20,
)
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("agent", "ifi"),
    [
        ({"mbox": "mailto:ada@Example.org"}, "mbox:mailto:ada@example.org"),
        ({"mbox": "ada@example.org"}, "mbox:mailto:ada@example.org"),
        ({"mbox_sha1sum": "A" * 40}, f"mbox_sha1sum:{'a' * 40}"),
        ({"account": {"homePage": "https://a.example", "name": "7"}, "age": 3}, "account:https://a.example|7"),
        ({"openid": "https://a.example/ada", "mbox": 7}, "openid:https://a.example/ada"),
    ],
)
def test_what_can_be_read_is_read(agent: dict[str, Any], ifi: str) -> None:
    assert names_in({"actor": agent}).subjects == (ifi,)
    assert names_in({"context": [{"x": {"instructor": agent}}]}).all == {ifi}
    assert names_in({"context": {"instructor": agent}}).subjects == ()


def test_one_identifier_too_many_hides_none() -> None:
    agent = {"mbox": "mailto:a@b.example", "openid": "https://a.example/x"}
    assert len(names_in({"actor": agent}).subjects) == 2


def test_members_of_a_group_are_subjects() -> None:
    member = [{"mbox": f"mailto:{name}@b.example"} for name in "xyz"]
    assert len(names_in({"actor": {"objectType": "Group", "member": member}}).subjects) == 3


def test_it_looks_at_a_hundred_at_most() -> None:
    found = names_in({"actor": [{"mbox": f"mailto:{n}@b.example"} for n in range(300)]})
    assert len(found.all) == 100
    assert set(found.subjects) <= found.all


@given(JSON)
def test_whatever_comes_is_read_without_an_error(value: Any) -> None:
    names = names_in(value)
    assert set(names.subjects) <= names.all
    assert canonical(value) == canonical(value)


@given(st.binary(min_size=32, max_size=32), st.integers(0, 60_000))
def test_an_id_of_a_hash_is_a_uuid_of_version_8(digest: bytes, day: int) -> None:
    found = UUID(statement_id_of(digest.hex(), day))
    assert (found.version, found.variant) == (8, "specified in RFC 4122")
    assert found.bytes[:2] == day.to_bytes(2)
    assert statement_id_of(digest.hex(), day) != statement_id_of(digest.hex(), day + 1)


def _seen(**parts: Any) -> Accepted:
    return judge_statement(
        {
            "actor": {"mbox": "mailto:ada@example.org"},
            "verb": {"id": "https://example.org/did"},
            "object": {"id": "https://example.org/a"},
            **parts,
        }
    )


def test_tallies_of_several_processes_add_up() -> None:
    one, other = Tally(), Tally()
    for tally in (one, other):
        tally.request("1.0.3")
        tally.see(_seen(timestamp="2026-11-22T07:59:00Z", result={"score": {"raw": 1}}), NOW)
        tally.refuse([Reason("/3/actor/member/12/mbox", "expected something")])
    other.see(_seen(timestamp="2026-11-22T09:00:00+00:00"), NOW)
    total = tally_of([one.document(), other.document()])
    assert (total.requests, total.statements, total.without_id) == (2, 3, 3)
    assert (total.oldest_seconds, total.newest_seconds) == (60.0, -3600.0)
    assert total.refused == {"/*/actor/member/*/mbox: expected something": 2}
    assert total.scores == {"raw": 2}


def test_a_tally_holds_nobody() -> None:
    tally = Tally()
    tally.see(_seen(actor={"account": {"homePage": "https://a.example", "name": "ada-7"}, "name": "Ada"}), NOW)
    assert "ada" not in str(tally.document()).lower()
