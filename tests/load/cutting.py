"""What sealing and opening statements in pieces costs, beside one piece in the clear: medians of alternating rounds."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from events.sealing import ClearSealer, Owner, Sealed
from ingest.identities.repository import Identity
from ingest.statements.sealing import NOBODY, Body, open_all, others_in, seal
from service_kit.mongo import Document
from xapi import JsonObject, Named, dumps

from tests.load.machine import say
from tests.load.sample import statements
from tests.support.keyed_sealer import KeyedSealer

BATCH = 100
BOB = {"objectType": "Agent", "name": "Bob Noble", "mbox": "mailto:bob@example.org"}
Step = Callable[[], Awaitable[Any]]


def measure(*, quick: bool = False) -> None:
    """CPU of this process a statement; what reads, checks and stores it is not in it."""
    asyncio.run(_measure(5 if quick else 31))


async def _measure(rounds: int) -> None:
    alone = next(statements())
    taught = {**alone, "context": {**alone["context"], "instructor": BOB}}
    say(f"{len(dumps(alone))} bytes; µs a statement, batches of {BATCH}")
    for name, sent in (("actor alone", alone), ("instructor too", taught)):
        for label, cost in (await _costs(await _steps(sent), rounds)).items():
            say(f"{name:14}  {label:26} {cost:6.2f}")


async def _steps(sent: JsonObject) -> dict[str, Step]:
    clear, keyed, named = ClearSealer(), KeyedSealer(), Named.in_statement(sent)
    known = {ifi: Identity(ifi, ifi, True) for ifi in named.related_agents}
    learner = named.learners[0]

    def bodies() -> list[Body]:
        """As the recorder makes them."""
        alone = len(named.related_agents) == 1
        return [
            (Owner("t", learner), sent, NOBODY if alone else others_in(known, named.related_agents, learner))
            for _ in range(BATCH)
        ]

    async def whole() -> list[Document]:
        sealed = await clear.seal([(Owner("t", learner), dumps(sent)) for _ in range(BATCH)])
        return [{"bytes": one.data, "key": one.key} for one in sealed]

    pieces = [("t/1", one) for one in await seal(clear, bodies())]
    locked = [("t/1", one) for one in await seal(keyed, bodies())]
    if await open_all(keyed, locked) != [dumps(sent)] * BATCH:
        raise AssertionError("not whole again")
    return {
        "seal whole, clear": whole,
        "seal in pieces, clear": lambda: seal(clear, bodies()),
        "seal in pieces, AES-GCM": lambda: seal(keyed, bodies()),
        "open whole, clear": lambda: clear.open([Sealed(one["bytes"], one["key"]) for _, one in pieces]),
        "open in pieces, clear": lambda: open_all(clear, pieces),
        "open in pieces, AES-GCM": lambda: open_all(keyed, locked),
    }


async def _costs(steps: dict[str, Step], rounds: int) -> dict[str, float]:
    taken: dict[str, list[float]] = {label: [] for label in steps}
    for _ in range(rounds):
        for label, step in steps.items():
            taken[label].append(await _cost(step, times=10))
    return {label: statistics.median(found) for label, found in taken.items()}


async def _cost(step: Step, times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        await step()
    return (time.process_time() - began) / times / BATCH * 1e6
