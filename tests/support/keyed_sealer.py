"""A sealer with a key for each learner, held in memory: what was sealed by a key that is destroyed cannot be opened."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from events.sealing import KeyGone, Owner, Sealed


@dataclass
class KeyedSealer:
    """`calls` counts how often it was asked to seal or open."""

    keys: dict[str, AESGCM] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    calls: int = 0

    async def seal(self, items: Sequence[tuple[Owner, bytes]]) -> list[Sealed]:
        self.calls += 1
        return [self._sealed(owner, data) for owner, data in items]

    async def open(self, items: Sequence[Sealed]) -> list[bytes]:
        opened = await self.open_each(items)
        found = [one for one in opened if one is not None]
        if len(found) < len(opened):
            raise KeyGone
        return found

    async def open_each(self, items: Sequence[Sealed]) -> list[bytes | None]:
        self.calls += 1
        return [self._opened(item) for item in items]

    def destroy(self, tenant: str, learner: str) -> None:
        name = _name(Owner(tenant, learner))
        self.keys.pop(name, None)
        self.gone.add(name)

    def _sealed(self, owner: Owner, data: bytes) -> Sealed:
        name = _name(owner)
        if name in self.gone:
            raise KeyGone(name)
        key = self.keys.setdefault(name, AESGCM(AESGCM.generate_key(256)))
        nonce = secrets.token_bytes(12)
        return Sealed(nonce + key.encrypt(nonce, data, name.encode()), name)

    def _opened(self, item: Sealed) -> bytes | None:
        if item.key is None:  # from before there were keys
            return item.data
        key = self.keys.get(item.key)
        return None if key is None else key.decrypt(item.data[:12], item.data[12:], item.key.encode())


def _name(owner: Owner) -> str:
    return f"key-of/{owner.tenant}/{owner.learner}"
