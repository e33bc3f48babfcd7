"""Statements as retention rules look for them: by who they are about and when they were stored, along one index."""

from collections.abc import Sequence
from typing import Final

from service_kit.mongo import ASCENDING, Collection, Database, Document, Session

from ingest.statements.repository import BY_KEY, STATEMENTS

_LOOKED_AT: Final = dict.fromkeys(("stored", "keys", "learners", "outbox", "targets", "voids", "blobs"), 1)


class RetainedStatements:
    def __init__(self, db: Database) -> None:
        self._statements: Collection = db[STATEMENTS.name]

    async def until(
        self, tenant: str, tokens: Sequence[bytes], before: int | None, after: int | None, limit: int, session: Session
    ) -> tuple[list[Document], int | None]:
        """The next that have one of the tokens and were stored before that time, voided ones too, without their bytes.

        Oldest first, those stored after `after`; and where to go on, None where there is no more. Statements stamped
        alike come in one part.
        """
        where = _until(tenant, tokens, before, after)
        cursor = self._statements.find(where, _LOOKED_AT, session=session).hint(list(BY_KEY))
        found = await cursor.sort("stored", ASCENDING).limit(limit).to_list(None)
        if len(found) < limit:
            return found, None
        whole = [one for one in found if one["stored"] < found[-1]["stored"]] or found
        return whole, whole[-1]["stored"]

    async def any_until(self, tenant: str, tokens: Sequence[bytes], before: int | None) -> bool:
        """Whether there is one that `until` gives."""
        where = _until(tenant, tokens, before)
        return await self._statements.find_one(where, {"_id": 1}, hint=list(BY_KEY)) is not None

    async def learners_until(
        self, tenant: str, tokens: Sequence[bytes], before: int | None, most: int
    ) -> list[list[str | None]] | None:
        """The learners of each of those that `until` gives; None where they are more than `most`."""
        found = self._statements.find(_until(tenant, tokens, before), {"learners": 1}).hint(list(BY_KEY))
        documents = await found.limit(most + 1).to_list(None)
        return None if len(documents) > most else [one["learners"] for one in documents]

    async def is_active(
        self, tenant: str, tokens: Sequence[bytes], learner: str, since: int, session: Session | None = None
    ) -> bool:
        """Whether a statement about the learner was stored from then on."""
        where = {"tenant": tenant, "keys": {"$in": list(tokens)}, "stored": {"$gte": since}, "learners": learner}
        return await self._statements.find_one(where, {"_id": 1}, hint=list(BY_KEY), session=session) is not None

    async def looked_at(self, ids: Sequence[str], session: Session) -> list[Document]:
        """Those of these that are stored; as `until` gives them."""
        where = {"_id": {"$in": list(ids)}, "stored": {"$exists": True}}
        return await self._statements.find(where, _LOOKED_AT, session=session).to_list(None)

    async def whole(self, ids: Sequence[str], session: Session) -> list[Document]:
        return await self._statements.find({"_id": {"$in": list(ids)}}, session=session).to_list(None)


def _until(tenant: str, tokens: Sequence[bytes], before: int | None, after: int | None = None) -> Document:
    bounds = {sign: at for sign, at in (("$lt", before), ("$gt", after)) if at is not None}
    return {"tenant": tenant, "keys": {"$in": list(tokens)}} | ({"stored": bounds} if bounds else {})
