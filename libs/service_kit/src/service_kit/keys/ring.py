"""Data keys that are open in this process: few enough, not for long, and only while nothing says that one is forgotten.

A key is looked for in memory, then, wrapped, in the service's own database, then at the privacy service: so a service
goes on with the learners it knows while privacy is away. What is wrapped by a bucket key that exists no more is fetched
again.
"""

import asyncio
import contextvars
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from events.sealing import Owner

from service_kit.keys.directory import Directory, WrappedKey
from service_kit.keys.held import HeldKeys
from service_kit.keys.provider import BucketGone, KeyProvider

CONFIRMED_SECONDS: Final = 0.5  # the same fence as that of the views: an erasure waits longer than this


@dataclass(frozen=True, slots=True)
class OpenKey:
    """A data key ready for use. `bound` is what is authenticated with every byte it seals."""

    name: str
    owner: Owner
    cipher: AESGCM
    bound: bytes
    until: float


class KeyRing:
    def __init__(
        self,
        held: HeldKeys,
        provider: KeyProvider,
        directory: Directory,
        *,
        most: int,
        ttl_seconds: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._held = held
        self._provider = provider
        self._directory = directory
        self._most = most
        self._ttl = ttl_seconds
        self._now = now
        self._by_owner: dict[Owner, OpenKey] = {}
        self._by_name: dict[str, OpenKey] = {}
        self._confirmed_at = -CONFIRMED_SECONDS
        self._seen: int | None = None
        self._confirming: asyncio.Task[None] | None = None

    async def of_owners(self, owners: Collection[Owner]) -> dict[Owner, OpenKey]:
        """The key of each; an owner that has none (any more) is left out. Raises `KeysAway`."""
        if (now := self._now()) - self._confirmed_at > CONFIRMED_SECONDS:
            await self._confirm()
        found = {owner: key for owner in owners if (key := self._by_owner.get(owner)) is not None and key.until > now}
        if len(found) < len(owners):
            missing = defaultdict(set)
            for owner in owners:
                if owner not in found:
                    missing[owner.tenant].add(owner.learner)
            for tenant, learners in missing.items():
                found |= {key.owner: key for key in await self._fetch_owners(tenant, learners)}
        return found

    async def of_names(self, names: Collection[str]) -> dict[str, OpenKey]:
        """The keys of these names; one that is gone is left out. Raises `KeysAway`."""
        if (now := self._now()) - self._confirmed_at > CONFIRMED_SECONDS:
            await self._confirm()
        found = {name: key for name in names if (key := self._by_name.get(name)) is not None and key.until > now}
        if missing := [name for name in names if name not in found]:
            found |= {key.name: key for key in await self._fetch_names(missing)}
        return found

    async def add(self, keys: Collection[WrappedKey]) -> list[OpenKey]:
        """Open keys that have just come, so that nobody need fetch them; those whose bucket is gone are left out."""
        by_bucket = defaultdict(list)
        for key in keys:
            by_bucket[key.bucket].append(key)
        opened: list[OpenKey] = []
        for bucket, wrapped in by_bucket.items():
            try:
                plain = await self._provider.unwrap(bucket, [(key.name, key.wrapped) for key in wrapped])
            except BucketGone:
                continue
            until = self._now() + self._ttl
            for key, secret in zip(wrapped, plain, strict=True):
                opened.append(OpenKey(key.name, key.owner, AESGCM(secret), key.name.encode(), until))
        self._keep(opened)
        return opened

    def drop(self, names: Iterable[str]) -> None:
        """Forget what is open of these keys."""
        for name in names:
            key = self._by_name.pop(name, None)
            if key is not None:
                self._by_owner.pop(key.owner, None)

    async def _fetch_owners(self, tenant: str, learners: Collection[str]) -> list[OpenKey]:
        opened = await self.add(await self._held.by_owner(tenant, learners))
        if missing := set(learners) - {key.owner.learner for key in opened}:
            opened += await self._take(await self._directory.by_owner(tenant, missing))
        return opened

    async def _fetch_names(self, names: Collection[str]) -> list[OpenKey]:
        opened = await self.add(await self._held.by_name(names))
        if missing := set(names) - {key.name for key in opened}:
            opened += await self._take(await self._directory.by_name(missing))
        return opened

    async def _take(self, keys: Collection[WrappedKey]) -> list[OpenKey]:
        await self._held.put(keys)
        return await self.add(keys)

    def _keep(self, keys: Collection[OpenKey]) -> None:
        for key in keys:
            self._by_owner[key.owner] = self._by_name[key.name] = key
        while len(self._by_name) > self._most:  # the oldest goes: it is fetched again where it is needed
            self.drop([next(iter(self._by_name))])

    async def _confirm(self) -> None:
        """That none of the open keys was forgotten; one read serves all who ask at the moment."""
        if self._confirming is None:
            # In a context of its own: it serves many requests, and has none's trace or deadline.
            self._confirming = asyncio.get_running_loop().create_task(
                self._read_forgotten(), context=contextvars.Context()
            )
        await asyncio.shield(self._confirming)

    async def _read_forgotten(self) -> None:
        try:
            begun = self._now()
            if self._seen is None:
                self._seen = await self._held.last_forgotten()
            else:
                news = await self._held.forgotten_since(self._seen)
                self.drop(name for _, name in news)
                self._seen = news[-1][0] if news else self._seen
            self._confirmed_at = begun
        finally:
            self._confirming = None
