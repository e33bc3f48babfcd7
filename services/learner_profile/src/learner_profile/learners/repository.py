"""MongoDB: the learners' profiles. State and titles are sealed; `dirty` and `outbox` are flags for the jobs."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from events.sealing import Owner, Sealed, Sealer
from learner_model import MODEL_VERSION, Folded
from learner_model.folded import pack, unpack
from learner_model.overruling import Overruling
from msgspec.structs import replace
from pydantic import TypeAdapter
from service_kit.clock import Clock
from service_kit.mongo import (
    ASCENDING,
    Collection,
    CollectionSpec,
    Database,
    Document,
    Index,
    ReplaceOne,
    Session,
    UpdateOne,
    aggregate,
)
from service_kit.outbox import OUTBOX_INDEX, flag
from uuid_utils.compat import uuid7

from learner_profile.estimates.said import Signal
from learner_profile.learners.profiles import Collaboration, Profile, Status

LEARNERS: Final = CollectionSpec(
    "learners",
    "derived",
    (
        OUTBOX_INDEX,
        Index((("dirty.shard", ASCENDING), ("dirty.token", ASCENDING)), where={"dirty.token": {"$exists": True}}),
        Index((("tenant", ASCENDING), ("status", ASCENDING), ("_id", ASCENDING))),
        Index((("status", ASCENDING), ("model", ASCENDING))),
        Index((("status", ASCENDING),), where={"status": Status.ERASED.value}),
    ),
)
_MARKED_AT_ONCE: Final = 1000
_MOST_FRESH: Final = 4000  # of 5 kB each
_FRESH_SECONDS: Final = 5.0
_STATUS: Final = {one.value: one for one in Status}
_SAID: Final = TypeAdapter(dict[str, Overruling])
_LENGTH: Final = 4


@dataclass(frozen=True, slots=True)
class Dirty:
    """A learner to be built anew. `statements`: how many were folded last time, as a measure of the work."""

    tenant: str
    learner: str
    statements: int


class LearnerRepository:
    """Profiles of all tenants; every call names its tenant, but those of the jobs that serve all."""

    def __init__(self, db: Database, sealer: Sealer, clock: Clock) -> None:
        self._learners: Collection = db[LEARNERS.name]
        self._sealer = sealer
        self._clock = clock
        self._fresh: dict[str, Profile] = {}  # by outbox token, which stands in one document alone

    async def load(self, tenant: str, learners: Iterable[str], session: Session | None = None) -> dict[str, Profile]:
        """The profiles that there are."""
        ids = [_id(tenant, learner) for learner in learners]
        found = await self._learners.find({"_id": {"$in": ids}}, session=session).to_list(None)
        return {profile.learner: profile for profile in await self.profiles(found)}

    async def status(self, tenant: str, learner: str, session: Session) -> Status | None:
        """Without opening anything; None: there is no profile."""
        found = await self._learners.find_one({"_id": _id(tenant, learner)}, {"status": 1}, session=session)
        return None if found is None else Status(found["status"])

    async def profiles(self, documents: Sequence[Document]) -> list[Profile]:
        """The profiles in the documents, same order. A state that an older model made is there to be read."""
        full = [d for d in documents if d["data"] is not None]
        opened = iter(await self._sealer.open([Sealed(d["data"], d["key"]) for d in full]))
        return [_profile(d, next(opened) if d["data"] is not None else None) for d in documents]

    async def flagged(self, documents: Sequence[Document]) -> list[Profile]:
        """The profiles in documents that wait to be published, same order; those that were saved here a moment ago need
        not be opened again.
        """
        fresh = {d["_id"]: self._fresh.pop(d["outbox"]["token"], None) for d in documents}
        opened = iter(await self.profiles([d for d in documents if fresh[d["_id"]] is None]))
        return [fresh[d["_id"]] or next(opened) for d in documents]

    async def save(self, profiles: Sequence[Profile], session: Session, *, publish: bool = True) -> None:
        """Store the profiles as they are; with `publish`, those that aren't dirty go to Kafka."""
        if not profiles:
            return
        sealed = await self._sealer.seal([(Owner(p.tenant, p.learner), packed(p)) for p in profiles])
        writes: list[ReplaceOne[Document]] = []
        fresh: dict[str, Profile] = {}
        for profile, one in zip(profiles, sealed, strict=True):
            document = self._document(profile, one, publish)
            writes.append(ReplaceOne({"_id": _id(profile.tenant, profile.learner)}, document, upsert=True))
            if "outbox" in document and len(self._fresh) < _MOST_FRESH:
                fresh[document["outbox"]["token"]] = profile
        await self._learners.bulk_write(writes, ordered=False, session=session)
        self._remember(fresh)

    def _remember(self, fresh: dict[str, Profile]) -> None:
        """For as long as it may take to publish them, and no longer: who is forgotten leaves this memory too."""
        if fresh:
            self._fresh |= fresh
            asyncio.get_running_loop().call_later(_FRESH_SECONDS, self._forget, tuple(fresh))

    def _forget(self, tokens: Iterable[str]) -> None:
        for token in tokens:
            self._fresh.pop(token, None)

    async def touch(self, tenant: str, learners: Iterable[str], session: Session) -> None:
        """Make whatever else changes these learners at the same time begin anew: rows of theirs were written."""
        writes = [UpdateOne({"_id": _id(tenant, one)}, {"$set": {"touched": str(uuid7())}}) for one in learners]
        if writes:
            await self._learners.bulk_write(writes, ordered=False, session=session)

    async def mark_dirty(self, tenant: str, learners: Sequence[str], session: Session | None = None) -> None:
        """Have the open ones of these built anew."""
        for start in range(0, len(learners), _MARKED_AT_ONCE):
            writes = [
                UpdateOne({"_id": _id(tenant, one), "status": Status.OPEN}, {"$set": {"dirty": flag(one)}})
                for one in learners[start : start + _MARKED_AT_ONCE]
            ]
            await self._learners.bulk_write(writes, ordered=False, session=session)

    async def dirty(self, shards: Iterable[int], limit: int) -> list[Dirty]:
        """Learners to be built anew, by shard, the longest waiting first."""
        query = {"dirty.token": {"$exists": True}, "dirty.shard": {"$in": sorted(shards)}}
        cursor = self._learners.find(query, {"tenant": 1, "learner": 1, "statements": 1})
        ordered = cursor.sort([("dirty.shard", ASCENDING), ("dirty.token", ASCENDING)]).limit(limit)
        return [Dirty(d["tenant"], d["learner"], d["statements"]) for d in await ordered.to_list(None)]

    async def mark_outdated(self) -> int:
        """Have the next of those built anew that an older model made; how many."""
        query = {"status": Status.OPEN, "model": {"$lt": MODEL_VERSION}, "dirty.token": {"$exists": False}}
        found = await self._learners.find(query, {"learner": 1}).limit(_MARKED_AT_ONCE).to_list(None)
        writes = [UpdateOne({"_id": d["_id"]}, {"$set": {"dirty": flag(d["learner"])}}) for d in found]
        if writes:
            await self._learners.bulk_write(writes, ordered=False)
        return len(writes)

    async def sweep_erased(self) -> None:
        """Remove what stood in the place of erased learners until Kafka had the tombstone."""
        await self._learners.delete_many({"status": Status.ERASED, "outbox": {"$exists": False}})

    async def page(self, tenant: str, after: str, limit: int, session: Session) -> list[str]:
        """The tenant's learners in the order of their ids, those behind `after`."""
        where = {"_id": {"$gt": f"{tenant}/{after}", "$lt": f"{tenant}0"}}  # "0" follows "/"
        found = self._learners.find(where, {"learner": 1}, session=session).sort("_id", ASCENDING).limit(limit)
        return [document["learner"] for document in await found.to_list(None)]

    async def tenants(self) -> list[str]:
        """Those that have learners."""
        found = await aggregate(
            self._learners, [{"$sort": {"tenant": 1, "status": 1, "_id": 1}}, {"$group": {"_id": "$tenant"}}]
        )
        return sorted(one["_id"] for one in found)

    async def open_ones(self, tenant: str, at_once: int) -> AsyncIterator[list[str]]:
        """The learners whose profile is open, by id."""
        after = f"{tenant}/"
        while True:
            query = {"tenant": tenant, "status": Status.OPEN, "_id": {"$gt": after}}
            found = self._learners.find(query, {"learner": 1}).sort("_id", ASCENDING).limit(at_once)
            page = await found.to_list(None)
            if not page:
                return
            yield [one["learner"] for one in page]
            after = page[-1]["_id"]

    async def count(self, tenant: str, status: Status) -> int:
        return int(await self._learners.count_documents({"tenant": tenant, "status": status}))

    async def count_dirty(self, tenant: str) -> int:
        return int(await self._learners.count_documents({"dirty.token": {"$exists": True}, "tenant": tenant}))

    def _document(self, profile: Profile, sealed: Sealed, publish: bool) -> Document:
        document: Document = {
            "tenant": profile.tenant,
            "learner": profile.learner,
            "status": profile.status,
            "version": profile.version,
            "model": profile.folded.model if profile.folded else MODEL_VERSION,
            "statements": profile.statements,
            "reflects": list(profile.reflects) if profile.reflects else None,
            "data": sealed.data if profile.folded else None,
            "key": sealed.key,
            "traceparent": profile.traceparent,
            "updated_at": self._clock(),
        }
        if profile.dirty:
            document["dirty"] = flag(profile.learner)
        elif publish:
            document["outbox"] = flag(profile.learner)
        return document


