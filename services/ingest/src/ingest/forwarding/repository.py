"""The collections `forwardings` and `forwarding_dead_letters`.

- `forwardings`: `{_id, tenant, shard, name, endpoint, key, secret, version, filters, purpose, created_at, place,
  forwarded, withheld, waits_for}`; `place` is `{stored, id}` of the last statement looked at. The secret is `{bytes,
  key}`, sealed under the tenant's own key (a string in the clear where it is older); no view holds it.
- `forwarding_dead_letters`: `{_id: "forwarding/statement key", tenant, forwarding, statement, reason, tries, at,
  replay}`. They go with their statement when a learner is forgotten.
"""

import zlib
from collections.abc import Collection as AnyCollection
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from events.sealing import Owner, Sealed, Sealer
from pydantic import SecretStr
from service_kit.mongo import (
    ASCENDING,
    Client,
    Collection,
    CollectionSpec,
    Database,
    Document,
    Index,
    Session,
    UpdateOne,
    in_transaction,
)

from ingest.forwarding.schemas import Filters
from ingest.statements.repository import Place

SHARDS: Final = 12
FORWARDINGS: Final = CollectionSpec(
    "forwardings",
    "source",
    (Index((("tenant", ASCENDING), ("_id", ASCENDING))), Index((("shard", ASCENDING), ("_id", ASCENDING)))),
)
DEAD_LETTERS: Final = CollectionSpec(
    "forwarding_dead_letters",
    "source",
    (
        Index((("forwarding", ASCENDING), ("_id", ASCENDING))),
        Index((("forwarding", ASCENDING), ("replay", ASCENDING), ("_id", ASCENDING)), where={"replay": True}),
        Index((("statement", ASCENDING),)),
    ),
)


@dataclass(frozen=True, slots=True)
class Forwarding:
    id: str
    tenant: str
    name: str
    endpoint: str
    key: str
    secret: SecretStr
    version: str
    filters: Filters
    purpose: str
    created_at: datetime
    place: Place
    forwarded: int = 0
    withheld: int = 0
    waits_for: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`statement`: the statement's key in its collection. `reason` names no one."""

    statement: str
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """What came of some statements: where to go on, and the counts to add."""

    place: Place
    forwarded: int = 0
    withheld: int = 0
    dead: Sequence[DeadLetter] = ()


class Overtaken(Exception):
    """Another replica has moved the forwarding on, or it was deleted."""


