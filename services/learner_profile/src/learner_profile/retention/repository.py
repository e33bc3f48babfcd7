"""MongoDB: evidence as retention rules look for it: a learner's rows up to a time, along the index of their order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from events.sealing import Sealed, Sealer
from learner_model.state import microseconds
from service_kit.mongo import ASCENDING, DESCENDING, Collection, Database, Document, Session
from service_kit.selecting import Facts

from learner_profile.evidence.reading import Marks, unpack
from learner_profile.evidence.repository import EVIDENCE, Place

IN_ORDER: Final = "tenant_1_learner_1_voided_1_at_us_1_statement_1"
_FACTS: Final = {"statement": 1, "at_us": 1, "stored_us": 1, "verb": 1}


@dataclass(frozen=True, slots=True)
class Found:
    """A row, as much of it as a rule asks for."""

    statement: str
    place: Place
    stored_us: int
    facts: Facts


class RetainedEvidence:
    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._rows: Collection = db[EVIDENCE.name]
        self._sealer = sealer

    async def learners(
        self, tenant: str, after: str, behind: str | None, before_us: int | None, verbs: Sequence[str], limit: int
    ) -> list[str]:
        """Learners with rows stored before that time, those behind `after`, in the order of their ids.

        A step along the index for each; those without are skipped within it.
        """
        where = {"voided": False} | _before(before_us) | ({"verb": {"$in": list(verbs)}} if verbs else {})
        return await self._next(tenant, after, behind, where, limit)

    async def with_markers(
        self, tenant: str, after: str, behind: str | None, before: datetime, limit: int
    ) -> list[str]:
        """As `learners`, with markers that came before that time."""
        return await self._next(tenant, after, behind, {"voided": True, "arrived": {"$lt": before}}, limit)

    async def _next(self, tenant: str, after: str, behind: str | None, where: Document, limit: int) -> list[str]:
        found: list[str] = []
        while len(found) < limit:
            between = {"$gt": found[-1] if found else after} | ({} if behind is None else {"$lt": behind})
            asked = {"tenant": tenant, "learner": between} | where
            one = await self._rows.find_one(asked, {"learner": 1}, sort=[("learner", ASCENDING)], hint=IN_ORDER)
            if one is None:
                break
            found.append(one["learner"])
        return found

    async def is_active(self, tenant: str, learner: str, since: datetime, session: Session | None = None) -> bool:
        """Whether anything of the learner was stored from then on."""
        where = {"tenant": tenant, "learner": learner, "voided": False, "stored_us": {"$gte": microseconds(since)}}
        newest = [("at_us", DESCENDING)]  # most likely there
        return await self._rows.find_one(where, {"_id": 1}, session=session, hint=IN_ORDER, sort=newest) is not None

    async def until(
        self,
        tenant: str,
        learner: str,
        before_us: int | None,
        after: Place | None,
        limit: int,
        opened: bool,
        session: Session,
    ) -> list[Found]:
        """The learner's next rows stored before that time, those behind the place; `opened`: with what lies sealed."""
        where: Document = {"tenant": tenant, "learner": learner, "voided": False} | _before(before_us)
        if after is not None:
            at_us, statement = after
            where["$or"] = [{"at_us": {"$gt": at_us}}, {"at_us": at_us, "statement": {"$gt": statement}}]
            where["at_us"] = {**where.get("at_us", {}), "$gte": at_us}
        fields = _FACTS | ({"data": 1, "key": 1} if opened else {})
        cursor = self._rows.find(where, fields, session=session, hint=IN_ORDER)
        found = await cursor.sort([("at_us", ASCENDING), ("statement", ASCENDING)]).limit(limit).to_list(None)
        marks = await self._marks(found) if opened else [Marks()] * len(found)
        return [_found(document, one) for document, one in zip(found, marks, strict=True)]

    async def remove(self, tenant: str, learner: str, statements: Sequence[str], session: Session) -> int:
        ids = [f"{tenant}/{learner}/{one}" for one in statements]
        return int((await self._rows.delete_many({"_id": {"$in": ids}}, session=session)).deleted_count)

    async def base(self, tenant: str, learner: str, statements: Sequence[str], session: Session) -> None:
        """Mark rows that stay although they are part of the base record."""
        ids = [f"{tenant}/{learner}/{one}" for one in statements]
        await self._rows.update_many({"_id": {"$in": ids}}, {"$set": {"based": True}}, session=session)

    async def markers(self, tenant: str, learner: str, before: datetime, session: Session, *, remove: bool) -> int:
        """Markers of voided statements that came before that time: how many there are, or were."""
        where = {"tenant": tenant, "learner": learner, "voided": True, "arrived": {"$lt": before}}
        if remove:
            return int((await self._rows.delete_many(where, session=session, hint=IN_ORDER)).deleted_count)
        return int(await self._rows.count_documents(where, session=session, hint=IN_ORDER))

    async def any_of(self, tenant: str, learner: str, session: Session) -> bool:
        where = {"tenant": tenant, "learner": learner, "voided": False}
        return await self._rows.find_one(where, {"_id": 1}, session=session, hint=IN_ORDER) is not None

    async def _marks(self, found: Sequence[Document]) -> list[Marks]:
        opened = await self._sealer.open([Sealed(bytes(d["data"]), d["key"]) for d in found])
        return [unpack(data).marks or Marks() for data in opened]


def _before(us: int | None) -> Document:
    """Evidence time is never after `stored`."""
    return {} if us is None else {"at_us": {"$lt": us}, "stored_us": {"$lt": us}}


def _found(document: Document, marks: Marks) -> Found:
    return Found(
        document["statement"],
        (document["at_us"], document["statement"]),
        document["stored_us"],
        Facts(document["verb"], marks.activity_type, frozenset(marks.tags), frozenset(marks.activities)),
    )
