"""What a watched credential sends, counted by every process that it reaches."""

from __future__ import annotations

from typing import Any

import pytest
from ingest.emitters.watching import Watcher, WatchRepository

from tests.integration.ingest.lrs import Json, Lrs, statement
from tests.integration.ingest.test_emitter_batches import broken, emitter_with_key, without_id
from tests.integration.ingest.test_emitter_repeats import basic


async def _watch(lrs: Lrs, key: str, seconds: float = 60) -> str:
    url = f"/emitters/{key}/watches"
    made = await lrs.http.post(url, json={"seconds": seconds}, headers=lrs.bearer("operator"))
    assert made.status_code == 201, made.text
    await lrs.app.state.ingest.emitters.watcher.turn()
    return f"{url}/{made.json()['id']}"


async def _report(lrs: Lrs, url: str) -> Json:
    await lrs.app.state.ingest.emitters.watcher.turn()
    answer = await lrs.http.get(url, headers=lrs.bearer("operator"))
    assert answer.status_code == 200, answer.text
    report: Json = answer.json()
    return report


def _counts(report: Json, name: str) -> dict[str, int]:
    return {one["name"]: one["count"] for one in report[name]}


async def test_it_tells_what_came_and_what_became_of_it(lrs: Lrs) -> None:
    key, auth = await emitter_with_key(lrs, "moodle")
    url = await _watch(lrs, key)
    mail = {**statement(), "actor": {"mbox": "mailto:ada@example.org"}, "timestamp": "2030-01-01T00:00:00Z"}
    scored = without_id(
        timestamp="2026-03-02T09:41:07Z", result={"score": {"raw": 5, "min": 0, "max": 10, "scaled": 0}}
    )
    flat = without_id(result={"score": {"raw": 0, "min": 0, "max": 0}})
    await lrs.post([mail, scored, flat, broken()], auth=auth)
    await lrs.post(b"no JSON", auth=auth)
    await lrs.post(statement(verb={}), auth=auth)
    report = await _report(lrs, url)
    assert (report["requests"], report["refused_requests"]) == (3, 2)
    assert (report["statements"], report["stored"], report["quarantined"]) == (3, 3, 1)
    assert (report["without_id"], report["without_timestamp"], report["without_registration"]) == (2, 1, 3)
    assert _counts(report, "actors") == {"mbox": 1, "account": 2}
    assert _counts(report, "home_pages") == {"https://lms.example.org": 2}
    assert _counts(report, "allowances") == {"flat-score": 1}
    assert _counts(report, "scores") == {"raw+min+max": 1, "scaled+raw+min+max": 1}
    assert report["scaled_differs"] == 1
    assert report["newest_seconds"] < 0 < report["oldest_seconds"]
    refused = _counts(report, "refused")
    assert any(name.startswith("/*/actor: ") for name in refused)
    assert any(name.startswith("/verb/id: ") for name in refused)
    assert not any("ada" in str(value) for value in report.values())


async def test_a_strict_credential_is_answered_as_ever_while_it_is_watched(lrs: Lrs) -> None:
    key, auth = await lrs.credential()
    before = await lrs.post([statement(), broken()], auth=auth)
    url = await _watch(lrs, key)
    twins = statement()
    watched = await lrs.post([statement(), broken()], auth=auth)
    assert watched.status_code == before.status_code == 400
    assert watched.json()["errors"] == before.json()["errors"]
    assert (await lrs.post([twins, twins], auth=auth)).status_code == 400
    good = statement()
    assert (await lrs.post(good, auth=auth)).json() == [good["id"]]
    assert (await lrs.put(good, auth=auth)).status_code == 204
    report = await _report(lrs, url)
    assert (report["profile"], report["requests"], report["refused_requests"]) == ("strict", 4, 2)
    assert report["stored"] == 2


async def test_several_processes_count_together(lrs: Lrs) -> None:
    key, auth = await emitter_with_key(lrs, "h5p")
    url = await _watch(lrs, key)
    c = lrs.connections
    other = Watcher(WatchRepository(c.db, c.clock), c.clock)
    await other.turn()
    credential = await lrs.app.state.ingest.verifier.verify(basic(auth))
    assert len(other.seen(credential, "2.0.0")) == 1
    await other.turn()
    await lrs.post([statement()], auth=auth)
    report = await _report(lrs, url)
    assert report["requests"] == 2
    assert _counts(report, "versions") == {"1.0.3": 1, "2.0.0": 1}


async def test_more_kinds_than_are_told_apart_are_counted_together(lrs: Lrs) -> None:
    key, auth = await emitter_with_key(lrs, "moodle")
    url = await _watch(lrs, key)
    batch = [statement(verb={"id": f"https://example.org/verbs/{n}"}) for n in range(60)]
    await lrs.post(batch, auth=auth)
    verbs = _counts(await _report(lrs, url), "verbs")
    assert len(verbs) == 41
    assert verbs["(others)"] == 20


@pytest.mark.parametrize("seconds", [0, -1, 3601, "x"])
async def test_seconds_have_bounds(lrs: Lrs, seconds: Any) -> None:
    key, _ = await lrs.credential()
    made = await lrs.http.post(f"/emitters/{key}/watches", json={"seconds": seconds}, headers=lrs.bearer("operator"))
    assert made.status_code == 400


async def test_only_operators_of_the_tenant(lrs: Lrs) -> None:
    key, _ = await lrs.credential()
    url = await _watch(lrs, key)
    other = await lrs.other_tenant()
    for who in (other.bearer("operator"), lrs.bearer("app")):
        status = 404 if who == other.bearer("operator") else 403
        assert (await lrs.http.get(url, headers=who)).status_code == status
        assert (await lrs.http.post(f"/emitters/{key}/watches", json={}, headers=who)).status_code == status
