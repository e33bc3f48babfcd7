"""The collection `statements`: one document a statement.

`{_id: "tenant/uuid", tenant, bytes, key, parts?, stored, keys, learners, authority, targets?, voids?, voided?,
targeted?, provenance?: {bytes, key, parts?}, imported_from?, outbox?, traceparent?}`: `bytes`, `key` and `parts` are
the statement as it is given back (`sealing`); `keys` are the tokens it is found by (`indexing`).

A statement whose object is a StatementRef `targets` another, and is found by that one's keys too (1.0.3 Communication
2.1.4), and by those that the other has from its own target: it holds them itself. `targeted` counts how often a
document was made a target: each time is a write, so that whoever changes its keys meanwhile conflicts and tries again.
Where the target is not there yet, a document without `stored` and tenant (so that no list finds it) awaits it; only who
takes such a place passes keys on.
"""

import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from collections.abc import Collection as AnyCollection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from events.sealing import KeyGone, Sealer
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
    MongoAway,
    Session,
    UpdateOne,
    aggregate,
    in_transaction,
    within,
)
from service_kit.outbox import OUTBOX_INDEX, SHARDS, flag

from ingest.gathering import Gathering, NotBegun
from ingest.statements.sealing import Body, open_all, seal
from ingest.statements.targets import MOST_KEYS, MOST_PASSED, inherited

log = logging.getLogger(__name__)

BY_TIME: Final = (("tenant", ASCENDING), ("stored", ASCENDING))
BY_KEY: Final = (("tenant", ASCENDING), ("keys", ASCENDING), ("stored", ASCENDING))
STATEMENTS: Final = CollectionSpec(
    "statements",
    "source",
    (
        Index(BY_TIME),
        Index(BY_KEY),
        Index((("targets", ASCENDING),), where={"targets": {"$exists": True}}),
        Index((("blobs", ASCENDING),), where={"blobs": {"$exists": True}}),
        OUTBOX_INDEX,
    ),
)
CHUNK: Final = 500
READ_SECONDS: Final = 10.0
WRITE_SECONDS: Final = 15.0
_DUPLICATE_KEY: Final = 11000
_BODY: Final = dict.fromkeys(("bytes", "key", "parts", "stored", "voided", "provenance", "blobs", "learners"), 1)


class IdTaken(Exception):
    """At least one id is there already; nothing was written."""


