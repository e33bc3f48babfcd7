"""What the privacy service signs with: Ed25519 (RFC 8032), one key for checkpoints of the audit and for certificates.

The key is the setting `TRELLIS_SIGNING_KEY`; where that is empty, one is made at the first use and kept in the
database, where it proves only what nobody with the right to write there has wanted to change.
"""

import base64
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr
from service_kit.mongo import CollectionSpec, Database

KEYS: Final = CollectionSpec("signing_keys", "source")
_ID: Final = "signing"
SEED_BYTES: Final = 32


class Signer:
    """Signs bytes. `public_key` is base64 of its 32 raw bytes."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key: Final = base64.b64encode(key.public_key().public_bytes_raw()).decode()

    def sign(self, data: bytes) -> str:
        """Base64 of the signature."""
        return base64.b64encode(self._key.sign(data)).decode()


class Signing:
    """The signer, found at its first use: by the setting, else in the database. Raises `ValueError` for no such key."""

    def __init__(self, setting: SecretStr, db: Database) -> None:
        self._setting = setting.get_secret_value()
        self._db = db
        self._signer: Signer | None = None

    async def signer(self) -> Signer:
        if self._signer is None:
            seed = base64.b64decode(self._setting, validate=True) if self._setting else await _kept(self._db)
            self._signer = Signer(Ed25519PrivateKey.from_private_bytes(seed))
        return self._signer


async def _kept(db: Database) -> bytes:
    """The seed kept there; whoever comes first makes it."""
    made = Ed25519PrivateKey.generate().private_bytes_raw()
    await db[KEYS.name].update_one({"_id": _ID}, {"$setOnInsert": {"seed": made}}, upsert=True)
    found = await db[KEYS.name].find_one({"_id": _ID})
    return bytes(found["seed"]) if found else made
