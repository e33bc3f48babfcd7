"""Over HTTP: whatever is valid is taken and comes back equal; whatever breaks one rule is refused at its place."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, replace
from uuid import uuid4

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xapi import JsonObject, Version, difference, dumps, loads

from tests.integration.ingest.lrs import Lrs, places, running
from tests.support.tokens import Tokens
from tests.support.xapi_defects import Broken, broken_statements
from tests.support.xapi_strategies import statements, with_literals

_ANY_HEALTH = list(HealthCheck)
Batch = tuple[Version, list[JsonObject]]
Case = tuple[Version, Broken]


@dataclass
class House:
    """One ingest for all examples, in a loop of its own."""

    runner: asyncio.Runner
    lrs: Lrs

    def post(self, version: Version, body: JsonObject | list[JsonObject]) -> httpx2.Response:
        return self.runner.run(_whole(replace(self.lrs, version=version.value).post(dumps(body))))

    def get(self, version: Version, **params: str) -> httpx2.Response:
        return self.runner.run(_whole(replace(self.lrs, version=version.value).get(**params)))


async def _whole(answer: Awaitable[httpx2.Response]) -> httpx2.Response:
    return await answer


@pytest.fixture
def house(environment: pytest.MonkeyPatch, tokens: Tokens) -> Iterator[House]:
    with asyncio.Runner() as runner:
        context = running(tokens)
        lrs = runner.run(context.__aenter__())
        yield House(runner, lrs)
        runner.run(context.__aexit__(None, None, None))


def storable(version: Version) -> st.SearchStrategy[JsonObject]:
    """Valid and without data that comes beside it: neither attachments without `fileUrl` nor signatures."""
    return with_literals(statements(version)).filter(lambda one: b'"attachments"' not in dumps(one))


batches = st.sampled_from(Version).flatmap(
    lambda version: st.tuples(st.just(version), st.lists(storable(version), min_size=1, max_size=5))
)
cases = st.sampled_from(Version).flatmap(lambda version: st.tuples(st.just(version), broken_statements(version)))


def comes_back(house: House, batch: Batch) -> None:
    version, sent = batch
    sent = [{**one, "id": str(uuid4())} for one in sent]
    answer = house.post(version, sent)
    assert (answer.status_code, answer.json() if answer.is_success else answer.text) == (200, [o["id"] for o in sent])
    for one in sent:
        held = house.get(version, statementId=one["id"])
        if held.status_code == httpx2.codes.NOT_FOUND:  # it was voided by another of them
            held = house.get(version, voidedStatementId=one["id"])
        assert held.status_code == httpx2.codes.OK
        assert difference(loads(held.content), one) is None


def is_refused(house: House, case: Case) -> None:
    version, broken = case
    answer = house.post(version, broken.statement)
    assert answer.status_code == httpx2.codes.BAD_REQUEST, broken.rule
    assert broken.place in places(answer), broken.rule


@settings(max_examples=25, deadline=None, suppress_health_check=_ANY_HEALTH)
@given(batch=batches)
def test_what_is_valid_comes_back_equal(house: House, batch: Batch) -> None:
    comes_back(house, batch)


@settings(max_examples=60, deadline=None, suppress_health_check=_ANY_HEALTH)
@given(case=cases)
def test_what_breaks_a_rule_is_refused_at_its_place(house: House, case: Case) -> None:
    is_refused(house, case)


@pytest.mark.long
@settings(max_examples=1_000, deadline=None, suppress_health_check=_ANY_HEALTH)
@given(batch=batches)
def test_thousands_of_valid_ones_come_back_equal(house: House, batch: Batch) -> None:
    comes_back(house, batch)


@pytest.mark.long
@settings(max_examples=5_000, deadline=None, suppress_health_check=_ANY_HEALTH)
@given(case=cases)
def test_thousands_of_broken_ones_are_refused(house: House, case: Case) -> None:
    is_refused(house, case)