class ForwardingRepository:
    def __init__(self, client: Client, db: Database, sealer: Sealer) -> None:
        self._client = client
        self._sealer = sealer
        self._forwardings: Collection = db[FORWARDINGS.name]
        self._letters: Collection = db[DEAD_LETTERS.name]

    # By operators

    async def add(self, forwarding: Forwarding) -> None:
        secret = forwarding.secret.get_secret_value().encode()
        (sealed,) = await self._sealer.seal([(Owner(forwarding.tenant, ""), secret)])
        await self._forwardings.insert_one(_document(forwarding, {"bytes": sealed.data, "key": sealed.key}))

    async def one(self, tenant: str, forwarding: str) -> Forwarding | None:
        found = await self._forwardings.find_one({"_id": forwarding, "tenant": tenant})
        return None if found is None else (await self._opened([found]))[0]

    async def page(self, tenant: str, after: str | None, limit: int) -> list[Forwarding]:
        """In the order of their making."""
        where: Document = {"tenant": tenant} | ({} if after is None else {"_id": {"$gt": after}})
        found = await self._forwardings.find(where).sort("_id", ASCENDING).limit(limit).to_list(None)
        return await self._opened(found)

    async def remove(self, tenant: str, forwarding: str) -> bool:
        """With its dead letters."""
        result = await self._forwardings.delete_one({"_id": forwarding, "tenant": tenant})
        if result.deleted_count:
            await self._letters.delete_many({"forwarding": forwarding})
        return result.deleted_count == 1

    async def dead_letters(self, forwarding: str, after: str | None, limit: int) -> list[Document]:
        where: Document = {"forwarding": forwarding} | ({} if after is None else {"_id": {"$gt": after}})
        return await self._letters.find(where).sort("_id", ASCENDING).limit(limit).to_list(None)

    async def count_dead(self, forwarding: str) -> int:
        return await self._letters.count_documents({"forwarding": forwarding})

    async def replay(self, forwarding: str, statements: AnyCollection[str]) -> int:
        """Mark dead letters to be sent again, all where none is named; how many."""
        where: Document = {"forwarding": forwarding}
        if statements:
            where["_id"] = {"$in": [_letter_id(forwarding, key) for key in statements]}
        return (await self._letters.update_many(where, {"$set": {"replay": True}})).matched_count

    # By the worker

    async def of_shards(self, shards: AnyCollection[int]) -> list[Forwarding]:
        found = await self._forwardings.find({"shard": {"$in": sorted(shards)}}).sort("_id", ASCENDING).to_list(None)
        return await self._opened(found)

    async def _opened(self, documents: Sequence[Document]) -> list[Forwarding]:
        secrets = await self._sealer.open([_sealed(document["secret"]) for document in documents])
        return [_forwarding(document, data.decode()) for document, data in zip(documents, secrets, strict=True)]

    async def step(self, forwarding: Forwarding, step: Step, at: datetime) -> None:
        """Move on, from the place that was read alone. Raises `Overtaken`."""
        where = {"_id": forwarding.id, "place": _place(forwarding.place)}
        update = {
            "$set": {"place": _place(step.place), "waits_for": None},
            "$inc": {"forwarded": step.forwarded, "withheld": step.withheld},
        }

        async def write(session: Session) -> None:
            if (await self._forwardings.update_one(where, update, session=session)).matched_count == 0:
                raise Overtaken
            await self._bury(forwarding, step.dead, at, session)

        if step.dead:
            await in_transaction(self._client, write)
        elif (await self._forwardings.update_one(where, update)).matched_count == 0:
            raise Overtaken

    async def waits(self, forwarding: Forwarding, reason: str) -> None:
        await self._forwardings.update_one({"_id": forwarding.id}, {"$set": {"waits_for": reason}})

    async def to_replay(self, forwarding: Forwarding, limit: int) -> list[str]:
        """Keys of statements whose dead letters are to be sent again."""
        where = {"forwarding": forwarding.id, "replay": True}
        found = await self._letters.find(where).sort("_id", ASCENDING).limit(limit).to_list(None)
        return [document["statement"] for document in found]

    async def replayed(
        self, forwarding: Forwarding, gone: Sequence[str], forwarded: int, dead: Sequence[DeadLetter], at: datetime
    ) -> None:
        """Those that went through, or are no more, leave; the others wait for the next replay."""
        if gone:
            await self._letters.delete_many({"_id": {"$in": [_letter_id(forwarding.id, key) for key in gone]}})
        if forwarded:
            await self._forwardings.update_one({"_id": forwarding.id}, {"$inc": {"forwarded": forwarded}})
        await self._bury(forwarding, dead, at, None)

    async def _bury(
        self, forwarding: Forwarding, dead: Sequence[DeadLetter], at: datetime, session: Session | None
    ) -> None:
        changes: list[Any] = [
            UpdateOne(
                {"_id": _letter_id(forwarding.id, letter.statement)},
                {
                    "$set": {
                        "tenant": forwarding.tenant,
                        "forwarding": forwarding.id,
                        "statement": letter.statement,
                        "reason": letter.reason,
                        "at": at,
                        "replay": False,
                    },
                    "$inc": {"tries": 1},
                },
                upsert=True,
            )
            for letter in dead
        ]
        if changes:
            await self._letters.bulk_write(changes, ordered=False, session=session)

    async def behind(self, tenant: str, session: Session) -> int | None:
        """Up to when every forwarding of the tenant has looked at what was stored; None: there is none."""
        found = await self._forwardings.find({"tenant": tenant}, {"place": 1}, session=session).to_list(None)
        return min((document["place"]["stored"] for document in found), default=None)

    # Forgetting

    async def forget(self, removed: Sequence[str], rewritten: Sequence[str], session: Session) -> int:
        """Delete the dead letters of removed statements; how many there were. Rewritten ones are sent again."""
        result = await self._letters.delete_many({"statement": {"$in": list(removed)}}, session=session)
        again = {"$set": {"replay": True, "reason": "rewritten since"}}
        await self._letters.update_many({"statement": {"$in": list(rewritten)}}, again, session=session)
        return result.deleted_count


def _letter_id(forwarding: str, statement: str) -> str:
    return f"{forwarding}/{statement}"


def _place(place: Place) -> Document:
    return {"stored": place.stored, "id": place.statement_id}


def _sealed(secret: Document | str) -> Sealed:
    return Sealed(secret.encode()) if isinstance(secret, str) else Sealed(secret["bytes"], secret["key"])


def _document(one: Forwarding, secret: Document) -> Document:
    return {
        "_id": one.id,
        "tenant": one.tenant,
        "shard": zlib.crc32(one.id.encode()) % SHARDS,
        "name": one.name,
        "endpoint": one.endpoint,
        "key": one.key,
        "secret": secret,
        "version": one.version,
        "filters": one.filters.model_dump(mode="json"),
        "purpose": one.purpose,
        "created_at": one.created_at,
        "place": _place(one.place),
        "forwarded": one.forwarded,
        "withheld": one.withheld,
        "waits_for": one.waits_for,
    }


def _forwarding(document: Document, secret: str) -> Forwarding:
    return Forwarding(
        id=document["_id"],
        tenant=document["tenant"],
        name=document["name"],
        endpoint=document["endpoint"],
        key=document["key"],
        secret=SecretStr(secret),
        version=document["version"],
        filters=Filters.model_validate(document["filters"]),
        purpose=document["purpose"],
        created_at=document["created_at"],
        place=Place(document["place"]["stored"], document["place"]["id"]),
        forwarded=document["forwarded"],
        withheld=document["withheld"],
        waits_for=document["waits_for"],
    )
