"""AES-256-GCM under each learner's own key, of bytes that are made small first (`compression`).

Sealed bytes are a random 96-bit nonce, the ciphertext and its 128-bit tag (NIST SP 800-38D, 8.2.2: at most 2³² under
one key); the key's name is authenticated with them.
"""

import os
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from events.errors import EventsError
from events.sealing import KeyGone, Owner, Sealed

from service_kit.keys.compression import compressed, decompressed, is_long_frame
from service_kit.keys.ring import KeyRing, OpenKey

NONCE_BYTES: Final = 12
_AS_IT_IS: Final = b"/as-it-is"
"""Authenticated with what looks like a frame of `compression` and is none."""


class Tampered(EventsError):
    """Sealed bytes were changed, or are not under the key that is named."""


class KeySealer:
    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    async def seal(self, items: Sequence[tuple[Owner, bytes]]) -> list[Sealed]:
        keys = await self._ring.of_owners({owner for owner, _ in items})
        try:
            return [_seal(keys[owner], data) for owner, data in items]
        except KeyError:
            raise KeyGone("an owner has no key") from None

    async def open(self, items: Sequence[Sealed]) -> list[bytes]:
        opened = [data for data in await self.open_each(items) if data is not None]
        if len(opened) < len(items):
            raise KeyGone("a key is destroyed")
        return opened

    async def open_each(self, items: Sequence[Sealed]) -> list[bytes | None]:
        names = {item.key for item in items if item.key is not None}
        keys = await self._ring.of_names(names) if names else {}
        return [item.data if item.key is None else _open(keys.get(item.key), item.data) for item in items]


def _seal(key: OpenKey, data: bytes) -> Sealed:
    nonce = os.urandom(NONCE_BYTES)
    if is_long_frame(data):
        return Sealed(nonce + key.cipher.encrypt(nonce, data, key.bound + _AS_IT_IS), key.name)
    return Sealed(nonce + key.cipher.encrypt(nonce, compressed(data), key.bound), key.name)


def _open(key: OpenKey | None, data: bytes) -> bytes | None:
    if key is None:
        return None
    nonce, text = data[:NONCE_BYTES], data[NONCE_BYTES:]
    try:
        return decompressed(key.cipher.decrypt(nonce, text, key.bound))
    except (InvalidTag, ValueError):
        pass
    try:
        return key.cipher.decrypt(nonce, text, key.bound + _AS_IT_IS)
    except (InvalidTag, ValueError):
        raise Tampered("sealed bytes do not open under the key they name") from None
