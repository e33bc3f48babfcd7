"""What a statement tells, against the walk over all its parts."""

from __future__ import annotations

from hypothesis import given
from ingest.activities.telling import definitions, named_agents
from xapi import AgentRole, activities_of, agents_of

from tests.support.xapi_strategies import statements


def _key(value: object) -> str:
    return repr(value)


@given(statements())
def test_every_definition_and_every_name_is_found(statement: dict[str, object]) -> None:
    uses = [(use.activity["id"], d) for use in activities_of(statement) if (d := use.activity.get("definition"))]
    assert sorted(definitions(statement), key=_key) == sorted(uses, key=_key)
    named = [u.agent for u in agents_of(statement) if u.agent.get("name") and u.role is not AgentRole.AUTHORITY]
    assert sorted(named_agents(statement), key=_key) == sorted(named, key=_key)
