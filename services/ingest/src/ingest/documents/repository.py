"""The collection `documents`: `{_id, bytes, key, type, updated, revision}`.

`_id` is the whole address (`Place.key`): `tenant/state/agent_id/sha256(activity)/registration?/name`,
`tenant/activity/sha256(activity)/name` or `tenant/agent/agent_id/name`, so that a document is one look-up, and a list,
a deletion of a context or an erasure one range. `bytes` is the content, sealed under the agent's learner (an activity
profile is nobody's: `key` null), `updated` microseconds since the epoch. `revision` is drawn anew by each write, and
every write but the first names the one that it has seen: of two that saw the same, MongoDB lets one through.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from events.sealing import Owner, Sealed, Sealer
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

_LIST: Final = (("_id", ASCENDING), ("updated", ASCENDING))
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
        """`_id` and time of each document of a context, changed after `since`, in the order of their ids."""
        return [(document["_id"], document["updated"]) async for document in self.listing(context, since)]

    def listing(self, context: str, since: int | None) -> Any:
        """A cursor on (`_id`, `updated`): it reads the index alone."""
        where: Document = _within(context) | ({} if since is None else {"updated": {"$gt": since}})
        return self._collection.find(where, {"_id": 1, "updated": 1}).hint(list(_LIST)).sort("_id", ASCENDING)

    async def put(self, key: str, owner: Owner | None, content: Content, updated: int, seen: bytes | None) -> bool:
        """Whether it was stored: not where the document is no longer as it was `seen` (None: as there was none)."""
        sealed = Sealed(content.data) if owner is None else (await self._sealer.seal([(owner, content.data)]))[0]
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
        try:
            await self._collection.insert_one({"_id": key} | fields)
        except DuplicateKeyError:
            return False
        return True

    async def remove(self, key: str, seen: bytes) -> bool:
        """Whether it was removed: not where it is no longer as it was seen."""
        return (await self._collection.delete_one({"_id": key, "revision": seen})).deleted_count == 1

    async def remove_all(self, context: str) -> int:
        return (await self._collection.delete_many(_within(context))).deleted_count

    async def forget(self, tenant: str, agents: Iterable[str], session: Session) -> int:
        """Delete all documents of these agents; how many there were."""
        ranges: Sequence[Document] = [
            _within(f"{tenant}/{kind.key}/{agent}/") for agent in agents for kind in (STATE, AGENT_PROFILE)
        ]
        if not ranges:
            return 0
        return (await self._collection.delete_many({"$or": ranges}, session=session)).deleted_count


def _within(context: str) -> Document:
    """All that begins with the context, which ends in a slash; "0" follows it."""
    return {"_id": {"$gte": context, "$lt": f"{context[:-1]}0"}}
