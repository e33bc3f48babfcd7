"""The collection `statements`: one document a statement.

`{_id: "tenant/uuid", tenant, bytes, key, stored, verb, activity?, related_activities, agents, related_agents,
registration?, learners, authority, voids?, voided?, outbox?, traceparent?}`: `bytes` is the statement as it is given
back, sealed under the data key named by `key`; the rest is what it is found by. A document with nothing but
`voided: true` (no tenant, so that no list finds it) awaits a statement that was voided before it came.
"""

from collections.abc import Collection as AnyCollection
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from events.sealing import Owner, Sealed, Sealer
from service_kit.mongo import (
    ASCENDING,
    DESCENDING,
    BulkWriteError,
    Client,
    Collection,
    CollectionSpec,
    Database,
    Document,
    DuplicateKeyError,
    Index,
    Session,
    UpdateOne,
    in_transaction,
)
from service_kit.outbox import OUTBOX_INDEX, SHARDS, flag


def _by(*names: str, where: Document | None = None) -> Index:
    return Index(tuple((name, ASCENDING) for name in ("tenant", *names, "stored", "_id")), where=where)


STATEMENTS: Final = CollectionSpec(
    "statements",
    "source",
    (
        _by(),
        _by("agents"),
        _by("related_agents"),
        _by("verb"),
        _by("activity"),
        _by("related_activities"),
        _by("registration", where={"registration": {"$exists": True}}),
        Index((("voids", ASCENDING),), where={"voids": {"$exists": True}}),
        OUTBOX_INDEX,
    ),
)
_DUPLICATE_KEY: Final = 11000
_BODY: Final = {"bytes": 1, "key": 1, "stored": 1, "voided": 1}


class IdTaken(Exception):
    """At least one id is there already; nothing was written."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which statements a list holds. `since` is exclusive, `until` inclusive, in microseconds.

    `fields` are equalities on index fields.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    since: int | None = None
    until: int | None = None
    ascending: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended."""

    stored: int
    statement_id: str


