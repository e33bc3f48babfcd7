"""Measures, beside the class's work, how long a statement takes to be reflected in a recommendation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Final

import httpx2

from devstack.demo.house import House
from devstack.latency import Probe, account, answered

_LEARNERS: Final = 5
_PAUSE_SECONDS: Final = 0.1


@asynccontextmanager
async def probing(house: House) -> AsyncIterator[Probe]:
    """A probe that measures for as long as it is open."""
    async with httpx2.AsyncClient(timeout=30) as http:
        probe = Probe(house.description, http)
        task = asyncio.create_task(_measure(probe))
        try:
            yield probe
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled() and (failure := task.exception()) is not None:
            raise failure


async def _measure(probe: Probe) -> None:
    actors = [account(f"probe-{number}") for number in range(_LEARNERS)]
    ids = [await probe.learner_id(actor) for actor in actors]
    catalog = await House(probe.stack, probe.http).catalog()
    for number in count():
        place = number % _LEARNERS
        activity = catalog[number % len(catalog)]["id"]
        await probe.measure(answered(actors[place], activity, scaled=(number % 3) / 2, seconds=20), ids[place])
        await asyncio.sleep(_PAUSE_SECONDS)
