"""MongoDB: the rows of evidence. What describes the learner is sealed; verbs, activities and times stay readable.

`_id` is `tenant/learner/statement`. A voided row stays as a marker without data, so that a voiding may come first.
`links` are a response's ties to others of its learner (see `acts`), as 64 bits of a hash each; a chance hit takes one
response for a total, which is one in 10^12 for a learner of 10,000. `total` says how the row was folded last.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final, Literal, NamedTuple

from events.sealing import KeyGone, Owner, Sealed, Sealer
from learner_model.state import EPOCH, microseconds
from msgspec import Struct
from msgspec.structs import replace
from service_kit.merging import Group
from service_kit.mongo import (
    ASCENDING,
    Collection,
    CollectionSpec,
    Database,
    Document,
    Index,
    Session,
    UpdateOne,
    aggregate,
)

from learner_profile.evidence.acts import Held, Name, Ties, ties_of
from learner_profile.evidence.mapping import activities_of
from learner_profile.evidence.reading import Reading, pack, unpack
from learner_profile.judgements.judgement import Judgement, is_open
from learner_profile.judgements.judgement import pack as pack_judgement
from learner_profile.judgements.judgement import unpack as unpack_judgement

EVIDENCE: Final = CollectionSpec(
    "evidence",
    "derived",
    (
        Index(tuple((name, ASCENDING) for name in ("tenant", "learner", "voided", "at_us", "statement"))),
        Index(tuple((name, ASCENDING) for name in ("tenant", "voided", "activity", "learner"))),
        Index(tuple((name, ASCENDING) for name in ("tenant", "activities", "arrived", "learner"))),
        Index((("links", ASCENDING),), where={"links": {"$exists": True}}),
        Index((("tenant", ASCENDING), ("contested", ASCENDING), ("_id", ASCENDING)), where={"contested": True}),
    ),
)

Place = tuple[int, str]
"""Where a row stands in its learner's order: microseconds since the epoch, statement id."""


Side = Literal["whole", "part"]
_Asked = tuple[str, Side, Name]  # of which learner, what rows may be of it, and its name
_OWN: Final[Mapping[Side, str]] = {"whole": "statement", "part": "summed"}  # names made of the row's own id
_KEPT: Final = {"data": 1, "key": 1, "total": 1, "late": 1, "judgements": 1, "based": 1}
_TIED: Final = {"links": 1, "total": 1}
_FACTS: Final = (
    "at_us",
    "stored_us",
    "verb",
    "activity",
    "activities",
    "data",
    "key",
    "links",
    "total",
    "late",
    "judgements",
    "contested",
    "based",
)


class Row(Struct, frozen=True):
    """A reading and what was found and said about it. `total`: others say the same in parts; `late`: it came long
    after it happened; `judgements`: in the order in which they were made; `based`: it is part of the base record.
    """

    reading: Reading
    total: bool = False
    late: bool = False
    judgements: tuple[Judgement, ...] = ()
    based: bool = False


class Linked(NamedTuple):
    """A response's ties, and the link of each name: 64 bits of its hash for a whole, their complement for a part."""

    ties: Ties
    links: Mapping[Name, int]


class New(NamedTuple):
    """A row to insert, with its ties where it is a response's."""

    learner: str
    row: Row
    linked: Linked | None


