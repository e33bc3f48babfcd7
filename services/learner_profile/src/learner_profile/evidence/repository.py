"""MongoDB: the rows of evidence. What describes the learner is sealed; verbs, activities and times stay readable.

`_id` is `tenant/learner/statement`. A voided row stays as a marker without data, so that a voiding may come first.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from events.sealing import Owner, Sealed, Sealer
from learner_model.state import microseconds
from service_kit.mongo import (
    ASCENDING,
    Collection,
    CollectionSpec,
    Database,
    Document,
    Index,
    InsertOne,
    Session,
    UpdateOne,
    aggregate,
)

from learner_profile.evidence.mapping import activities_of
from learner_profile.evidence.reading import Reading, pack, unpack

EVIDENCE: Final = CollectionSpec(
    "evidence",
    "derived",
    (
        Index(tuple((name, ASCENDING) for name in ("tenant", "learner", "voided", "at_us", "statement"))),
        Index((("tenant", ASCENDING), ("voided", ASCENDING))),
        Index(tuple((name, ASCENDING) for name in ("tenant", "activities", "arrived", "learner"))),
    ),
)

Place = tuple[int, str]
"""Where a row stands in its learner's order: microseconds since the epoch, statement id."""


class EvidenceRepository:
    """Rows of evidence of all tenants; every call names its tenant."""

    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._rows: Collection = db[EVIDENCE.name]
        self._sealer = sealer

    async def known(
        self, tenant: str, statements: Iterable[tuple[str, str]], session: Session | None = None
    ) -> dict[tuple[str, str], bool]:
        """Of these (learner, statement) pairs those that have a row, with whether it is voided."""
        ids = [_id(tenant, learner, statement) for learner, statement in statements]
        fields = {"learner": 1, "statement": 1, "voided": 1}
        found = await self._rows.find({"_id": {"$in": ids}}, fields, session=session).to_list(None)
        return {(row["learner"], row["statement"]): row["voided"] for row in found}

    async def write(
        self,
        tenant: str,
        new: Sequence[tuple[str, Reading]],
        voided: Iterable[tuple[str, str]],
        arrived: datetime,
        session: Session,
    ) -> None:
        """Insert rows of learners, and void: what has a row loses its data, what has none leaves a marker."""
        sealed = await self._sealer.seal([(Owner(tenant, learner), pack(reading)) for learner, reading in new])
        changes: list[InsertOne[Document] | UpdateOne] = [
            InsertOne(_row(tenant, learner, reading, one, arrived))
            for (learner, reading), one in zip(new, sealed, strict=True)
        ]
        changes += [_voiding(tenant, learner, statement, arrived) for learner, statement in voided]
        if changes:
            await self._rows.bulk_write(changes, ordered=False, session=session)

    async def of_learners(
        self, tenant: str, learners: Sequence[str], session: Session | None = None
    ) -> dict[str, list[Reading]]:
        """All readings of each learner that are not voided, in the learner's order."""
        query = {"tenant": tenant, "learner": {"$in": list(learners)}, "voided": False}
        cursor = self._rows.find(query, {"learner": 1, "data": 1, "key": 1}, session=session)
        found = await cursor.sort([("at_us", ASCENDING), ("statement", ASCENDING)]).to_list(None)
        readings: defaultdict[str, list[Reading]] = defaultdict(list)
        for row, reading in zip(found, await self._open(found), strict=True):
            readings[row["learner"]].append(reading)
        return readings

    async def timeline(self, tenant: str, learner: str, before: Place | None, limit: int) -> list[Reading]:
        """The learner's readings that are not voided, newest first, those before the place given."""
        query: Document = {"tenant": tenant, "learner": learner, "voided": False}
        if before is not None:
            at_us, statement = before
            query["at_us"] = {"$lte": at_us}
            query["$or"] = [{"at_us": {"$lt": at_us}}, {"statement": {"$lt": statement}}]
        cursor = self._rows.find(query, {"data": 1, "key": 1}).sort([("at_us", -1), ("statement", -1)])
        return await self._open(await cursor.limit(limit).to_list(None))

    async def any_of(self, tenant: str, learner: str, session: Session) -> bool:
        """Whether there is a row that is not voided."""
        query = {"tenant": tenant, "learner": learner, "voided": False}
        return await self._rows.find_one(query, {"_id": 1}, session=session) is not None

    async def learners_with(
        self, tenant: str, activity: str, arrived: tuple[datetime, datetime] | None = None
    ) -> list[str]:
        """Learners with evidence on the activity (or on a part of it), of rows that arrived between these times."""
        match: Document = {"tenant": tenant, "activities": activity}
        if arrived is not None:
            match["arrived"] = {"$gte": arrived[0], "$lte": arrived[1]}
        found = await aggregate(self._rows, [{"$match": match}, {"$group": {"_id": "$learner"}}])
        return [group["_id"] for group in found]

    async def delete(self, tenant: str, learner: str, session: Session) -> int:
        """Delete every row of the learner, markers too; how many."""
        result = await self._rows.delete_many({"tenant": tenant, "learner": learner}, session=session)
        return int(result.deleted_count)

    async def count(self, tenant: str, *, voided: bool) -> int:
        return int(await self._rows.count_documents({"tenant": tenant, "voided": voided}))

    async def _open(self, rows: Sequence[Mapping[str, object]]) -> list[Reading]:
        sealed = [Sealed(bytes(row["data"]), row["key"]) for row in rows]  # type: ignore[call-overload,arg-type]
        return [unpack(data) for data in await self._sealer.open(sealed)]


def _id(tenant: str, learner: str, statement: str) -> str:
    return f"{tenant}/{learner}/{statement}"


def _row(tenant: str, learner: str, reading: Reading, sealed: Sealed, arrived: datetime) -> Document:
    return {
        "_id": _id(tenant, learner, reading.statement_id),
        "tenant": tenant,
        "learner": learner,
        "statement": reading.statement_id,
        "voided": False,
        "at_us": microseconds(reading.at),
        "stored_us": microseconds(reading.stored),
        "verb": reading.verb_id,
        "activities": list(activities_of(reading)),
        "arrived": arrived,
        "data": sealed.data,
        "key": sealed.key,
    }


def _voiding(tenant: str, learner: str, statement: str, arrived: datetime) -> UpdateOne:
    marker = {"tenant": tenant, "learner": learner, "statement": statement, "arrived": arrived}
    gone = dict.fromkeys(("at_us", "stored_us", "verb", "activities", "data", "key"), "")
    return UpdateOne(
        {"_id": _id(tenant, learner, statement)},
        {"$set": {"voided": True}, "$unset": gone, "$setOnInsert": marker},
        upsert=True,
    )
