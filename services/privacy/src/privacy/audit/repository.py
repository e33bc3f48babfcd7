"""The chain in MongoDB. Entries are only ever added behind the last one, and taken away from the front by pruning.

`audit_subjects` finds a learner's entries; it is built from the chain, and an erasure takes the learner out of it.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from service_kit.chain import Mark, Signed
from service_kit.mongo import ASCENDING, DESCENDING, CollectionSpec, Database, Document, Index, Session

CHAIN: Final = CollectionSpec(
    "audit_chain", "source", (Index((("tenant", ASCENDING), ("entry_id", ASCENDING)), unique=True),)
)
HEADS: Final = CollectionSpec("audit_heads", "source")
CHECKPOINTS: Final = CollectionSpec(
    "audit_checkpoints",
    "source",
    (
        Index((("mark.tenant", ASCENDING), ("mark.number", ASCENDING)), unique=True),
        Index((("mark.tenant", ASCENDING), ("at", DESCENDING))),
    ),
)
SUBJECTS: Final = CollectionSpec(
    "audit_subjects", "derived", (Index((("tenant", ASCENDING), ("learner", ASCENDING), ("seq", DESCENDING))),)
)
COLLECTIONS: Final = (CHAIN, HEADS, CHECKPOINTS, SUBJECTS)


@dataclass(frozen=True, slots=True)
class Link:
    """An entry in its place."""

    seq: int
    entry_id: str
    line: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a tenant's chain; `checked_seq` and `checked_at`: the last checkpoint's entry and time."""

    signed: Signed
    checked_seq: int
    checked_at: datetime


class Chain:
    def __init__(self, db: Database) -> None:
        self._chain = db[CHAIN.name]
        self._heads = db[HEADS.name]
        self._checkpoints = db[CHECKPOINTS.name]
        self._subjects = db[SUBJECTS.name]

    async def head(self, tenant: str, session: Session | None = None) -> Head | None:
        found = await self._heads.find_one({"_id": tenant}, session=session)
        return _head(found) if found else None

    async def heads(self) -> list[Head]:
        """Of all tenants."""
        return [_head(document) async for document in self._heads.find()]

    async def known(self, tenant: str, entry_ids: Sequence[str], session: Session) -> set[str]:
        """Those of these entries that the chain holds already."""
        wanted = {"tenant": tenant, "entry_id": {"$in": list(entry_ids)}}
        found = self._chain.find(wanted, {"entry_id": 1}, session=session)
        return {document["entry_id"] async for document in found}

    async def append(self, tenant: str, links: Sequence[Link], session: Session) -> None:
        documents = [{"_id": _place(tenant, link.seq), "tenant": tenant, **asdict(link)} for link in links]
        await self._chain.insert_many(documents, session=session)

    async def put_head(self, head: Head, session: Session) -> None:
        document: Document = {"mark": asdict(head.signed.mark), "signature": head.signed.signature}
        document |= {"checked_seq": head.checked_seq, "checked_at": head.checked_at}
        await self._heads.replace_one({"_id": head.signed.mark.tenant}, document, upsert=True, session=session)

    async def add_checkpoint(self, signed: Signed, at: datetime, session: Session) -> None:
        document: Document = {"mark": asdict(signed.mark), "signature": signed.signature, "at": at}
        await self._checkpoints.insert_one(document, session=session)

    async def checkpoints(self, tenant: str, up_to: int) -> list[Signed]:
        found = self._checkpoints.find({"mark.tenant": tenant, "mark.number": {"$lte": up_to}})
        return [_signed(document) async for document in found.sort("mark.number", ASCENDING)]

    async def checkpoint_before(self, tenant: str, at: datetime, session: Session) -> Mark | None:
        """The last checkpoint that was made before that time."""
        wanted = {"mark.tenant": tenant, "at": {"$lt": at}}
        found = await self._checkpoints.find_one(wanted, sort=[("at", DESCENDING)], session=session)
        return _signed(found).mark if found else None

    async def prune(self, tenant: str, up_to: int, session: Session) -> int:
        """Take away the entries up to that one; how many."""
        places = {"$gte": f"{tenant}/", "$lte": _place(tenant, up_to)}
        removed = await self._chain.delete_many({"_id": places}, session=session)
        await self._subjects.delete_many({"_id": places}, session=session)
        return removed.deleted_count

    async def walk(self, tenant: str, after: int, up_to: int) -> AsyncIterator[Link]:
        """Entries in their order."""
        places = {"$gt": _place(tenant, after), "$lte": _place(tenant, up_to)}
        async for document in self._chain.find({"_id": places}).sort("_id", ASCENDING):
            yield _link(document)

    async def page(self, tenant: str, before: int | None, limit: int) -> list[Link]:
        """The newest first, from before that entry on."""
        places = {"$gte": f"{tenant}/", "$lt": _place(tenant, before) if before else f"{tenant}0"}
        found = self._chain.find({"_id": places}).sort("_id", DESCENDING).limit(limit)
        return [_link(document) async for document in found]

    async def index(self, tenant: str, subjects: Iterable[tuple[int, str]], session: Session) -> None:
        """Remember whom the entries are about: (number, learner)."""
        documents = [
            {"_id": f"{_place(tenant, seq)}/{number}", "tenant": tenant, "learner": learner, "seq": seq}
            for number, (seq, learner) in enumerate(subjects)
        ]
        if documents:
            await self._subjects.insert_many(documents, session=session)

    async def about(self, tenant: str, learner: str, before: int | None, limit: int) -> list[Link]:
        """A learner's entries, the newest first."""
        wanted: Document = {"tenant": tenant, "learner": learner}
        if before:
            wanted["seq"] = {"$lt": before}
        found = await self._subjects.find(wanted).sort("seq", DESCENDING).limit(limit).to_list(None)
        places = [_place(tenant, document["seq"]) for document in found]
        links = self._chain.find({"_id": {"$in": places}}).sort("_id", DESCENDING)
        return [_link(document) async for document in links]

    async def forget(self, tenant: str, learner: str, session: Session) -> int:
        """No way leads from the learner to entries any more; the entries stay, sealed. How many there were.

        The head is touched, so that this and a batch of entries that come just now do not pass each other unseen.
        """
        await self._heads.update_one({"_id": tenant}, {"$inc": {"forgotten": 1}}, session=session)
        return (await self._subjects.delete_many({"tenant": tenant, "learner": learner}, session=session)).deleted_count


def _place(tenant: str, seq: int) -> str:
    return f"{tenant}/{seq:012d}"


def _link(document: Document) -> Link:
    return Link(document["seq"], document["entry_id"], document["line"], document["hash"])


def _signed(document: Document) -> Signed:
    return Signed(Mark(**document["mark"]), document["signature"])


def _head(document: Document) -> Head:
    return Head(_signed(document), document["checked_seq"], document["checked_at"])
