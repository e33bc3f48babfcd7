"""Whatever two tenants send and ask, neither sees anything of the other."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.ingest.lrs import Lrs, agent, running, statement, voiding
from tests.support.tokens import Tokens

NAMES = ("ada", "grace", "tenant/x", "*")
IDS = [str(uuid5(UUID(int=0), str(n))) for n in range(6)]

acts = st.one_of(
    st.tuples(st.just("store"), st.sampled_from(IDS), st.sampled_from(NAMES)),
    st.tuples(st.just("void"), st.sampled_from(IDS), st.sampled_from(NAMES)),
    st.tuples(st.just("learner"), st.just(""), st.sampled_from(NAMES)),
)
QUERIES: list[dict[str, Any]] = [
    {},
    {"ascending": "true", "limit": 2},
    *({"agent": json.dumps(agent(name)), "related_agents": "true"} for name in NAMES),
    {"verb": "https://example.org/verbs/answered"},
    {"activity": "https://example.org/activities/1", "related_activities": "true"},
]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.booleans(), acts), max_size=12))
def test_neither_sees_the_other(
    environment: pytest.MonkeyPatch, tokens: Tokens, steps: list[tuple[bool, tuple[str, str, str]]]
) -> None:
    asyncio.run(_play(tokens, steps))


async def _play(tokens: Tokens, steps: list[tuple[bool, tuple[str, str, str]]]) -> None:
    """What a tenant gets is what it would get alone: the same acts without the other give the same answers."""
    async with running(tokens) as one:
        pair = {False: one, True: await one.other_tenant()}
        alone = {False: await one.other_tenant(), True: await one.other_tenant()}
        for who, act in steps:
            assert await _act(pair[who], act) == await _act(alone[who], act)
        for who in (False, True):
            assert await _seen(pair[who]) == await _seen(alone[who])
        mine, theirs = [{await lrs.learner(name) for name in NAMES} for lrs in pair.values()]
        assert mine.isdisjoint(theirs)


async def _act(lrs: Lrs, act: tuple[str, str, str]) -> int:
    kind, statement_id, name = act
    if kind == "learner":
        answer = await lrs.http.post("/identities", json=agent(name), headers=lrs.bearer("app"))
    elif kind == "store":
        answer = await lrs.post(statement(name) | {"id": statement_id})
    else:
        void_id = str(uuid5(UUID(statement_id), name))
        answer = await lrs.post(voiding(statement_id, name) | {"id": void_id})
    return answer.status_code


async def _seen(lrs: Lrs) -> list[Any]:
    """All that the tenant can read, but for what differs between any two."""
    seen: list[Any] = []
    for query in QUERIES:
        answer = (await lrs.get(**query)).json()
        seen.append([(s["id"], s["actor"], s["verb"]["id"]) for s in answer["statements"]])
    for statement_id in IDS:
        seen.append((await lrs.get(statementId=statement_id)).status_code)
        seen.append((await lrs.get(voidedStatementId=statement_id)).status_code)
    for name in NAMES:
        params = {"agent": json.dumps(agent(name))}
        seen.append((await lrs.http.get("/identities", params=params, headers=lrs.bearer("app"))).status_code)
    seen.append((await lrs.http.get("/stats", headers=lrs.bearer("operator"))).json())
    return seen
