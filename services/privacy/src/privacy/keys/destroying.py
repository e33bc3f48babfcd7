"""The worker's job: soon after a learner is closed to the services the key is destroyed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from service_kit.clock import Clock
from service_kit.turning import Turning

from privacy.keys.replacing import Replacing
from privacy.keys.repository import KeyRepository
from privacy.settings import KeyDestructionSettings

POLL_SECONDS: Final = 1.0


class Destroying:
    """`wake` makes it look at once. Erasures that come within the batching time share a new bucket key."""

    def __init__(
        self,
        keys: KeyRepository,
        replacing: Replacing,
        settings: KeyDestructionSettings,
        clock: Clock,
        published: Callable[[], None],
    ) -> None:
        self._keys = keys
        self._replacing = replacing
        self._batched = timedelta(seconds=settings.key_destruction_seconds)
        self._clock = clock
        self._published = published
        self._turning = Turning("destroying keys", self._turn, rest_seconds=POLL_SECONDS)
        self.run = self._turning.run
        self.wake = self._turning.wake
        self.check = self._turning.check

    async def _turn(self) -> bool:
        await self.turn()
        return False

    async def turn(self) -> int:
        """Destroy what is due; how many learners' keys."""
        await self._replacing.sweep()
        oldest = await self._keys.oldest_erasure()
        if oldest is None or self._clock() - oldest < self._batched:
            await self._replacing.destroy_retiring()  # a rotation may have been broken off
            return 0
        count = await self._replacing.forget()
        self._published()
        return count
