"""Edges into groups, and what a person's learners allow together."""

from __future__ import annotations

from datetime import UTC, datetime

from events.payloads import Basis, ConsentState, ConsentStatus, Decision, Policy, PurposePolicy, Unknown
from hypothesis import given
from hypothesis import strategies as st
from service_kit.consent import Standing
from service_kit.merging import Group, grouped

NOW = datetime(2026, 5, 1, tzinfo=UTC)
PEOPLE = "abcdefg"
EDGES = st.dictionaries(st.sampled_from(PEOPLE), st.none() | st.sampled_from(PEOPLE), min_size=1)
STATUSES = st.none() | st.sampled_from(list(ConsentStatus))


def whole(edges: dict[str, str | None]) -> dict[str, str | None]:
    """With everyone whom an edge names; nobody is merged into themselves."""
    return dict.fromkeys(PEOPLE) | {one: into for one, into in edges.items() if into != one}


@given(EDGES)
def test_everyone_is_in_one_group_with_whoever_an_edge_joins(edges: dict[str, str | None]) -> None:
    found = whole(edges)
    groups = grouped(found)
    assert sorted(one for group in groups for one in group.everyone) == sorted(found)
    of = {one: group for group in groups for one in group.everyone}
    assert all(of[one] == of[into] for one, into in found.items() if into is not None)
    assert all(found[group.root] is None or _in_a_circle(group.root, found) for group in groups)


@given(EDGES)
def test_the_order_of_edges_does_not_matter(edges: dict[str, str | None]) -> None:
    found = whole(edges)
    backwards = dict(reversed(list(found.items())))
    assert sorted(g.everyone for g in grouped(found)) == sorted(g.everyone for g in grouped(backwards))


def _in_a_circle(one: str, edges: dict[str, str | None]) -> bool:
    seen, at = set[str](), edges[one]
    while at is not None and at not in seen:
        seen.add(at)
        at = edges[at]
    return one in seen


@given(STATUSES, STATUSES, st.booleans(), st.booleans(), st.sampled_from(list(Unknown)))
def test_together_they_allow_what_each_allows(
    one: ConsentStatus | None, other: ConsentStatus | None, restricted: bool, erased: bool, unknown: Unknown
) -> None:
    policy = Policy(version=1, purposes={"teach": PurposePolicy(basis=Basis.consent, unknown=unknown)})
    states = [_state(one), _state(other, restricted=restricted, erased=erased)]
    both = Standing(policy, states[0], (states[1],), Group(("a", "b")))
    assert both.allows("teach") == all(Standing(policy, state).allows("teach") for state in states)
    assert (both.erased, both.restricted) == (erased, restricted)
    assert not both.unrestricted().restricted
    if ConsentStatus.withdrawn in (one, other):
        assert both.status("teach") is ConsentStatus.withdrawn


def _state(status: ConsentStatus | None, *, restricted: bool = False, erased: bool = False) -> ConsentState:
    purposes = {"teach": Decision(status=status, since=NOW)} if status else {}
    return ConsentState(version=1, purposes=purposes, restricted=restricted, erased=erased)
