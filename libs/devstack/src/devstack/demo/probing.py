"""Measures, beside the class's work, how long a statement takes to be reflected in a recommendation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Final

import httpx2

from devstack.demo.house import House, until
from devstack.latency import GIVE_UP_SECONDS, Probe, account, answered, percentiles

_LEARNERS: Final = 5
_PAUSE_SECONDS: Final = 0.1
_ENOUGH: Final = 10


@dataclass
class Measured:
    """What the probe saw; `missed`: statements that were not reflected within its patience."""

    probe: Probe
    missed: int = 0

    def __str__(self) -> str:
        if len(self.probe.seconds) < _ENOUGH:
            return f"too few measured to say ({len(self.probe.seconds)}; {self.missed} not reflected in time)"
        late = f"; {self.missed} not within {GIVE_UP_SECONDS:.0f} s" if self.missed else ""
        return f"{percentiles(self.probe.seconds)}{late}"


@asynccontextmanager
async def probing(house: House) -> AsyncIterator[Measured]:
    """Measures for as long as it is open."""
    async with httpx2.AsyncClient(timeout=30) as http:
        measured = Measured(Probe(house.description, http))
        task = asyncio.create_task(_measure(measured))
        try:
            yield measured
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled() and (failure := task.exception()) is not None:
            raise failure


async def _measure(measured: Measured) -> None:
    probe = measured.probe
    house = House(probe.stack, probe.http)
    actors = [account(f"probe-{number}") for number in range(_LEARNERS)]
    ids = [await probe.learner_id(actor) for actor in actors]
    catalog = await until(house.catalog, "a catalog")
    for number in count():
        place = number % _LEARNERS
        activity = catalog[number % len(catalog)]["id"]
        try:
            await probe.measure(answered(actors[place], activity, scaled=(number % 3) / 2, seconds=20), ids[place])
        except TimeoutError:
            measured.missed += 1
        except (httpx2.TransportError, httpx2.HTTPStatusError):
            pass  # a connection at rest was closed, or the policy is on its way (503): this one tells nothing
        await asyncio.sleep(_PAUSE_SECONDS)
