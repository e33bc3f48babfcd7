"""Liveness is the progress of the consumer."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest
from events.consumer import BatchConsumer, Progress
from fastapi import FastAPI
from service_kit import health


def consumer(**changes: Any) -> BatchConsumer:
    progress = Progress(**({"assigned": 3, "joined": True} | changes))
    return cast("BatchConsumer", SimpleNamespace(progress=progress, group="test.group"))


async def asked(what: str, *consumers: BatchConsumer) -> tuple[int, dict[str, Any]]:
    app = FastAPI()
    app.include_router(health.router([health.consumer_check(one) for one in consumers]))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get(f"/health/{what}")
        return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("changes", "live", "ready"),
    [
        ({}, 200, 200),
        ({"joined": False}, 200, 503),
        ({"assigned": 0}, 200, 200),
        ({"waiting_for": "no policy"}, 200, 503),
        ({"last_turn": time.monotonic() - 10_000}, 503, 200),
    ],
)
async def test_a_consumer(changes: dict[str, Any], live: int, ready: int) -> None:
    assert (await asked("live", consumer(**changes)))[0] == live
    assert (await asked("ready", consumer(**changes)))[0] == ready


async def test_one_that_fails_fails_all_and_is_named() -> None:
    status, body = await asked("ready", consumer(), consumer(joined=False))
    assert status == 503
    assert body["status"] == "failing"
    assert "test.group" in body["checks"]


async def test_nothing_to_check() -> None:
    assert await asked("live") == (200, {"status": "ok", "checks": {}})
