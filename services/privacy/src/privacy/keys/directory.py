"""Privacy's own directory: it asks nobody. Whom it decides about has a key, made where there never was one."""

from collections.abc import Collection
from dataclasses import dataclass

from service_kit.clock import system_clock
from service_kit.keys.directory import WrappedKey
from service_kit.keys.provider import KeyProvider
from service_kit.mongo import Database

from privacy.keys.drawing import Drawing
from privacy.keys.repository import KeyRepository


@dataclass(frozen=True)
class OwnDirectory:
    keys: KeyRepository
    drawing: Drawing

    @classmethod
    def of(cls, db: Database, provider: KeyProvider) -> "OwnDirectory":
        keys = KeyRepository(db)
        return cls(keys, Drawing(db.client, keys, provider, system_clock))

    async def by_owner(self, tenant: str, learners: Collection[str]) -> list[WrappedKey]:
        return await self.drawing.of_learners(tenant, learners)

    async def by_name(self, names: Collection[str]) -> list[WrappedKey]:
        return await self.keys.by_name(names)

    async def destroyed(self, tenant: str, learners: Collection[str]) -> set[str]:
        return set(learners).difference(await self.keys.may_have(tenant, learners))

    async def draw(self, tenant: str, count: int) -> list[WrappedKey]:
        return await self.drawing.draw(tenant, count)

    async def close(self) -> None:
        """It holds nothing."""
