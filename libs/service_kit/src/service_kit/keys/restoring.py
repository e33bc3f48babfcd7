"""After a restore: what belongs to a learner without a key goes first. After a rotation: keys are fetched anew.

A backup brings back whoever was erased since it was made; the bucket key that wrapped their data keys was destroyed
with the erasure. So before a worker begins its jobs it asks the provider for the bucket of every key held here. Where
one is gone the keys are fetched anew: who stays has been wrapped by another bucket; who has no key any more is erased,
but only where privacy says that the key was destroyed. A key file that is lost, or the wrong one, erases nobody.
Without a restore this costs one look at each bucket.

It looks again when a learner was forgotten, and now and then: bucket keys are replaced by every erasure and rotation,
and what is held must open while privacy is away.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from events.sealing import Owner

from service_kit.clock import Clock
from service_kit.erasing import Erases
from service_kit.keys.directory import WrappedKey
from service_kit.keys.making import Keys
from service_kit.keys.provider import BucketGone
from service_kit.mongo import Client, Session, in_transaction
from service_kit.turning import Turning

AGAIN_SECONDS: Final = 600.0
PAUSE_SECONDS: Final = 5.0  # erasures that come together are looked at together
log = logging.getLogger(__name__)


class Restoring:
    def __init__(self, client: Client, keys: Keys, participant: Erases, clock: Clock) -> None:
        self._client = client
        self._keys = keys
        self._participant = participant
        self._turning = Turning("renewing keys", self._turn, rest_seconds=AGAIN_SECONDS)
        self.go_on = self._turning.run
        self.wake = self._turning.wake
        self._clock = clock

    async def begin(self) -> None:
        """`run`, before a worker's jobs; `go_on` is one of these."""
        await self.run()

    async def _turn(self) -> bool:
        await self.run()
        await asyncio.sleep(PAUSE_SECONDS)
        return False

    async def run(self) -> int:
        """How many learners were erased for want of a key. Raises `KeysAway`: then nothing may begin yet."""
        erased = 0
        for bucket in await self._keys.held.buckets():
            if not await self._is_there(bucket):
                erased += await self._renew(await self._keys.held.of_bucket(bucket))
        if erased:
            log.warning("erased learners whose keys are destroyed", extra={"learners": erased})
        return erased

    async def _is_there(self, bucket: str) -> bool:
        """One of its keys tells for all."""
        held = await self._keys.held.of_bucket(bucket, limit=1)
        try:
            await self._keys.provider.unwrap(bucket, [(key.name, key.wrapped) for key in held])
        except BucketGone:
            return False
        return True

    async def _renew(self, held: Sequence[WrappedKey]) -> int:
        """Keep the keys as they are wrapped now; how many learners were erased: those of whom privacy says so."""
        now = await self._keys.directory.by_name([key.name for key in held])
        opened = {key.name for key in await self._keys.ring.add(now)}
        await self._keys.held.wrapped_anew([key for key in now if key.name in opened])
        lost = [key.owner for key in held if key.name not in opened]
        destroyed = await self._destroyed(lost) if lost else set[str]()
        gone = [owner for owner in lost if owner.learner in destroyed]
        for owner in gone:
            await in_transaction(self._client, lambda session: self._erase(owner, session))  # noqa: B023
        if unreadable := len(lost) - len(gone):
            log.error("keys do not open, and were not destroyed by an erasure", extra={"keys": unreadable})
        return len(gone)

    async def _destroyed(self, owners: Sequence[Owner]) -> set[str]:
        """A bucket holds learners of one tenant."""
        return await self._keys.directory.destroyed(owners[0].tenant, [owner.learner for owner in owners])

    async def _erase(self, owner: Owner, session: Session) -> None:
        await self._participant.erase(owner.tenant, owner.learner, session)
        await self._keys.held.forget(owner.tenant, owner.learner, self._clock(), session)
