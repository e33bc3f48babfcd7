"""An ASGI app behind real HTTP, in the test's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from devstack.ports import LOOPBACK, free_port


@asynccontextmanager
async def serve(app: Any) -> AsyncIterator[str]:
    """The base URL of the app, started (its lifespan too) and stopped in order.

    >>> async with serve(app) as url: ...
    """
    port = free_port()
    config = uvicorn.Config(app, host=LOOPBACK, port=port, log_level="warning", lifespan="on", ws="none")
    server = _Server(config)
    running = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if running.done():
                running.result()
                raise RuntimeError("the app ended while it started")
            await asyncio.sleep(0.01)
        yield f"http://{LOOPBACK}:{port}"
    finally:
        server.should_exit = True
        await running


class _Server(uvicorn.Server):
    """Leaves the signals of the process alone: they are pytest's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
