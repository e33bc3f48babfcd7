"""The collections `identities`, `learners` and `tenant_keys`.

- `identities`: `{_id: "tenant/<HMAC-SHA-256 of the canonical identifier>", tenant, bytes, key, subject, names?: {bytes,
  key}}`; the sealed bytes hold agent_id, learner_id and the identifier itself, those of `names` the names seen with it,
  oldest first. `subject` says that statements are about this learner (it was an actor, or was announced by POST
  /identities), not only by or beside it.
- `learners`: `{_id: "tenant/learner_id", bytes, key}`; the sealed bytes hold the learner's agent_ids and the digests of
  the identifiers: the way back that an erasure needs, and that ends when the learner's key is destroyed.
- `tenant_keys`: `{_id: tenant, bytes, key}`: the HMAC key, sealed under the tenant's own data key.
"""

import asyncio
import hmac
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from events.sealing import Owner, Sealed, Sealer
from service_kit.candidates import between, learners_in
from service_kit.mongo import (
    ASCENDING,
    BulkWriteError,
    Collection,
    CollectionSpec,
    Database,
    Document,
    DuplicateKeyError,
    Index,
    MongoAway,
    Session,
    UpdateOne,
)

IDENTITIES: Final = CollectionSpec("identities", "source", (Index((("tenant", ASCENDING), ("subject", ASCENDING))),))
LEARNERS: Final = CollectionSpec("learners", "source")
TENANT_KEYS: Final = CollectionSpec("tenant_keys", "source")
MOST_NAMES: Final = 5
_DUPLICATE_KEY: Final = 11000
_APPEARS_WITHIN_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who stands behind an identifier."""

    agent: str
    learner: str
    subject: bool


@dataclass(frozen=True, slots=True)
class Belongings:
    """What is a learner's: agent_ids and the digests of identifiers."""

    agents: list[str]
    digests: list[str]


@dataclass(frozen=True, slots=True)
class Persona:
    """What is known of one agent: its canonical identifier, and the names seen with it, oldest first."""

    ifi: str
    names: list[str]


