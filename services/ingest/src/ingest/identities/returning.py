"""Who was erased and is not to come back, where the tenant's policy says `refuse`.

- `refused_returns`: `{_id: "tenant/<HMAC-SHA-256 of the canonical identifier>", expires_at}`
- `returning_keys`: the tenant's key for these alone, drawn when the first is kept.

This is the one thing that is kept of someone erased, until it expires; the certificate of the erasure names it.
"""

import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from service_kit.consent import NOBODY
from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, Index, MongoAway, Session

REFUSED_RETURNS: Final = CollectionSpec(
    "refused_returns", "source", (Index((("expires_at", ASCENDING),), expire_after_seconds=0),)
)
RETURNING_KEYS: Final = CollectionSpec("returning_keys", "source")
REFUSED: Final = NOBODY


class RefusedReturns:
    def __init__(self, db: Database) -> None:
        self._refused: Collection = db[REFUSED_RETURNS.name]
        self._keys: Collection = db[RETURNING_KEYS.name]
        self._known: dict[str, bytes] = {}

    async def refuse(self, tenant: str, ifis: Iterable[str], until: datetime, session: Session) -> None:
        """From now on these identifiers make no learner, until then."""
        made = {"$setOnInsert": {"bytes": secrets.token_bytes(32)}}
        await self._keys.update_one({"_id": tenant}, made, upsert=True, session=session)
        held = await self._keys.find_one({"_id": tenant}, session=session)
        if held is None:
            raise MongoAway("a key that was just written is not there")
        for ifi in ifis:
            key = _digest(tenant, bytes(held["bytes"]), ifi)
            await self._refused.replace_one({"_id": key}, {"expires_at": until}, upsert=True, session=session)

    async def among(self, tenant: str, ifis: Iterable[str], now: datetime) -> set[str]:
        """Those of the identifiers that are refused."""
        key = await self._key(tenant)
        if key is None:
            return set()
        digests = {_digest(tenant, key, ifi): ifi for ifi in ifis}
        where: Document = {"_id": {"$in": list(digests)}, "expires_at": {"$gt": now}}
        return {digests[found["_id"]] async for found in self._refused.find(where, {"_id": 1})}

    async def _key(self, tenant: str) -> bytes | None:
        """A tenant that has none is looked at again each time: it is asked for new identifiers alone."""
        if tenant not in self._known:
            found = await self._keys.find_one({"_id": tenant})
            if found is None:
                return None
            self._known[tenant] = bytes(found["bytes"])
        return self._known[tenant]


def _digest(tenant: str, key: bytes, ifi: str) -> str:
    return f"{tenant}/{hmac.digest(key, ifi.encode(), 'sha256').hex()}"