def _id(tenant: str, learner: str) -> str:
    return f"{tenant}/{learner}"


def packed(profile: Profile) -> bytes:
    """What is sealed: the same profile gives the same bytes. The state's length, the state, and the rest as JSON."""
    if profile.folded is None:
        return b""
    state = pack(profile.folded)
    rest: dict[str, Any] = _titles(profile.titles, profile.folded) if profile.titles else {}
    if profile.said:
        rest["said"] = _SAID.dump_python(dict(profile.said), mode="json")
    if profile.aside:
        rest["aside"] = [list(one) for one in profile.aside]
    if profile.collaboration.acts:
        rest["together"] = list(profile.collaboration)
    return b"".join((len(state).to_bytes(_LENGTH, "big"), state, orjson.dumps(rest, option=orjson.OPT_SORT_KEYS)))


def _profile(document: Document, data: bytes | None) -> Profile:
    reflects = document["reflects"]
    blank = Profile(
        tenant=document["tenant"],
        learner=document["learner"],
        status=_STATUS[document["status"]],
        version=document["version"],
        reflects=tuple(reflects) if reflects else None,
        dirty="dirty" in document,
        traceparent=document["traceparent"],
    )
    return blank if data is None else unpacked(data, blank)


def unpacked(data: bytes, blank: Profile) -> Profile:
    """The profile with what `packed` wrote of one. Raises ValueError on anything else."""
    folded, rest = _opened(data)
    said = rest.get("said")
    return replace(
        blank,
        folded=folded,
        titles=_titled(rest, folded),
        said=_SAID.validate_python(said) if said else {},
        aside=tuple((Signal(signal), about) for signal, about in rest.get("aside", ())),
        collaboration=Collaboration(*rest.get("together", ())),
    )


def _titles(titles: Mapping[str, str], folded: Folded) -> dict[str, Any]:
    """Titles by the places of what they name; those of what has no place by name."""
    places = {name: place for place, name in enumerate(folded.names)}
    placed = sorted((places[name], title) for name, title in titles.items() if name in places)
    return {"titled": placed, "titles": {name: title for name, title in titles.items() if name not in places}}


def _titled(rest: Mapping[str, Any], folded: Folded) -> dict[str, str]:
    found: dict[str, str] = rest.get("titles", {})
    if placed := rest.get("titled"):
        names = folded.names
        found |= {names[place]: title for place, title in placed}
    return found


def _opened(data: bytes) -> tuple[Folded, dict[str, Any]]:
    if data[:1] == b"{":  # until the models of version 2
        body = orjson.loads(data)
        return unpack(orjson.dumps(body["state"])), body
    end = _LENGTH + int.from_bytes(data[:_LENGTH], "big")
    return unpack(data[_LENGTH:end]), orjson.loads(data[end:])
