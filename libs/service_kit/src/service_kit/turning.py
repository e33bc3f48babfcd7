"""A job that looks for work, does it, rests, and looks again."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from aiokafka.errors import KafkaError
from events.cancellation import heed_cancellation
from events.errors import NotReady
from events.sealing import KeyGone

from service_kit.health import STALLED_SECONDS, Check
from service_kit.mongo import away

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.5


class Turning:
    """Calls `turn` until cancelled. `turn` does what is due, a batch at most, and says whether more may wait."""

    def __init__(self, name: str, turn: Callable[[], Awaitable[bool]], *, rest_seconds: float) -> None:
        self.name = name
        self.last_turn = time.monotonic()
        self._turn = turn
        self._rest_seconds = rest_seconds
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look at once."""
        self._wake.set()

    async def run(self) -> None:
        """MongoDB, Kafka or the keys away means wait and try again; every other failure ends the run.

        So does a key that is gone: the learner's documents are being deleted, and will not be found the next time.
        """
        while True:
            heed_cancellation()
            self._wake.clear()
            try:
                more = await self._turn()
            except Exception as error:
                if not (away(error) or isinstance(error, KafkaError | OSError | NotReady | KeyGone)):
                    raise
                log.warning("%s waits: %s", self.name, type(error).__name__)
                more = False
                await asyncio.sleep(_PAUSE_SECONDS)
            self.last_turn = time.monotonic()
            if not more:
                await self._rest()

    async def check(self) -> Check:
        """For the worker's health: well while the loop turns."""
        idle = time.monotonic() - self.last_turn
        well = idle < STALLED_SECONDS
        return Check(self.name, well, well, f"idle {idle:.0f} s")

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._rest_seconds):
                await self._wake.wait()
        except TimeoutError:
            return


async def quietly(cleanup: Awaitable[None]) -> None:
    """What is tidied at the end need not be, where MongoDB is away."""
    try:
        await cleanup
    except Exception as error:
        if not away(error):
            raise
