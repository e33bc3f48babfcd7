"""New data keys: a random key, a random name, a random learner, wrapped by a bucket key with room."""

import secrets
from collections.abc import Collection, Sequence
from typing import Final
from uuid import uuid4

from events.sealing import KeysAway, Owner
from service_kit.clock import Clock
from service_kit.keys.directory import WrappedKey
from service_kit.keys.provider import BucketGone, KeyProvider
from service_kit.mongo import Client, Session, in_transaction

from privacy.keys.repository import ROOM, AlreadyThere, Bucket, KeyRepository, Kind

KEY_BYTES: Final = 32
NAME_BYTES: Final = 16
TENANT_ITSELF: Final = ""
_TRIES: Final = 20


class TenantClosed(Exception):
    """The tenant has left, and its own key is destroyed: nobody comes to it any more."""


class Drawing:
    def __init__(self, client: Client, keys: KeyRepository, provider: KeyProvider, clock: Clock) -> None:
        self._client = client
        self._keys = keys
        self._provider = provider
        self._clock = clock

    async def draw(self, tenant: str, count: int) -> list[WrappedKey]:
        """Keys of learners who are new with this. Raises `TenantClosed`."""
        if not await self._keys.may_have(tenant, [TENANT_ITSELF]):
            raise TenantClosed
        return await self.draw_for(tenant, [str(uuid4()) for _ in range(count)])

    async def draw_for(self, tenant: str, learners: Sequence[str]) -> list[WrappedKey]:
        """Keys of these learners, none of whom has one. Raises `AlreadyThere` where one has."""
        drawn: list[WrappedKey] = []
        for _ in range(_TRIES + len(learners) // ROOM):
            if len(drawn) == len(learners):
                return drawn
            bucket = await self._keys.bucket_with_room(tenant) or await self.make_bucket(tenant, "learners")
            drawn += await self._into(bucket, learners[len(drawn) : len(drawn) + ROOM - bucket.count])
        raise KeysAway("too many draw keys of this tenant at the moment")

    async def of_learners(self, tenant: str, learners: Collection[str]) -> list[WrappedKey]:
        """Their keys, drawn for those who never had one."""
        found = await self._keys.by_owner(tenant, learners)
        missing = await self._keys.may_have(tenant, set(learners) - {key.owner.learner for key in found})
        if not missing:
            return found
        try:
            own = [learner for learner in missing if learner != TENANT_ITSELF]
            drawn = await self.draw_for(tenant, own) if own else []
            if TENANT_ITSELF in missing:
                drawn += await self._into(await self.make_bucket(tenant, "tenant"), [TENANT_ITSELF])
        except AlreadyThere:  # somebody was faster
            return await self.of_learners(tenant, learners)
        return found + drawn

    async def make_bucket(self, tenant: str, kind: Kind) -> Bucket:
        """A new bucket key; until something is counted in it, it is swept after a while."""
        bucket = Bucket(secrets.token_hex(NAME_BYTES), tenant, kind, "making", 0)
        await self._keys.add_bucket(bucket, self._clock())
        await self._provider.create(bucket.name)
        return bucket

    async def _into(self, bucket: Bucket, learners: Sequence[str]) -> list[WrappedKey]:
        """The keys drawn; none where the bucket was filled or retired by someone else meanwhile."""
        plain = [(secrets.token_hex(NAME_BYTES), secrets.token_bytes(KEY_BYTES)) for _ in learners]
        try:
            wrapped = await self._provider.wrap(bucket.name, plain)
        except BucketGone:
            return []
        keys = [
            WrappedKey(name, Owner(bucket.tenant, learner), bucket.name, one)
            for learner, (name, _), one in zip(learners, plain, wrapped, strict=True)
        ]

        async def keep(session: Session) -> bool:
            if not await self._keys.fill(bucket, len(keys), session):
                return False
            await self._keys.insert(keys, session)
            return True

        return keys if await in_transaction(self._client, keep) else []