@dataclass(frozen=True, slots=True)
class Sample:
    """An activity with evidence on it; from one of its rows what lies around it, and what the row says."""

    activity: str
    activities: tuple[str, ...]
    sealed: Sealed


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

    async def held(
        self, tenant: str, ties: Mapping[str, Iterable[Linked]], session: Session | None = None
    ) -> dict[str, Held]:
        """What the rows of each learner say to the names of new readings."""
        asked: dict[int, _Asked] = {}
        by_id: dict[str, _Asked] = {}
        for learner, found in ties.items():
            for (whole, part), links in found:
                sides: list[tuple[Side, Name, int]] = [("part", name, ~links[name]) for name in whole]
                for side, name, link in sides + [("whole", name, links[name]) for name in part]:
                    asked[link] = (learner, side, name)
                    if name[0] == _OWN[side]:
                        by_id[_id(tenant, learner, name[1])] = (learner, side, name)
        hits = await self._hits(tenant, list(asked), list(by_id), session) if asked else []
        parts: defaultdict[str, set[Name]] = defaultdict(set)
        wholes: defaultdict[str, set[Name]] = defaultdict(set)
        for row in hits:
            said = [asked[link] for link in row["links"] if link in asked]
            said += [by_id[row["_id"]]] if row["_id"] in by_id else []
            for learner, side, name in said:
                if side == "part":
                    parts[learner].add(name)
                elif not row["total"]:
                    wholes[learner].add(name)
        return {learner: Held(frozenset(parts[learner]), frozenset(wholes[learner])) for learner in ties}

    async def _hits(self, tenant: str, links: list[int], ids: list[str], session: Session | None) -> list[Document]:
        by_link = {"tenant": tenant, "links": {"$in": links}}
        # the planner's trials may prefer an index that begins with the tenant, and walk through it
        found = await self._rows.find(by_link, _TIED, session=session).hint("links_1").to_list(None)
        if ids:
            by_id = {"_id": {"$in": ids}, "links": {"$exists": True}}
            found += await self._rows.find(by_id, _TIED, session=session).to_list(None)
        return found

    async def write(
        self,
        tenant: str,
        new: Sequence[New],
        voided: Iterable[tuple[str, str]],
        arrived: datetime,
        session: Session,
    ) -> None:
        """Insert rows of learners, and void: what has a row loses its data, what has none leaves a marker."""
        sealed = await self._sealer.seal([(Owner(tenant, one.learner), pack(one.row.reading)) for one in new])
        rows = [_document(tenant, one, data, arrived) for one, data in zip(new, sealed, strict=True)]
        if rows:
            await self._rows.insert_many(rows, ordered=False, session=session)
        changes = [_voiding(tenant, learner, statement, arrived) for learner, statement in voided]
        if changes:
            await self._rows.bulk_write(changes, ordered=False, session=session)

    async def of_learners(
        self, tenant: str, learners: Sequence[str], session: Session | None = None
    ) -> dict[str, list[Row]]:
        """All rows of each learner that are not voided, in the learner's order."""
        query = {"tenant": tenant, "learner": {"$in": list(learners)}, "voided": False}
        cursor = self._rows.find(query, {"learner": 1, **_KEPT}, session=session)
        found = await cursor.sort([("at_us", ASCENDING), ("statement", ASCENDING)]).to_list(None)
        rows: defaultdict[str, list[Row]] = defaultdict(list)
        for document, row in zip(found, await self._open(found), strict=True):
            rows[document["learner"]].append(row)
        return rows

    async def mark_totals(self, tenant: str, changed: Mapping[str, Mapping[str, bool]], session: Session) -> None:
        """Store which rows are totals now: learner → statement → whether it is one."""
        writes = [
            UpdateOne({"_id": _id(tenant, learner, statement)}, {"$set": {"total": total}})
            for learner, statements in changed.items()
            for statement, total in statements.items()
        ]
        if writes:
            await self._rows.bulk_write(writes, ordered=False, session=session)

    async def one(self, tenant: str, learner: str, statement: str, session: Session | None = None) -> Row | None:
        """One row; None where there is none or it is voided."""
        query = {"_id": _id(tenant, learner, statement), "voided": False}
        found = await self._rows.find_one(query, _KEPT, session=session)
        return None if found is None else (await self._open([found]))[0]

    async def judge(self, tenant: str, learner: str, row: Row, judgement: Judgement, session: Session) -> Row:
        """Put a judgement beside the row; the row with it."""
        [sealed] = await self._sealer.seal([(Owner(tenant, learner), pack_judgement(judgement))])
        after = replace(row, judgements=(*row.judgements, judgement))
        said: Document = {"$push": {"judgements": {"data": sealed.data, "key": sealed.key}}}
        said |= {"$set": {"contested": True}} if is_open(after.judgements) else {"$unset": {"contested": ""}}
        where = {"_id": _id(tenant, learner, row.reading.statement_id)}
        await self._rows.update_one(where, said, session=session)
        return after

    async def contested(self, tenant: str, after: str, limit: int) -> list[tuple[str, str, Row]]:
        """Rows that wait for a teacher, those after the id given: id, learner, row."""
        query = {"tenant": tenant, "contested": True, "_id": {"$gt": after}}
        cursor = self._rows.find(query, {"learner": 1, **_KEPT}).sort("_id", ASCENDING)
        found = await cursor.limit(limit).to_list(None)
        rows = await self._open(found)
        return [(one["_id"], one["learner"], row) for one, row in zip(found, rows, strict=True)]

    async def timeline(self, tenant: str, learners: Sequence[str], before: Place | None, limit: int) -> list[Row]:
        """The rows of one person that are not voided, newest first, those before the place given."""
        query: Document = {"tenant": tenant, "learner": {"$in": list(learners)}, "voided": False}
        if before is not None:
            at_us, statement = before
            query["at_us"] = {"$lte": at_us}
            query["$or"] = [{"at_us": {"$lt": at_us}}, {"statement": {"$lt": statement}}]
        cursor = self._rows.find(query, _KEPT).sort([("at_us", -1), ("statement", -1)])
        return await self._open(await cursor.limit(limit).to_list(None))

    async def any_of(self, tenant: str, learners: Sequence[str], session: Session) -> bool:
        """Whether there is a row of one of them that is not voided."""
        query = {"tenant": tenant, "learner": {"$in": list(learners)}, "voided": False}
        return await self._rows.find_one(query, {"_id": 1}, session=session) is not None

    async def oldest_stored(self, tenant: str) -> datetime | None:
        """When the oldest row was stored that is not voided."""
        oldest: list[Document] = [
            {"$match": {"tenant": tenant, "voided": False}},
            {"$group": {"_id": None, "stored_us": {"$min": "$stored_us"}}},
        ]
        found = await aggregate(self._rows, oldest)
        return EPOCH + timedelta(microseconds=found[0]["stored_us"]) if found else None

    async def learners_with(
        self, tenant: str, activity: str, arrived: tuple[datetime, datetime] | None = None
    ) -> list[str]:
        """Learners with evidence on the activity (or on a part of it), of rows that arrived between these times."""
        match: Document = {"tenant": tenant, "activities": activity}
        if arrived is not None:
            match["arrived"] = {"$gte": arrived[0], "$lte": arrived[1]}
        found = await aggregate(self._rows, [{"$match": match}, {"$group": {"_id": "$learner"}}])
        return [group["_id"] for group in found]

    async def activities_after(self, tenant: str, activity: str, limit: int) -> list[Sample]:
        """Activities with evidence, by id, those after the one given: each with one of its rows."""
        kept = {"$match": {"tenant": tenant, "voided": False, "activity": {"$gt": activity}}}
        order = {"$sort": {"tenant": 1, "voided": 1, "activity": 1}}
        fields = {name: {"$first": f"${name}"} for name in ("activities", "data", "key")}
        one_of_each: Document = {"$group": {"_id": "$activity", **fields}}
        pipeline: list[Document] = [kept, order, one_of_each, {"$sort": {"_id": 1}}, {"$limit": limit}]
        return [
            Sample(found["_id"], tuple(found["activities"]), _sealed(found))
            for found in await aggregate(self._rows, pipeline)
        ]

    async def count_by_activity(
        self, tenant: str, activities: Sequence[str], people: Iterable[Group] = ()
    ) -> dict[str, tuple[int, int]]:
        """Of each activity: pieces of evidence on it, and learners. Those of `people` are one each, and what several
        of one person's learners reached together is there once.
        """
        kept = {"$match": {"tenant": tenant, "voided": False, "activity": {"$in": list(activities)}}}
        learner = {"$group": {"_id": {"activity": "$activity", "learner": "$learner"}, "rows": {"$sum": 1}}}
        activity = {"$group": {"_id": "$_id.activity", "rows": {"$sum": "$rows"}, "learners": {"$sum": 1}}}
        found = await aggregate(self._rows, [kept, learner, activity])
        person = {one: group.root for group in people for one in group.everyone}
        rows = await self._counted_twice(kept, person, "$statement") if person else {}
        learners = await self._counted_twice(kept, person, None) if person else {}
        return {
            one["_id"]: (one["rows"] - rows.get(one["_id"], 0), one["learners"] - learners.get(one["_id"], 0))
            for one in found
        }

    async def _counted_twice(self, kept: Document, person: Mapping[str, str], by: str | None) -> dict[str, int]:
        """Of each activity: learners beyond the first of their person, of each value of `by`."""
        theirs = {"$match": {"learner": {"$in": list(person)}}}
        together: Document = {
            "$group": {"_id": {"activity": "$activity", "by": by}, "learners": {"$addToSet": "$learner"}}
        }
        several = {"$match": {"learners.1": {"$exists": True}}}
        found: defaultdict[str, int] = defaultdict(int)
        for one in await aggregate(self._rows, [kept, theirs, together, several]):
            found[one["_id"]["activity"]] += len(one["learners"]) - len({person[name] for name in one["learners"]})
        return found

    async def read(self, sample: Sample) -> Reading | None:
        """The sample's reading; None where its learner is being forgotten."""
        try:
            return unpack((await self._sealer.open([sample.sealed]))[0])
        except KeyGone:
            return None

    async def delete(self, tenant: str, learner: str, session: Session) -> int:
        """Delete every row of the learner, markers too; how many."""
        result = await self._rows.delete_many({"tenant": tenant, "learner": learner}, session=session)
        return int(result.deleted_count)

    async def count(self, tenant: str, *, voided: bool) -> int:
        return int(await self._rows.count_documents({"tenant": tenant, "voided": voided}))

    async def _open(self, documents: Sequence[Document]) -> list[Row]:
        opened = await self._sealer.open([_sealed(one) for one in documents])
        said = iter(await self._sealer.open([_sealed(j) for one in documents for j in one.get("judgements", ())]))
        return [
            Row(
                unpack(data),
                one.get("total", False),
                one.get("late", False),
                tuple(unpack_judgement(next(said)) for _ in one.get("judgements", ())),
                one.get("based", False),
            )
            for one, data in zip(documents, opened, strict=True)
        ]


