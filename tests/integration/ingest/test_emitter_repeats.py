"""Statements without an id that come again: 200 with the first ids, and nothing stored twice."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

import httpx2
import pytest
from ingest.emitters.repeats import Repeats

from tests.integration.ingest.lrs import STATEMENTS, Json, Lrs, statement
from tests.integration.ingest.test_emitter_batches import emitter, without_id
from tests.integration.learner_profile.conftest import eventually
from tests.support.serving import serve


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def moodle(lrs: Lrs) -> Lrs:
    """A tenant of its own whose credential is Moodle's."""
    other = await lrs.other_tenant()
    other.auth = await emitter(other, "moodle")
    return other


@pytest.fixture
def clock(moodle: Lrs, monkeypatch: pytest.MonkeyPatch) -> Clock:
    state = moodle.app.state.ingest
    clock = Clock(datetime.now(UTC))
    repeats: Repeats = state.emitters.posting._batches._repeats
    monkeypatch.setattr(repeats, "_clock", clock)
    return clock


def _batch() -> list[Json]:
    return [without_id(timestamp=f"2026-03-02T09:41:{second:02}+01:00") for second in range(3)]


async def test_a_repeated_batch_is_answered_with_the_first_ids(moodle: Lrs) -> None:
    batch = _batch()
    first = await moodle.post(batch)
    assert len(set(first.json())) == 3
    assert (await moodle.post(batch)).json() == first.json()
    assert (await moodle.post(list(reversed(batch)))).json() == list(reversed(first.json()))
    assert await moodle.stored() == 3


async def test_the_order_of_properties_does_not_count_and_every_value_does(moodle: Lrs) -> None:
    one = without_id(result={"score": {"raw": 1, "min": 0, "max": 2}})
    turned = dict(reversed(one.items()))
    other = {**one, "result": {"score": {"raw": 2, "min": 0, "max": 2}}}
    ids = [(await moodle.post([each])).json()[0] for each in (one, turned, other)]
    assert ids[0] == ids[1] != ids[2]


async def test_twice_in_one_request_is_two_acts(moodle: Lrs) -> None:
    one = without_id()
    first = (await moodle.post([one, one])).json()
    assert len(set(first)) == 2
    assert (await moodle.post([one, one])).json() == first
    assert (await moodle.post([one])).json() == first[:1]
    assert await moodle.stored() == 2


async def test_without_a_timestamp_too(moodle: Lrs) -> None:
    one = without_id()
    assert "timestamp" not in one
    assert (await moodle.post([one])).json() == (await moodle.post([one])).json()


async def test_another_credential_another_tenant_and_strict_are_strangers(lrs: Lrs, moodle: Lrs) -> None:
    one = without_id()
    ids = [(await moodle.post([one], auth=auth)).json()[0] for auth in (moodle.auth, await emitter(moodle, "moodle"))]
    other = await lrs.other_tenant()
    ids += (await other.post([one])).json() + (await other.post([one])).json()
    assert len(set(ids)) == 4


async def test_a_statement_with_an_id_keeps_it(moodle: Lrs) -> None:
    one = statement()
    assert (await moodle.post([one])).json() == [one["id"]]


@pytest.mark.parametrize(("minutes", "known"), [(24 * 60 - 1, True), (24 * 60 + 1, False)])
async def test_for_24_hours(moodle: Lrs, clock: Clock, minutes: int, known: bool) -> None:
    now = datetime.now(UTC)
    one = without_id()
    first = (await moodle.post([one])).json()
    clock.now = now + timedelta(minutes=minutes)
    again = (await moodle.post([one])).json()
    assert (again == first) is known
    assert await moodle.stored() == (1 if known else 2)


async def test_ten_at_once_store_one(moodle: Lrs) -> None:
    batch = _batch()
    answers = await asyncio.gather(*(moodle.post(batch) for _ in range(10)))
    assert [answer.status_code for answer in answers] == [200] * 10
    assert len({tuple(answer.json()) for answer in answers}) == 1
    assert await moodle.stored() == 3


async def test_a_connection_cut_before_the_answer(moodle: Lrs) -> None:
    """Real TCP: the statements are durable, the answer is lost, Moodle sends the batch again."""
    batch = _batch()
    async with serve(moodle.app) as url:
        await _cut_after_write(moodle, url, batch)
        async with httpx2.AsyncClient(base_url=url) as http:
            headers = {"X-Experience-API-Version": "1.0.3"}
            again = await http.post(STATEMENTS, json=batch, headers=headers, auth=moodle.auth)
    assert again.status_code == 200
    assert sorted(again.json()) == sorted(await _ids(moodle))
    assert len(again.json()) == 3


async def _cut_after_write(lrs: Lrs, url: str, batch: list[Json]) -> None:
    address = urlsplit(url)
    body = json.dumps(batch).encode()
    head = (
        f"POST {STATEMENTS} HTTP/1.1\r\nHost: {address.netloc}\r\nX-Experience-API-Version: 1.0.3\r\n"
        f"Authorization: {basic(lrs.auth)}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(head.encode() + body)
    await writer.drain()
    await eventually(partial(_are_stored, lrs, len(batch)))
    writer.transport.abort()  # nothing of the answer was read


async def _are_stored(lrs: Lrs, count: int) -> bool:
    return len(await _ids(lrs)) == count


async def _ids(lrs: Lrs) -> list[str]:
    found = await lrs.connections.db["statements"].find({"tenant": lrs.tenant}).to_list(None)
    return [document["_id"].partition("/")[2] for document in found]


def basic(auth: httpx2.BasicAuth) -> str:
    request = next(auth.auth_flow(httpx2.Request("GET", "http://ingest.test")))
    header: str = request.headers["Authorization"]
    return header