class IdentityRepository:
    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._identities: Collection = db[IDENTITIES.name]
        self._learners: Collection = db[LEARNERS.name]
        self._tenant_keys: Collection = db[TENANT_KEYS.name]
        self._sealer = sealer
        self._keys: dict[str, hmac.HMAC] = {}

    async def digests(self, tenant: str, ifis: Iterable[str]) -> dict[str, str]:
        """The keyed digest of each canonical identifier."""
        keyed = self._keys.get(tenant) or await self._key(tenant)
        return {ifi: _digest(keyed, ifi) for ifi in ifis}

    async def find(self, tenant: str, digests: Iterable[str]) -> dict[str, Identity]:
        """The known ones among these digests."""
        ids = [f"{tenant}/{digest}" for digest in digests]
        found = await self._identities.find({"_id": {"$in": ids}}).to_list(None) if ids else []
        opened = await self._sealer.open([Sealed(d["bytes"], d["key"]) for d in found])
        return {
            document["_id"].partition("/")[2]: Identity(body["agent"], body["learner"], document["subject"])
            for document, data in zip(found, opened, strict=True)
            for body in [orjson.loads(data)]
        }

    async def add(self, tenant: str, identities: Mapping[str, Identity], ifis: Mapping[str, str]) -> set[str]:
        """Insert by digest; those that are there already, made by someone else. Call outside a transaction.

        `ifis` are the canonical identifiers by digest.

        The way back is written first: an identity without it could not be erased, while one too many is harmless.
        """
        await self._learners.insert_many(await self._ways_back(tenant, identities), ordered=False)
        documents = await self._documents(tenant, identities, ifis)
        try:
            await self._identities.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            taken = _duplicates(error, documents)
            orphans = [f"{tenant}/{identities[digest].learner}" for digest in taken]
            await self._learners.delete_many({"_id": {"$in": orphans}})
            return taken
        return set()

    async def appear(self, tenant: str, digests: Iterable[str]) -> dict[str, Identity]:
        """Those that someone else has just inserted: they appear as soon as they are durable."""
        wanted, until = set(digests), time.monotonic() + _APPEARS_WITHIN_SECONDS
        while len(found := await self.find(tenant, wanted)) < len(wanted):
            if time.monotonic() > until:
                raise MongoAway("an identity that was there is not")
            await asyncio.sleep(0.005)
        return found

    async def mark_subjects(self, tenant: str, digests: Iterable[str]) -> None:
        """From now on statements are about them."""
        ids = [f"{tenant}/{digest}" for digest in digests]
        await self._identities.update_many({"_id": {"$in": ids}}, {"$set": {"subject": True}})

    async def count_subjects(self, tenant: str) -> int:
        return await self._identities.count_documents({"tenant": tenant, "subject": True})

    async def personas(self, tenant: str, learner: str) -> list[Persona]:
        """What is known of each of a learner's agents."""
        belongings = await self.belongings(tenant, learner)
        ids = [f"{tenant}/{digest}" for digest in belongings.digests] if belongings else []
        found = await self._identities.find({"_id": {"$in": ids}}).sort("_id", ASCENDING).to_list(None) if ids else []
        bodies = await self._sealer.open([Sealed(d["bytes"], d["key"]) for d in found])
        named = [d for d in found if "names" in d]
        opened = await self._sealer.open([Sealed(d["names"]["bytes"], d["names"]["key"]) for d in named])
        names = {d["_id"]: orjson.loads(data) for d, data in zip(named, opened, strict=True)}
        return [
            Persona(ifi, names.get(document["_id"], []))
            for document, data in zip(found, bodies, strict=True)
            if (ifi := orjson.loads(data).get("ifi")) is not None
        ]

    async def add_names(self, tenant: str, named: Mapping[str, Sequence[str]]) -> bool:
        """Keep the names by digest, the newest `MOST_NAMES`; False where others changed one meanwhile: call again."""
        ids = [f"{tenant}/{digest}" for digest in named]
        found = await self._identities.find({"_id": {"$in": ids}}).to_list(None)
        held = [d for d in found if "names" in d]
        bodies = await self._sealer.open([Sealed(d["bytes"], d["key"]) for d in found])
        opened = await self._sealer.open([Sealed(d["names"]["bytes"], d["names"]["key"]) for d in held])
        before = {d["_id"]: orjson.loads(data) for d, data in zip(held, opened, strict=True)}
        changed, items = [], []
        for document, data in zip(found, bodies, strict=True):
            old = before.get(document["_id"], [])
            new = [name for name in named[document["_id"].partition("/")[2]] if name not in old]
            if new:
                changed.append(document)
                owner = Owner(tenant, orjson.loads(data)["learner"])
                items.append((owner, orjson.dumps([*old, *new][-MOST_NAMES:])))
        if not changed:
            return True
        # The whole of what was read stands in the filter: an identity that was forgotten meanwhile, and is someone
        # else's by now, takes no names.
        updates: list[Any] = [
            UpdateOne(
                {"_id": d["_id"], "bytes": d["bytes"], "names": d.get("names", {"$exists": False})},
                {"$set": {"names": {"bytes": sealed.data, "key": sealed.key}}},
            )
            for d, sealed in zip(changed, await self._sealer.seal(items), strict=True)
        ]
        return (await self._identities.bulk_write(updates, ordered=False)).matched_count == len(updates)

    async def belongings(self, tenant: str, learner: str, session: Session | None = None) -> Belongings | None:
        found = await self._learners.find_one({"_id": f"{tenant}/{learner}"}, session=session)
        if found is None:
            return None
        (opened,) = await self._sealer.open([Sealed(found["bytes"], found["key"])])
        return Belongings(**orjson.loads(opened))

    async def remove(self, tenant: str, learner: str, belongings: Belongings, session: Session) -> int:
        """Delete the learner's identities and the way back; how many identities there were."""
        ids = [f"{tenant}/{digest}" for digest in belongings.digests]
        result = await self._identities.delete_many({"_id": {"$in": ids}}, session=session)
        await self._learners.delete_one({"_id": f"{tenant}/{learner}"}, session=session)
        return result.deleted_count

    async def learners(self, tenant: str, after: str, limit: int, behind: str | None = None) -> list[str]:
        """The tenant's learners in the order of their ids, those behind `after` and before `behind`."""
        return await learners_in(self._learners, tenant, after, behind, limit)

    async def all_belongings(
        self, tenant: str, after: str, behind: str | None, limit: int
    ) -> dict[str, Belongings | None]:
        """What is theirs, by learner, of those that `learners` gives; None of whose key is gone."""
        found = await between(self._learners, tenant, after, behind, limit, fields={"bytes": 1, "key": 1})
        opened = await self._sealer.open_each([Sealed(d["bytes"], d["key"]) for d in found])
        return {
            d["_id"].removeprefix(f"{tenant}/"): None if data is None else Belongings(**orjson.loads(data))
            for d, data in zip(found, opened, strict=True)
        }

    async def destroy_key(self, tenant: str) -> None:
        """The key of the tenant's digests; whoever comes later gets another."""
        await self._tenant_keys.delete_one({"_id": tenant})
        self._keys.pop(tenant, None)

    async def _documents(
        self, tenant: str, identities: Mapping[str, Identity], ifis: Mapping[str, str]
    ) -> list[Document]:
        bodies = [{"agent": i.agent, "learner": i.learner, "ifi": ifis[digest]} for digest, i in identities.items()]
        sealed = await self._seal(tenant, identities, bodies)
        return [
            {
                "_id": f"{tenant}/{digest}",
                "tenant": tenant,
                "bytes": one.data,
                "key": one.key,
                "subject": identity.subject,
            }
            for (digest, identity), one in zip(identities.items(), sealed, strict=True)
        ]

    async def _ways_back(self, tenant: str, identities: Mapping[str, Identity]) -> list[Document]:
        bodies = [{"agents": [i.agent], "digests": [digest]} for digest, i in identities.items()]
        sealed = await self._seal(tenant, identities, bodies)
        return [
            {"_id": f"{tenant}/{identity.learner}", "bytes": one.data, "key": one.key}
            for identity, one in zip(identities.values(), sealed, strict=True)
        ]

    async def _seal(
        self, tenant: str, identities: Mapping[str, Identity], bodies: Sequence[dict[str, Any]]
    ) -> list[Sealed]:
        owners = [Owner(tenant, identity.learner) for identity in identities.values()]
        return await self._sealer.seal([(o, orjson.dumps(b)) for o, b in zip(owners, bodies, strict=True)])

    async def _key(self, tenant: str) -> hmac.HMAC:
        until = time.monotonic() + _APPEARS_WITHIN_SECONDS
        while (found := await self._tenant_keys.find_one({"_id": tenant})) is None:
            if time.monotonic() > until:
                raise MongoAway("a tenant's key that was there is not")
            (sealed,) = await self._sealer.seal([(Owner(tenant, ""), secrets.token_bytes(32))])
            try:
                await self._tenant_keys.insert_one({"_id": tenant, "bytes": sealed.data, "key": sealed.key})
            except DuplicateKeyError:
                await asyncio.sleep(0.005)  # another replica's: it appears as soon as it is durable
        (secret,) = await self._sealer.open([Sealed(found["bytes"], found.get("key"))])
        keyed = self._keys[tenant] = hmac.new(secret, digestmod="sha256")
        return keyed


def _digest(keyed: hmac.HMAC, ifi: str) -> str:
    """`hmac.digest` would let go of the interpreter lock for a microsecond's work, and wait to get it back."""
    one = keyed.copy()
    one.update(ifi.encode())
    return one.hexdigest()


def _duplicates(error: BulkWriteError, documents: Sequence[Document]) -> set[str]:
    failed = (error.details or {}).get("writeErrors", [])
    if not failed or any(one["code"] != _DUPLICATE_KEY for one in failed):
        raise error
    return {documents[one["index"]]["_id"].partition("/")[2] for one in failed}
