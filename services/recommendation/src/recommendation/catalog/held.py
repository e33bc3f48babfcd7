"""Catalogs in memory, ready for ranking."""

import asyncio
from collections import defaultdict
from typing import Protocol

from events.payloads import CatalogActivity, CatalogCompetency

from recommendation.recommendations.offers import Catalog, prepare


class Activities(Protocol):
    """Where catalogs come from."""

    async def version(self, tenant: str) -> int: ...

    async def all(self, tenant: str) -> list[CatalogActivity]: ...


class Competencies(Protocol):
    """Where frameworks come from."""

    async def page(self, tenant: str, after: str | None) -> list[CatalogCompetency]: ...


class HeldCatalogs:
    """A tenant's catalog, read again when its version in the database is another than the one held.

    Every request asks for the version (one read by key), so that an import counts at once in every replica.
    """

    def __init__(self, activities: Activities, competencies: Competencies) -> None:
        self._activities = activities
        self._competencies = competencies
        self._held: dict[str, tuple[int, Catalog]] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, tenant: str) -> Catalog:
        version = await self._activities.version(tenant)
        held = self._held.get(tenant)
        if held is None or held[0] != version:
            async with self._locks[tenant]:
                held = self._held.get(tenant)
                if held is None or held[0] < version:
                    # What is read may be newer than the version read before it: then it is read once more, not missed.
                    competencies = await self._competencies.page(tenant, None)
                    held = (version, prepare(await self._activities.all(tenant), competencies))
                    self._held[tenant] = held
        return held[1]
