"""Statements without an id that come again: the same id for the same statement from the same credential, for a day.

The id is made of a keyed hash of credential and statement, and of the day: the durable write itself is unique by it, so
that a repetition needs no bookkeeping of its own. One that comes after midnight finds yesterday's.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from service_kit.clock import Clock
from service_kit.mongo import Collection, Database
from xapi import Parsed, dumps

from ingest.credentials.credential import Credential
from ingest.identities.resolving import Resolver
from ingest.statements.indexing import key_of
from ingest.statements.repository import STATEMENTS
from ingest.statements.stamps import to_micros

DAY_SECONDS: Final = 24 * 3600
_SET_BY_LRS: Final = frozenset({"stored", "authority", "version"})


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Where in the batch, and the hash of credential and content."""

    position: int
    digest: str


class Repeats:
    def __init__(self, db: Database, identities: Resolver, clock: Clock) -> None:
        self._statements: Collection = db[STATEMENTS.name]
        self._identities = identities
        self._clock = clock

    async def named(self, credential: Credential, batch: Sequence[Parsed]) -> list[Parsed]:
        """The batch with an id in every statement: a new one, or that of the same statement within the last 24 hours.

        Statements that stand twice in one request are two acts: the first, the second, … of the same content.
        """
        candidates = await self._candidates(credential, batch)
        if not candidates:
            return list(batch)
        now = self._clock()
        earlier = await self._of_yesterday(credential.tenant, candidates, now)
        result = list(batch)
        for one in candidates:
            statement_id = earlier.get(one.digest) or statement_id_of(one.digest, _day(now))
            parsed = batch[one.position]
            result[one.position] = replace(parsed, raw={**parsed.raw, "id": statement_id})
        return result

    async def _candidates(self, credential: Credential, batch: Sequence[Parsed]) -> list[_Candidate]:
        counted: Counter[str] = Counter()
        texts: dict[int, str] = {}
        for position, parsed in enumerate(batch):
            if parsed.id is None:
                text = canonical(parsed.raw)
                counted[text] += 1
                texts[position] = f"statement|{credential.key}|{counted[text]}|{text}"
        digests = await self._identities.digests(credential.tenant, texts.values()) if texts else {}
        return [_Candidate(position, digests[text]) for position, text in texts.items()]

    async def _of_yesterday(self, tenant: str, candidates: Sequence[_Candidate], now: datetime) -> dict[str, str]:
        """The ids of those that were stored yesterday and less than 24 hours ago, by hash."""
        ids = {one.digest: statement_id_of(one.digest, _day(now) - 1) for one in candidates}
        wanted = {"_id": {"$in": [key_of(tenant, one) for one in ids.values()]}, "tenant": tenant}
        found = await self._statements.find(wanted, {"stored": 1}).to_list(None)
        stored = {document["_id"]: document["stored"] for document in found}
        since = to_micros(now) - DAY_SECONDS * 1_000_000
        return {digest: one for digest, one in ids.items() if stored.get(key_of(tenant, one), 0) > since}


def canonical(raw: Any) -> str:
    """The JSON value with its properties in order, without what the LRS sets. Numbers stay as they were written."""
    own = {name: value for name, value in raw.items() if name not in _SET_BY_LRS} if isinstance(raw, dict) else raw
    return dumps(_ordered(own)).decode(errors="replace")


def statement_id_of(digest: str, day: int) -> str:
    """A UUID of version 8 (RFC 9562 5.8): the day since 1970 in 16 bits, then bits of the hash."""
    data = bytearray(day.to_bytes(2) + bytes.fromhex(digest)[:14])
    data[6] = data[6] & 0x0F | 0x80
    data[8] = data[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(data)))


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _ordered(value[name]) for name in sorted(value)}
    return [_ordered(one) for one in value] if isinstance(value, list) else value


def _day(moment: datetime) -> int:
    return int(moment.timestamp()) // DAY_SECONDS
