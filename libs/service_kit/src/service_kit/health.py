"""Liveness and readiness. A worker's liveness is the progress of its consumers, not that of its process."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from events.consumer import BatchConsumer
from fastapi import APIRouter, Response

STALLED_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Check:
    """One thing that must be well. `live` False: restart; `ready` False: send no work."""

    name: str
    live: bool
    ready: bool
    detail: str = ""


Checker = Callable[[], Awaitable[Check]]


def consumer_check(consumer: BatchConsumer) -> Checker:
    """Live while its loop turns; ready once it has joined and is not waiting for something."""

    async def check() -> Check:
        progress = consumer.progress
        idle = time.monotonic() - progress.last_turn
        lag = sum(progress.lag.values())
        detail = f"idle {idle:.0f} s, {progress.assigned} partitions, lag {lag}, handled {progress.handled}"
        if progress.waiting_for:
            detail += f", waiting: {progress.waiting_for}"
        return Check(consumer.group, idle < STALLED_SECONDS, progress.joined and not progress.waiting_for, detail)

    return check


def router(checks: Sequence[Checker]) -> APIRouter:
    """`/health/live` and `/health/ready`: 200 or 503, with each check's word."""
    routes = APIRouter(prefix="/health", tags=["health"])

    @routes.get("/live")
    async def live(response: Response) -> dict[str, Any]:
        return _answer([await check() for check in checks], response, "live")

    @routes.get("/ready")
    async def ready(response: Response) -> dict[str, Any]:
        return _answer([await check() for check in checks], response, "ready")

    return routes


def _answer(results: Sequence[Check], response: Response, what: str) -> dict[str, Any]:
    well = all(getattr(result, what) for result in results)
    response.status_code = 200 if well else 503
    return {
        "status": "ok" if well else "failing",
        "checks": {r.name: {"ok": getattr(r, what), "detail": r.detail} for r in results},
    }
