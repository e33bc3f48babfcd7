"""A bucket key gives way to a new one: whoever stays is wrapped anew, then the old key is destroyed.

That is how a learner is forgotten (everyone else of the bucket stays) and how keys are rotated (everyone does). What
data keys have sealed is not touched.

A crash leaves either a bucket that nothing is wrapped by (`making`: swept) or one whose key must go (`retiring`: done
again at the next turn).
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from events.sealing import Owner
from service_kit.clock import Clock
from service_kit.keys.directory import WrappedKey
from service_kit.keys.held import HeldKeys
from service_kit.keys.provider import BucketGone, KeyProvider
from service_kit.merging import Merges
from service_kit.mongo import Client, Session, in_transaction

from privacy.audit.repository import Chain
from privacy.consents.repository import Consents
from privacy.keys.drawing import TENANT_ITSELF, Drawing
from privacy.keys.repository import Bucket, KeyErasure, KeyRepository
from privacy.requests.repository import Requests

ABANDONED_AFTER: Final = timedelta(hours=1)
MOST_A_TURN: Final = 1000
_TRIES: Final = 50


class Replacing:
    def __init__(
        self,
        client: Client,
        keys: KeyRepository,
        drawing: Drawing,
        provider: KeyProvider,
        held: HeldKeys,
        chain: Chain,
        consents: Consents,
        requests: Requests,
        merges: Merges,
        clock: Clock,
    ) -> None:
        self._client = client
        self._keys = keys
        self._drawing = drawing
        self._provider = provider
        self._held = held
        self._chain = chain
        self._consents = consents
        self._requests = requests
        self._merges = merges
        self._clock = clock

    async def rotate(self, tenant: str) -> tuple[int, int]:
        """Replace every bucket key of a tenant; how many there were, and how many keys are wrapped anew."""
        names = await self._keys.in_use(tenant)
        wrapped = sum([await self._replace(name, []) for name in names])
        await self.destroy_retiring()
        return len(names), wrapped

    async def forget(self) -> int:
        """Destroy the keys of those who are closed to the services; how many."""
        await self.destroy_retiring()
        erasures = await self._keys.erasures(MOST_A_TURN)
        by_bucket: dict[str | None, list[KeyErasure]] = defaultdict(list)
        buckets = await self._buckets_of(erasures)
        for one in erasures:
            by_bucket[buckets.get((one.tenant, one.learner))].append(one)
        for bucket, of_bucket in by_bucket.items():
            if bucket is None:
                await self._finish(of_bucket, self._clock())  # they never had a key
            else:
                await self._replace(bucket, of_bucket)
        await self.destroy_retiring()
        return len(erasures)

    async def end(self, tenant: str) -> None:
        """The tenant has left: destroy every bucket key, also its own and those of learners drawn ahead, for good."""
        own = Owner(tenant, TENANT_ITSELF)
        await in_transaction(self._client, lambda session: self._keys.never_again([own], session))
        while names := await self._keys.in_use(tenant):
            for name in names:
                await self._retire_whole(name)
        await self._held.forget_tenant(tenant, self._clock())
        await self.destroy_retiring()

    async def _retire_whole(self, name: str) -> None:
        bucket, keys = await self._keys.bucket(name), await self._keys.of_bucket(name)
        if bucket is not None:
            await in_transaction(self._client, lambda session: self._switch(bucket, None, [], keys, [], session))

    async def destroy_retiring(self) -> None:
        """Destroy bucket keys that wrap nothing any more, and say of whom."""
        for name in await self._keys.retiring():
            await self._provider.destroy(name)
            await self._finish(await self._keys.erased_with(name), self._clock())
            await self._keys.remove_bucket(name)

    async def sweep(self) -> None:
        """Destroy bucket keys that whoever made them did not come to use."""
        for name in await self._keys.abandoned(self._clock() - ABANDONED_AFTER):
            await self._provider.destroy(name)
            await self._keys.remove_bucket(name)

    async def _buckets_of(self, erasures: Sequence[KeyErasure]) -> dict[tuple[str, str], str]:
        by_tenant = defaultdict(list)
        for one in erasures:
            by_tenant[one.tenant].append(one.learner)
        return {
            (tenant, key.owner.learner): key.bucket
            for tenant, learners in by_tenant.items()
            for key in await self._keys.by_owner(tenant, learners)
        }

    async def _replace(self, name: str, erasures: Sequence[KeyErasure]) -> int:
        """Wrap anew all keys of the bucket but those of the erasures; how many. The bucket retires with that."""
        gone = {one.learner for one in erasures}
        requests = [one.request for one in erasures]
        for _ in range(_TRIES):
            old = await self._keys.bucket(name)
            if old is None or old.state not in ("open", "full"):
                return 0
            before = await self._keys.of_bucket(name)
            stay = [key for key in before if key.owner.learner not in gone]
            new = await self._drawing.make_bucket(old.tenant, old.kind) if stay else None
            try:
                after = await self._wrapped_anew(old, new, stay)
            except BucketGone:  # another replica was faster
                continue
            leave = [key for key in before if key.owner.learner in gone]
            if await in_transaction(
                self._client,
                lambda session: self._switch(old, new, after, leave, requests, session),  # noqa: B023
            ):
                return len(after)
        return 0

    async def _wrapped_anew(self, old: Bucket, new: Bucket | None, stay: Sequence[WrappedKey]) -> list[WrappedKey]:
        if new is None:
            return []
        plain = await self._provider.unwrap(old.name, [(key.name, key.wrapped) for key in stay])
        names = [key.name for key in stay]
        wrapped = await self._provider.wrap(new.name, list(zip(names, plain, strict=True)))
        return [WrappedKey(key.name, key.owner, new.name, one) for key, one in zip(stay, wrapped, strict=True)]

    async def _switch(
        self,
        old: Bucket,
        new: Bucket | None,
        after: Sequence[WrappedKey],
        leave: Sequence[WrappedKey],
        requests: Sequence[str],
        session: Session,
    ) -> bool:
        """All at once, unless somebody drew from the old bucket meanwhile."""
        if not await self._keys.retire(old, session):
            return False
        if new is not None:
            await self._keys.fill(new, len(after), session)
            await self._keys.replace(after, session)
        await self._keys.delete([key.name for key in leave], session)
        await self._keys.never_again([key.owner for key in leave], session)
        await self._keys.mark_retiring(requests, old.name, session)
        return True

    async def _finish(self, erasures: Sequence[KeyErasure], at: datetime) -> None:
        for erasure in erasures:
            await in_transaction(self._client, lambda session: self._finish_one(erasure, at, session))  # noqa: B023

    async def _finish_one(self, erasure: KeyErasure, at: datetime, session: Session) -> None:
        await self._requests.key_destroyed(erasure.tenant, erasure.request, at, session)
        await self._consents.remove(erasure.tenant, erasure.learner, session)
        await self._merges.forget(erasure.tenant, erasure.learner, session)
        await self._keys.never_again([Owner(erasure.tenant, erasure.learner)], session)
        await self._held.forget(erasure.tenant, erasure.learner, at, session)
        await self._chain.forget(erasure.tenant, erasure.learner, session)  # entries that came since the erasure began
        await self._keys.finish(erasure, session)