def _sealed(part: Document) -> Sealed:
    return Sealed(bytes(part["data"]), part["key"])


def _id(tenant: str, learner: str, statement: str) -> str:
    return f"{tenant}/{learner}/{statement}"


def linked(tenant: str, learner: str, readings: Iterable[Reading]) -> dict[str, Linked]:
    """Statement → its ties, of those that are responses."""
    found = {one.statement_id: ties_of(one) for one in readings}
    base = blake2b(f"{tenant}\x00{learner}\x00".encode(), digest_size=8)
    return {
        statement: Linked(ties, {name: _link(base, name) for name in ties.whole | ties.part})
        for statement, ties in found.items()
        if ties.whole
    }


def _link(base: blake2b, name: Name) -> int:
    hashed = base.copy()
    hashed.update("\x00".join(name).encode())
    return int.from_bytes(hashed.digest(), "big", signed=True)


def _links(linked: Linked) -> list[int]:
    """The row's own names but those made of its id alone, by which it is found anyway."""
    (whole, part), links = linked
    found = [links[name] for name in whole if name[0] != _OWN["whole"]]
    return found + [~links[name] for name in part if name[0] != _OWN["part"]]


def _document(tenant: str, new: New, sealed: Sealed, arrived: datetime) -> Document:
    learner, row, linked = new
    reading = row.reading
    return {
        "_id": _id(tenant, learner, reading.statement_id),
        "tenant": tenant,
        "learner": learner,
        "statement": reading.statement_id,
        "voided": False,
        "at_us": microseconds(reading.at),
        "stored_us": microseconds(reading.stored),
        "verb": reading.verb_id,
        "activity": reading.activity_id,
        "activities": list(activities_of(reading)),
        "arrived": arrived,
        "data": sealed.data,
        "key": sealed.key,
        **({"links": _links(linked), "total": row.total} if linked is not None else {}),
        **({"late": True} if row.late else {}),
    }


def _voiding(tenant: str, learner: str, statement: str, arrived: datetime) -> UpdateOne:
    marker = {"tenant": tenant, "learner": learner, "statement": statement, "arrived": arrived}
    gone = dict.fromkeys(_FACTS, "")
    return UpdateOne(
        {"_id": _id(tenant, learner, statement)},
        {"$set": {"voided": True}, "$unset": gone, "$setOnInsert": marker},
        upsert=True,
    )