class WriteRefused(Exception):
    """The database does not take the document; the code says why."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which statements a list holds. `since` is exclusive, `until` inclusive, in microseconds.

    `keys` are conditions that all hold, each by any one of its tokens. Nothing about the `hidden` learners is shown.
    """

    keys: Sequence[Sequence[bytes]] = ()
    since: int | None = None
    until: int | None = None
    ascending: bool = False
    hidden: AbstractSet[str] = frozenset()


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
        self._singles: Gathering[Document, None] = Gathering(self._insert)
        self._ones: Gathering[str, Document | None] = Gathering(self._by_id, most_a_call=100)

    # Writing

    async def add(self, documents: Sequence[Document], awaited: AnyCollection[str] = ()) -> None:
        """Insert all or none. Raises `IdTaken`.

        A single statement is a plain write, shared with whoever else writes one at the moment; a batch, and whatever
        targets another statement or takes an awaited place, is a transaction.
        """
        try:
            if len(documents) == 1 and "targets" not in documents[0] and not awaited:
                await self._singles(documents[0])
            else:
                with within(WRITE_SECONDS):
                    await in_transaction(self._client, lambda session: self._add(documents, awaited, session))
        except DuplicateKeyError:
            raise IdTaken from None
        except BulkWriteError as error:
            if not _is_duplicate(error):
                raise
            raise IdTaken from None

    async def _insert(self, documents: Sequence[Document]) -> list[Exception | None]:
        """Each by itself, in one command and one wait for the journal."""
        try:
            with within(WRITE_SECONDS):
                await self._collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            return _outcomes(error, len(documents))
        return [None] * len(documents)

    async def _add(self, documents: Sequence[Document], awaited: AnyCollection[str], session: Session) -> None:
        if any("targets" in document for document in documents):
            documents = await self._with_inherited(documents, session)
        fresh = [document for document in documents if document["_id"] not in awaited]
        if fresh:
            await self._collection.insert_many(fresh, session=session)
        for document in documents:
            if document["_id"] in awaited:
                await self._take_place(document, session)
        if voided := [document["voids"] for document in documents if "voids" in document]:
            await self._void(voided, session)

    async def _with_inherited(self, documents: Sequence[Document], session: Session) -> list[Document]:
        """The documents with the keys of their targets. What is not there yet is awaited."""
        ids = {document["_id"] for document in documents}
        targets = {document["_id"]: document["targets"] for document in documents if "targets" in document}
        outside = sorted(set(targets.values()) - ids)
        touch: list[Any] = [UpdateOne({"_id": one}, {"$inc": {"targeted": 1}}, upsert=True) for one in outside]
        held: dict[str, Sequence[bytes]] = {document["_id"]: document["keys"] for document in documents}
        if touch:
            await self._collection.bulk_write(touch, session=session)
            found = self._collection.find({"_id": {"$in": outside}}, {"keys": 1}, session=session)
            held |= {document["_id"]: document.get("keys", ()) for document in await found.to_list(None)}
        keys = inherited(held, targets)
        return [{**d, "keys": keys[d["_id"]]} if d["_id"] in targets else d for d in documents]

    async def _take_place(self, document: Document, session: Session) -> None:
        """Of what comes late. Who targets it gets its keys; who voids it is relayed again: only now is known whom those
        concern.
        """
        place = {"_id": document["_id"], "stored": {"$exists": False}}
        waiting = await self._collection.find_one(place, session=session)
        if waiting is None:
            raise IdTaken
        taken: Document = {name: waiting[name] for name in ("voided", "targeted") if name in waiting}
        if "voids" in document:  # a voiding statement cannot be voided
            taken.pop("voided", None)
        await self._collection.replace_one(place, {**document, **taken}, session=session)
        again = {"$set": {"outbox": flag(document["_id"])}}
        await self._collection.update_many(
            {"targets": document["_id"], "voids": document["_id"]}, again, session=session
        )
        await self._pass_on(document, session)

    async def _pass_on(self, document: Document, session: Session) -> None:
        """The document's keys to whoever targets it, and on from there; each once, though references go in circles."""
        reached, edge = {document["_id"]}, [document["_id"]]
        room = {f"keys.{MOST_KEYS - 1}": {"$exists": False}}
        while edge:
            left = MOST_PASSED - len(reached)
            found = await (
                self._collection.find({"targets": {"$in": edge}}, {"_id": 1}, session=session).limit(left).to_list(None)
            )
            edge = sorted({one["_id"] for one in found} - reached)
            reached.update(edge)
            if edge:
                keys = {"$addToSet": {"keys": {"$each": document["keys"]}}}
                await self._collection.update_many({"_id": {"$in": edge}} | room, keys, session=session)
            if len(reached) >= MOST_PASSED:
                log.warning(
                    "a statement that came late was awaited by more than pass its keys on", extra={"most": left}
                )
                return

    async def _void(self, targets: Iterable[str], session: Session) -> None:
        """A voiding statement cannot be voided (1.0.3 Data 2.3.2); a target that is not there yet is awaited."""
        hide = [{"$set": {"voided": {"$cond": [{"$gt": ["$voids", None]}, "$$REMOVE", True]}}}]
        changes: list[Any] = [UpdateOne({"_id": target}, hide, upsert=True) for target in targets]
        await self._collection.bulk_write(changes, session=session)

    # Reading

    async def find(self, ids: Sequence[str]) -> list[Document]:
        """Whole documents by `_id`, awaited places too."""
        return await self._collection.find({"_id": {"$in": list(ids)}}).to_list(None) if ids else []

    async def one(self, statement_id: str, *, voided: bool, authority: str | None) -> Document | None:
        """A statement by `_id`, of one authority if given. One read serves all who ask at the moment."""
        found = await self._ones(statement_id)
        if found is None or "stored" not in found or ("voided" in found) != voided:
            return None
        return found if authority in (None, found["authority"]) else None

    async def _by_id(self, ids: Sequence[str]) -> list[Document | Exception | None]:
        with within(READ_SECONDS):
            found = await self._collection.find({"_id": {"$in": list(ids)}}, _BODY | {"authority": 1}).to_list(None)
        documents = {document["_id"]: document for document in found}
        return [documents.get(one) for one in ids]

    async def page(
        self, tenant: str, selection: Selection, *, after: Place | None, limit: int, authority: str | None
    ) -> list[Document]:
        """The next statements in the order of (stored, id); voided ones are left out."""
        where = _where(tenant, selection, after) | _of_authority(authority)
        found = await self._in_order(where, selection, limit + 1)
        if len(found) <= limit or found[-1]["stored"] != found[limit - 1]["stored"]:
            return _ties_by_id(found[:limit], selection)
        # Replicas stamped alike, right at the end of the page: the index does not know their order by id.
        tied = found[-1]["stored"]
        alike = await self._in_order({"$and": [where, {"stored": tied}]}, selection, 0)
        return _ties_by_id([one for one in found if one["stored"] != tied] + alike, selection)[:limit]

    async def _in_order(self, where: Document, selection: Selection, limit: int) -> list[Document]:
        direction = ASCENDING if selection.ascending else DESCENDING
        index = BY_KEY if selection.keys else BY_TIME
        found = self._collection.find(where, _BODY).sort("stored", direction).hint(list(index))
        with within(READ_SECONDS):
            return await found.limit(limit).batch_size(limit).to_list(limit or None)

    async def walk(
        self, tenant: str, selection: Selection, *, until: int, after: Place | None = None, authority: str | None = None
    ) -> AsyncIterator[Document]:
        """All of the selection stored up to `until`, oldest first, a chunk at a time in memory.

        `bytes` and `provenance` (None where there is none) come opened; what is gone with its learner is left out.
        """
        ends = until if selection.until is None else min(until, selection.until)
        selection = Selection(selection.keys, selection.since, ends, ascending=True)
        while True:
            page = await self.page(tenant, selection, after=after, limit=CHUNK, authority=authority)
            opened = await self.opened(page)
            for document, data, provenance in zip(page, opened, await self.provenances(page), strict=True):
                if data is not None:
                    yield {**document, "bytes": data, "provenance": provenance}
            if len(page) < CHUNK:
                return
            after = Place(page[-1]["stored"], page[-1]["_id"].partition("/")[2])

    async def hold(self, blob: str) -> bool:
        """Whether a statement has an attachment whose data is kept under this key."""
        return await self._collection.find_one({"blobs": blob}, {"_id": 1}) is not None

    async def holding(self, blob: str) -> bytes | None:
        """A statement with an attachment whose data is kept under this key; None where there is none, or it is gone."""
        found = await self._collection.find_one({"blobs": blob}, _BODY)
        return None if found is None else (await self.opened([found]))[0]

    async def opened(self, documents: Sequence[Document]) -> list[bytes | None]:
        """The statements' bytes, in order; None where they are gone with their learner."""
        return await open_all(self._sealer, [(d["_id"], d) for d in documents])

    async def readable(self, documents: Sequence[Document]) -> list[tuple[Document, bytes]]:
        """Documents with their statements' bytes, in order; what is gone with its learner is left out."""
        opened = await self.opened(documents)
        return [(document, data) for document, data in zip(documents, opened, strict=True) if data is not None]

    async def provenances(self, documents: Sequence[Document]) -> list[bytes | None]:
        """What came with imported statements, in order; None where nothing did."""
        held = [(d["_id"], d["provenance"]) for d in documents if "provenance" in d]
        opened = iter(await open_all(self._sealer, held)) if held else iter(())
        return [next(opened) if "provenance" in d else None for d in documents]

    async def sealed(self, bodies: Sequence[Body]) -> list[Document]:
        """The fields of a document that hold bytes, in order. Raises `NotBegun` where a learner is being forgotten."""
        try:
            return await seal(self._sealer, bodies)
        except KeyGone:
            raise NotBegun("a learner is being forgotten") from None

    async def count(self, tenant: str) -> int:
        return await self._collection.count_documents({"tenant": tenant})

    async def count_outbox(self, tenant: str) -> int:
        waiting = {"outbox.shard": {"$in": list(range(SHARDS))}, "outbox.token": {"$exists": True}}
        return await self._collection.count_documents(waiting | {"tenant": tenant})

    # Forgetting

    async def about(self, tenant: str, agents: Sequence[bytes]) -> AsyncIterator[Document]:
        """Every statement that names one of the agents (by their tokens), voided ones too, oldest first, read on the
        go.
        """
        where = {"tenant": tenant, "keys": {"$in": list(agents)}}
        async for document in self._collection.find(where, _BODY).hint(list(BY_KEY)).sort("stored"):
            yield document

    async def learners_of_author(self, tenant: str, agents: Sequence[bytes], authority: str) -> list[str]:
        """Whom the statements of an authority (found by its agent's tokens) are about, in the order of their ids."""
        match: Document = {"tenant": tenant, "keys": {"$in": list(agents)}, "authority": authority}
        grouped: Document = {"$group": {"_id": "$learners"}}
        found = await aggregate(self._collection, [{"$match": match}, {"$unwind": "$learners"}, grouped])
        return sorted(group["_id"] for group in found if group["_id"] is not None)

    async def naming(self, tenant: str, agents: Sequence[bytes], session: Session, limit: int = 0) -> list[Document]:
        """Every statement, or so many, that names one of the agents (by their tokens), or has a target that does."""
        where = {"tenant": tenant, "keys": {"$in": list(agents)}}
        return await self._collection.find(where, session=session).hint(list(BY_KEY)).limit(limit).to_list(None)

    async def remove(self, ids: Sequence[str], session: Session) -> None:
        await self._collection.delete_many({"_id": {"$in": list(ids)}}, session=session)

    async def take_back(self, ids: Sequence[str]) -> None:
        """Delete what has just been stored, and should not have been."""
        await in_transaction(self._client, lambda session: self.remove(ids, session))

    async def rewrite(self, changes: Mapping[str, Document], session: Session) -> None:
        """Set fields by `_id`; with new bytes parts that are not among them go."""
        if changes:
            updates: list[Any] = [UpdateOne({"_id": one}, _update(fields)) for one, fields in changes.items()]
            await self._collection.bulk_write(updates, ordered=False, session=session)


