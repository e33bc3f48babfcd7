"""Rosters in MongoDB. A roster is a set of members under a version; the tenant's pointer names the one that counts.

`rosters` holds the pointer. An erasure raises its `revision`, so that it and an import never pass each other unseen.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from events.sealing import Owner, Sealed, Sealer
from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, Index, Session

from insights.rosters.places import Place

ROSTERS: Final = CollectionSpec(
    "rosters", "source", (Index((("roles_due", ASCENDING),), where={"roles_due": {"$exists": True}}),)
)
MEMBERS: Final = CollectionSpec(
    "members",
    "source",
    (
        Index((("tenant", ASCENDING), ("version", ASCENDING), ("role", ASCENDING))),
        Index((("tenant", ASCENDING), ("learner", ASCENDING))),
    ),
)
_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Member:
    """Someone in the roster. The name and the attributes are personal data and lie sealed."""

    learner: str
    role: str
    places: tuple[Place, ...]
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Named:
    """A member with the display name."""

    member: Member
    name: str


class RosterRepository:
    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._rosters: Collection = db[ROSTERS.name]
        self._members: Collection = db[MEMBERS.name]
        self._sealer = sealer

    async def version(self, tenant: str, session: Session | None = None) -> str | None:
        """The version that counts; None before the first import."""
        found = await self._rosters.find_one({"_id": tenant}, session=session)
        return found.get("version") if found else None

    async def learners(self, tenant: str) -> list[Member]:
        """All learners of the roster that counts, without their names."""
        version = await self.version(tenant)
        wanted = {"tenant": tenant, "version": version, "role": "learner"}
        keep = {"learner": 1, "role": 1, "places": 1, "attributes": 1}
        return await self._opened(await self._members.find(wanted, keep).to_list(None))

    async def count_learners(self, tenant: str) -> int:
        version = await self.version(tenant)
        return await self._members.count_documents({"tenant": tenant, "version": version, "role": "learner"})

    async def entries(self, tenant: str, role: str, learners: Iterable[str]) -> list[Member]:
        """The entries of these learners in a role."""
        version = await self.version(tenant)
        ids = [_id(tenant, version, role, learner) for learner in learners]
        return await self._opened(await self._members.find({"_id": {"$in": ids}}).to_list(None))

    async def names(self, tenant: str, learners: Iterable[str]) -> dict[str, str]:
        """Display names of learners, opened; "" where none was given."""
        version = await self.version(tenant)
        ids = [_id(tenant, version, "learner", learner) for learner in learners]
        found = await self._members.find({"_id": {"$in": ids}}, {"learner": 1, "name": 1}).to_list(None)
        opened = await self._sealer.open([_sealed(d) for d in found])
        return {d["learner"]: name.decode() for d, name in zip(found, opened, strict=True)}

    async def everyone(self, tenant: str, version: str) -> AsyncIterator[Named]:
        """All members of a version with their names."""
        async for d in self._members.find({"tenant": tenant, "version": version}):
            name = (await self._sealer.open([_sealed(d)]))[0].decode()
            yield Named((await self._opened([d]))[0], name)

    async def of_learner(self, tenant: str, learner: str) -> list[Named]:
        """A learner's entries in the version that counts, with their names."""
        where = {"tenant": tenant, "learner": learner, "version": await self.version(tenant)}
        found = await self._members.find(where).to_list(None)
        names = await self._sealer.open([_sealed(d) for d in found])
        members = await self._opened(found)
        return [Named(member, name.decode()) for member, name in zip(members, names, strict=True)]

    async def insert(self, tenant: str, version: str, members: Sequence[Named]) -> None:
        """Members of a version that does not count yet."""
        for start in range(0, len(members), _CHUNK):
            chunk = members[start : start + _CHUNK]
            about = [m.member for m in chunk if m.member.attributes]
            items = [(Owner(tenant, m.member.learner), m.name.encode()) for m in chunk]
            items += [(Owner(tenant, member.learner), _pairs(member)) for member in about]
            names, attributes = (sealed := await self._sealer.seal(items))[: len(chunk)], iter(sealed[len(chunk) :])
            documents = [
                _document(tenant, version, m.member, name, next(attributes) if m.member.attributes else None)
                for m, name in zip(chunk, names, strict=True)
            ]
            await self._members.insert_many(documents, ordered=False)

    async def switch(self, tenant: str, version: str, expected: str | None, session: Session) -> bool:
        """Let the version count instead of the expected one; False where another import was first."""
        held = await self.version(tenant, session)
        if held != expected:
            return False
        change = {"$set": {"version": version, "roles_due": True}}
        await self._rosters.update_one({"_id": tenant}, change, upsert=True, session=session)
        return True

    async def unannounced(self) -> list[str]:
        """Tenants whose roster has changed since its roles were told to the other services."""
        found = await self._rosters.find({"roles_due": {"$exists": True}}, {"_id": 1}).to_list(None)
        return [document["_id"] for document in found]

    async def hold(self, tenant: str, version: str | None, session: Session) -> bool:
        """Keep imports and erasures out until the transaction ends; False where another version counts by now."""
        held = await self._rosters.find_one_and_update({"_id": tenant}, {"$inc": {"revision": 1}}, session=session)
        return held is not None and held.get("version") == version

    async def announced(self, tenant: str, version: str | None, session: Session) -> None:
        """The roles of this version are on their way."""
        await self._rosters.update_one(
            {"_id": tenant, "version": version}, {"$unset": {"roles_due": ""}}, session=session
        )

    async def members(self, tenant: str, version: str | None) -> AsyncIterator[Member]:
        """All members of a version, without their names and attributes."""
        keep = {"learner": 1, "role": 1, "places": 1}
        async for document in self._members.find({"tenant": tenant, "version": version}, keep):
            yield _member(document, {})

    async def still(self, tenant: str, version: str | None, learners: Sequence[str], session: Session) -> set[str]:
        """Those of the learners whom the version names at this moment."""
        query = {"tenant": tenant, "learner": {"$in": list(learners)}, "version": version}
        found = await self._members.find(query, {"learner": 1}, session=session).to_list(None)
        return {document["learner"] for document in found}

    async def drop(self, tenant: str, version: str, learners: Sequence[str], session: Session) -> None:
        """Take learners out of a version."""
        ids = [_id(tenant, version, role, learner) for learner in learners for role in ("learner", "teacher")]
        await self._members.delete_many({"_id": {"$in": ids}}, session=session)

    async def discard(self, tenant: str, version: str) -> None:
        """Delete one version that will never count."""
        await self._members.delete_many({"tenant": tenant, "version": version})

    async def discard_before(self, tenant: str, version: str) -> None:
        """Delete the versions before this one: the replaced and what broken imports have left."""
        await self._members.delete_many({"tenant": tenant, "version": {"$lt": version}})

    async def forget(self, tenant: str, learner: str, session: Session) -> int:
        """Delete a learner's entries in all versions; how many there were."""
        await self._rosters.update_one({"_id": tenant}, {"$inc": {"revision": 1}}, upsert=True, session=session)
        deleted = await self._members.delete_many({"tenant": tenant, "learner": learner}, session=session)
        return int(deleted.deleted_count)

    async def _opened(self, documents: Sequence[Document]) -> list[Member]:
        """With their attributes; of who is being erased there are none left."""
        sealed = [d["attributes"] for d in documents if isinstance(d.get("attributes"), dict)]
        opened = iter(await self._sealer.open_each([Sealed(one["data"], one["key"]) for one in sealed]))
        members = []
        for d in documents:
            pairs = d.get("attributes", ())  # a list of pairs, clear, where the roster is from before they were sealed
            members.append(_member(d, dict(orjson.loads(next(opened) or b"[]") if isinstance(pairs, dict) else pairs)))
        return members


def _id(tenant: str, version: str | None, role: str, learner: str) -> str:
    return f"{tenant}/{version}/{role}/{learner}"


def _document(tenant: str, version: str, member: Member, name: Sealed, attributes: Sealed | None) -> Document:
    document = {
        "_id": _id(tenant, version, member.role, member.learner),
        "tenant": tenant,
        "version": version,
        "role": member.role,
        "learner": member.learner,
        "places": [list(place) for place in member.places],
        "name": {"data": name.data, "key": name.key},
    }
    if attributes is not None:
        document["attributes"] = {"data": attributes.data, "key": attributes.key}
    return document


def _pairs(member: Member) -> bytes:
    return orjson.dumps(list(member.attributes.items()))


def _member(document: Mapping[str, Any], attributes: Mapping[str, str]) -> Member:
    places = tuple(Place(*place) for place in document["places"])
    return Member(document["learner"], document["role"], places, attributes)


def _sealed(document: Mapping[str, Any]) -> Sealed:
    return Sealed(document["name"]["data"], document["name"]["key"])