class StatementRepository:
    def __init__(self, client: Client, db: Database, sealer: Sealer) -> None:
        self._client = client
        self._collection: Collection = db[STATEMENTS.name]
        self._sealer = sealer

    # Writing

    async def add(self, documents: Sequence[Document], awaited: AnyCollection[str] = ()) -> None:
        """Insert all or none. Raises `IdTaken`.

        A single statement is one plain write; a batch, and whatever voids or takes an awaited place, a transaction.
        """
        try:
            if len(documents) == 1 and "voids" not in documents[0] and not awaited:
                await self._collection.insert_one(documents[0])
            else:
                await in_transaction(self._client, lambda session: self._add(documents, awaited, session))
        except DuplicateKeyError:
            raise IdTaken from None
        except BulkWriteError as error:
            if not _is_duplicate(error):
                raise
            raise IdTaken from None

    async def _add(self, documents: Sequence[Document], awaited: AnyCollection[str], session: Session) -> None:
        fresh = [document for document in documents if document["_id"] not in awaited]
        if fresh:
            await self._collection.insert_many(fresh, session=session)
        for document in documents:
            if document["_id"] in awaited:
                await self._take_place(document, session)
        if targets := [document["voids"] for document in documents if "voids" in document]:
            await self._void(targets, session)

    async def _take_place(self, document: Document, session: Session) -> None:
        """The voiding statements of what comes late are relayed again: only now is known whom they concern."""
        late = document if "voids" in document else {**document, "voided": True}
        place = {"_id": document["_id"], "stored": {"$exists": False}}
        result = await self._collection.replace_one(place, late, session=session)
        if result.matched_count == 0:
            raise IdTaken
        again = {"$set": {"outbox": flag(document["_id"])}}
        await self._collection.update_many({"voids": document["_id"]}, again, session=session)

    async def _void(self, targets: Iterable[str], session: Session) -> None:
        """A voiding statement cannot be voided (1.0.3 Data 2.3.2); a target that is not there yet is awaited."""
        hide = [{"$set": {"voided": {"$cond": [{"$gt": ["$voids", None]}, "$$REMOVE", True]}}}]
        changes: list[Any] = [UpdateOne({"_id": target}, hide, upsert=True) for target in targets]
        await self._collection.bulk_write(changes, session=session)

    # Reading

    async def find(self, ids: Sequence[str]) -> list[Document]:
        """Whole documents by `_id`, awaited places too."""
        return await self._collection.find({"_id": {"$in": list(ids)}}).to_list(None) if ids else []

    async def stored_at(self, ids: Sequence[str]) -> dict[str, int]:
        """When the known ones of these were stored, by `_id`."""
        found = await self._collection.find({"_id": {"$in": list(ids)}}, {"stored": 1}).to_list(None)
        return {document["_id"]: document["stored"] for document in found if "stored" in document}

    async def one(self, statement_id: str, *, voided: bool, authority: str | None) -> Document | None:
        """A statement by `_id`, of one authority if given."""
        where: Document = {"_id": statement_id, "stored": {"$exists": True}, "voided": {"$exists": voided}}
        return await self._collection.find_one(where | _of_authority(authority), _BODY)

    async def page(
        self, tenant: str, selection: Selection, *, after: Place | None, limit: int, authority: str | None
    ) -> list[Document]:
        """The next statements in the order of (stored, id); voided ones are left out."""
        return await (
            self._collection.find(_where(tenant, selection, after) | _of_authority(authority), _BODY)
            .sort(_order(selection))
            .limit(limit)
            .to_list(None)
        )

    async def opened(self, documents: Sequence[Document]) -> list[bytes]:
        """The statements' bytes, in order."""
        return await self._sealer.open([Sealed(d["bytes"], d["key"]) for d in documents])

    async def sealed(self, items: Sequence[tuple[Owner, bytes]]) -> list[Sealed]:
        """Bytes as they are stored, in order."""
        return await self._sealer.seal(items)

    async def count(self, tenant: str) -> int:
        return await self._collection.count_documents({"tenant": tenant})

    async def count_outbox(self, tenant: str) -> int:
        waiting = {"outbox.shard": {"$in": list(range(SHARDS))}, "outbox.token": {"$exists": True}}
        return await self._collection.count_documents(waiting | {"tenant": tenant})

    # Forgetting

    async def naming(self, tenant: str, agents: Sequence[str], session: Session) -> list[Document]:
        """Every statement that names one of the agents."""
        where = {"tenant": tenant, "related_agents": {"$in": list(agents)}}
        return await self._collection.find(where, session=session).to_list(None)

    async def remove(self, ids: Sequence[str], session: Session) -> None:
        await self._collection.delete_many({"_id": {"$in": list(ids)}}, session=session)

    async def rewrite(self, changes: Mapping[str, Document], session: Session) -> None:
        """Set fields by `_id`."""
        if changes:
            updates: list[Any] = [UpdateOne({"_id": one}, {"$set": fields}) for one, fields in changes.items()]
            await self._collection.bulk_write(updates, ordered=False, session=session)


def _where(tenant: str, selection: Selection, after: Place | None) -> Document:
    """The bounds on `stored` are exact on every index; only ties at the last page's end are looked at one by one."""
    forward = selection.ascending
    bounds: Document = {}
    if selection.since is not None:
        bounds["$gt"] = selection.since
    if selection.until is not None:
        bounds["$lte"] = selection.until
    where: Document = {"tenant": tenant, **selection.fields, "voided": {"$exists": False}}
    if bounds:
        where["stored"] = bounds
    if after is not None:
        bound, beyond = ("$gte", "$gt") if forward else ("$lte", "$lt")
        tie = {"stored": after.stored, "_id": {beyond: f"{tenant}/{after.statement_id}"}}
        where["$and"] = [{"stored": {bound: after.stored}}, {"$or": [{"stored": {beyond: after.stored}}, tie]}]
    return where


def _order(selection: Selection) -> list[tuple[str, int]]:
    direction = ASCENDING if selection.ascending else DESCENDING
    return [("stored", direction), ("_id", direction)]


def _of_authority(authority: str | None) -> Document:
    return {} if authority is None else {"authority": authority}


def _is_duplicate(error: BulkWriteError) -> bool:
    failed = (error.details or {}).get("writeErrors", [])
    return bool(failed) and all(one["code"] == _DUPLICATE_KEY for one in failed)