def _update(fields: Document) -> Document:
    parts_go = "bytes" in fields and "parts" not in fields
    return {"$set": fields} | ({"$unset": {"parts": ""}} if parts_go else {})


def _where(tenant: str, selection: Selection, after: Place | None) -> Document:
    """The bounds on `stored` are exact on every index; only ties at the last page's end are looked at one by one."""
    bounds: Document = {}
    if selection.since is not None:
        bounds["$gt"] = selection.since
    if selection.until is not None:
        bounds["$lte"] = selection.until
    where: Document = {"tenant": tenant, "voided": {"$exists": False}}
    every: list[Document] = [{"keys": one[0] if len(one) == 1 else {"$in": list(one)}} for one in selection.keys]
    if bounds:
        where["stored"] = bounds
    if selection.hidden:
        where["learners"] = {"$nin": sorted(selection.hidden)}
    if after is not None:
        bound, beyond = ("$gte", "$gt") if selection.ascending else ("$lte", "$lt")
        tie = {"stored": after.stored, "_id": {beyond: f"{tenant}/{after.statement_id}"}}
        every += [{"stored": {bound: after.stored}}, {"$or": [{"stored": {beyond: after.stored}}, tie]}]
    if every:
        where["$and"] = every
    return where


def _ties_by_id(found: list[Document], selection: Selection) -> list[Document]:
    """Those stamped alike in the order of their ids."""
    if len({one["stored"] for one in found}) == len(found):
        return found
    return sorted(found, key=lambda one: (one["stored"], one["_id"]), reverse=not selection.ascending)


def _of_authority(authority: str | None) -> Document:
    return {} if authority is None else {"authority": authority}


def _is_duplicate(error: BulkWriteError) -> bool:
    failed = (error.details or {}).get("writeErrors", [])
    return bool(failed) and all(one["code"] == _DUPLICATE_KEY for one in failed)


def _outcomes(error: BulkWriteError, count: int) -> list[Exception | None]:
    """Of each document of an unordered insert: none, `IdTaken`, or its own error."""
    details = error.details or {}
    unsure = MongoAway("written, and not known to be durable") if details.get("writeConcernErrors") else None
    outcomes: list[Exception | None] = [unsure] * count
    for one in details.get("writeErrors", []):
        taken = one["code"] == _DUPLICATE_KEY
        outcomes[one["index"]] = IdTaken() if taken else WriteRefused(one["code"])
    return outcomes
