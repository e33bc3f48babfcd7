"""The collection `documents`: `{_id, bytes, key, name: {bytes, key}, type, updated, revision}`.

`_id` is the whole address (`Place.key`): `tenant/state/agent_id/sha256(activity)/token(registration)?/token(name)`,
`tenant/activity/sha256(activity)/token(name)` or `tenant/agent/agent_id/token(name)`, so that a document is one
look-up, and a list, a deletion of a context or an erasure one range. `bytes` is the content and `name` what the client
calls it, both sealed under the agent's learner (an activity profile is nobody's: under the tenant); the name lies in
the index, sealed as it is, so that lists read that alone. `updated` is in microseconds since the epoch. `revision` is
drawn anew by each write, and every write but the first names the one that it has seen: of two that saw the same,
MongoDB lets one through.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from events.sealing import KeyGone, Owner, Sealed, Sealer
from service_kit.mongo import (
    ASCENDING,
    Collection,
    CollectionSpec,
    Database,
    Document,
    DuplicateKeyError,
    Index,
    Session,
)

from ingest.documents.kinds import AGENT_PROFILE, STATE
from ingest.documents.writing import Content

_LISTED: Final = ("_id", "updated", "name.bytes", "name.key")
_LIST: Final = tuple((field, ASCENDING) for field in _LISTED)
DOCUMENTS: Final = CollectionSpec("documents", "source", (Index(_LIST),))


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as it is."""

    content: Content
    updated: int
    revision: bytes


class DocumentRepository:
    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._collection: Collection = db[DOCUMENTS.name]
        self._sealer = sealer

    async def find(self, key: str) -> Stored | None:
        found = await self._collection.find_one({"_id": key})
        if found is None:
            return None
        (data,) = await self._sealer.open([Sealed(found["bytes"], found["key"])])
        return Stored(Content(data, found["type"]), found["updated"], found["revision"])

    async def list(self, context: str, since: int | None) -> list[tuple[str, int]]:
        """Name and time of each document of a context, changed after `since`."""
        found = await self.listing(context, since).to_list(None)
        names = await self._sealer.open_each([Sealed(d["name"]["bytes"], d["name"]["key"]) for d in found])
        pairs = zip(names, found, strict=True)
        return [(name.decode(), document["updated"]) for name, document in pairs if name is not None]

    def listing(self, context: str, since: int | None) -> Any:
        """A cursor on times and sealed names: it reads the index alone."""
        where: Document = within(context) | ({} if since is None else {"updated": {"$gt": since}})
        fields = dict.fromkeys(_LISTED, 1)
        return self._collection.find(where, fields).hint(list(_LIST)).sort("_id", ASCENDING)

    async def put(self, key: str, name: str, owner: Owner, content: Content, updated: int, seen: bytes | None) -> bool:
        """Whether it was stored: not where the document is no longer as it was `seen` (None: as there was none)."""
        sealed, named = await self._sealer.seal([(owner, content.data), (owner, name.encode())])
        fields: Document = {
            "bytes": sealed.data,
            "key": sealed.key,
            "type": content.media_type,
            "updated": updated,
            "revision": secrets.token_bytes(12),
        }
        if seen is not None:
            result = await self._collection.update_one({"_id": key, "revision": seen}, {"$set": fields})
            return result.matched_count == 1
        called = {"bytes": named.data, "key": named.key}
        try:
            await self._collection.insert_one({"_id": key, "name": called} | fields)
        except DuplicateKeyError:
            return False
        return True

    async def remove(self, key: str, seen: bytes) -> bool:
        """Whether it was removed: not where it is no longer as it was seen."""
        return (await self._collection.delete_one({"_id": key, "revision": seen})).deleted_count == 1

    async def remove_all(self, context: str) -> int:
        return (await self._collection.delete_many(within(context))).deleted_count

    # From before names were sealed

    async def unnamed(self, context: str) -> Sequence[Document]:
        """What lies there under the address that it had then."""
        return await self._collection.find(within(context) | {"name": {"$exists": False}}).to_list(None)

    async def move(self, before: Document, key: str, name: str, owner: Owner) -> None:
        """Seal it, and put it where it is looked for today; what was written there since stays."""
        try:
            (data,) = await self._sealer.open([Sealed(before["bytes"], before["key"])])
            sealed, named = await self._sealer.seal([(owner, data), (owner, name.encode())])
            now = {"bytes": sealed.data, "key": sealed.key, "name": {"bytes": named.data, "key": named.key}}
            await self._collection.insert_one({**before, "_id": key, **now})
        except (DuplicateKeyError, KeyGone):  # KeyGone: its learner is being forgotten
            pass
        await self._collection.delete_one({"_id": before["_id"], "revision": before["revision"]})

    async def forget(self, tenant: str, agents: Iterable[str], session: Session) -> int:
        """Delete all documents of these agents; how many there were."""
        ranges = _of_agents(tenant, agents)
        if not ranges:
            return 0
        return (await self._collection.delete_many({"$or": ranges}, session=session)).deleted_count

    async def outdated(self, tenant: str, agents: Iterable[str], before: int, session: Session, *, remove: bool) -> int:
        """Documents of these agents that were not changed since; how many there are, or were."""
        where = [one | {"updated": {"$lt": before}} for one in _of_agents(tenant, agents)]
        if not where:
            return 0
        if remove:
            return (await self._collection.delete_many({"$or": where}, session=session)).deleted_count
        return await self._collection.count_documents({"$or": where}, session=session)

    async def any_outdated(self, tenant: str, agents: Iterable[str], before: int) -> bool:
        """Whether there is one that `outdated` counts."""
        where = [one | {"updated": {"$lt": before}} for one in _of_agents(tenant, agents)]
        return bool(where) and await self._collection.find_one({"$or": where}, {"_id": 1}) is not None

    async def any_of_agents(self, tenant: str) -> bool:
        """Whether the tenant has a document that is an agent's."""
        where = [within(f"{tenant}/{kind.key}/") for kind in (STATE, AGENT_PROFILE)]
        return await self._collection.find_one({"$or": where}, {"_id": 1}) is not None


def _of_agents(tenant: str, agents: Iterable[str]) -> Sequence[Document]:
    return [within(f"{tenant}/{kind.key}/{agent}/") for agent in agents for kind in (STATE, AGENT_PROFILE)]


def within(context: str) -> Document:
    """All that begins with the context, which ends in a slash; "0" follows it."""
    return {"_id": {"$gte": context, "$lt": f"{context[:-1]}0"}}
