"""Learners drawn ahead, each with a key: a new person takes one, also while the privacy service is away."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from typing import Final, Protocol
from uuid import uuid4

from events.sealing import KeysAway, Owner
from service_kit.keys.directory import MOST, WrappedKey
from service_kit.keys.making import Keys
from service_kit.mongo import Collection as MongoCollection
from service_kit.mongo import Database
from service_kit.turning import Turning

from ingest.identities.repository import TENANT_KEYS

log = logging.getLogger(__name__)

AT_ONCE: Final = 50  # what a replica claims: one write for so many new learners
POLL_SECONDS: Final = 5.0


class NewLearners(Protocol):
    """Where new learners come from."""

    async def take(self, tenant: str, count: int) -> list[str]:
        """Ids that nobody has. Raises `KeysAway` where there are none for now."""
        ...

    def give_back(self, tenant: str, learners: Iterable[str]) -> None:
        """They were not needed: somebody else was faster."""
        ...

    async def gone(self, tenant: str, learners: Collection[str]) -> set[str]:
        """Those whose key is destroyed: who is behind them is someone new by now. Raises `KeysAway`."""
        ...


class RandomLearners:
    """Without keys any random id will do."""

    async def gone(self, tenant: str, learners: Collection[str]) -> set[str]:
        return set()

    async def take(self, tenant: str, count: int) -> list[str]:
        return [str(uuid4()) for _ in range(count)]

    def give_back(self, tenant: str, learners: Iterable[str]) -> None:
        """There are enough."""


class DrawnLearners:
    """Claims a few at a time from what is drawn ahead; an empty store asks privacy once, rather than refuse."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._mine: dict[str, deque[str]] = defaultdict(deque)
        self._claiming = asyncio.Lock()

    async def take(self, tenant: str, count: int) -> list[str]:
        mine = self._mine[tenant]
        if len(mine) < count:
            async with self._claiming:
                while len(mine) < count:
                    claimed = await self._claim(tenant, max(AT_ONCE, count - len(mine)))
                    opened = await self._keys.ring.add(claimed)
                    mine.extend(key.owner.learner for key in opened)
        return [mine.popleft() for _ in range(count)]

    def give_back(self, tenant: str, learners: Iterable[str]) -> None:
        self._mine[tenant].extend(learners)

    async def gone(self, tenant: str, learners: Collection[str]) -> set[str]:
        keys = await self._keys.ring.of_owners([Owner(tenant, learner) for learner in learners])
        return set(learners) - {owner.learner for owner in keys}

    async def _claim(self, tenant: str, count: int) -> list[WrappedKey]:
        claimed = await self._keys.held.claim(tenant, min(count, MOST))
        if not claimed:
            claimed = await self._keys.directory.draw(tenant, min(count, MOST))
            await self._keys.held.put(claimed)
        return claimed


class DrawingAhead:
    """The worker's job: keeps keys drawn ahead for every tenant that has ever named anyone."""

    def __init__(self, db: Database, keys: Keys, ahead: int) -> None:
        self._tenants_met: MongoCollection = db[TENANT_KEYS.name]
        self._keys = keys
        self._ahead = ahead
        self._turning = Turning("drawing keys", self._turn, rest_seconds=POLL_SECONDS)
        self.run = self._turning.run
        self.check = self._turning.check

    async def _turn(self) -> bool:
        try:
            for tenant in await self._tenants():
                await self.fill(tenant)
        except KeysAway as error:  # it costs nobody anything until those drawn ahead are used up
            log.warning("no keys are drawn: %s", error)
        return False

    async def fill(self, tenant: str) -> int:
        """Draw up to the number wanted, once half of it is used; how many were drawn."""
        free = await self._keys.held.count_free(tenant, self._ahead)
        if free > self._ahead // 2:
            return 0
        drawn = 0
        while drawn < self._ahead - free:
            keys = await self._keys.directory.draw(tenant, min(MOST, self._ahead - free - drawn))
            await self._keys.held.put(keys, free=True)
            drawn += len(keys)
        return drawn

    async def _tenants(self) -> list[str]:
        """Those of whom an identifier was ever met."""
        return [d["_id"] for d in await self._tenants_met.find({}, {"_id": 1}).to_list(None)]


def learners_of(keys: Keys | None) -> NewLearners:
    return RandomLearners() if keys is None else DrawnLearners(keys)
