"""The collection `attachments.files`: one document for the data of each attachment of a learner, in whichever store.

`{_id, length, chunkSize, uploadDate, metadata: {tenant, learner, key, others?, size, whole?, due?}}`, so that with the
chunks in MongoDB it is a file of GridFS. `whole` is the key `tenant/learner/sha2` and stands there only once all bytes
are durable: by it the data is found, and unique. `due` is when to look whether a statement holds it, else it goes.
The bytes are sealed chunk by chunk under the data key named by `key`: `length` counts them sealed, `size` as they came.
A signature holds a whole statement, and is sealed under `others` too, the keys of whoever else that names (`sharing`);
its key is `tenant/signed/learner/sha2`.

Nothing is lost or left over, whatever dies in between: the document is written before the bytes, and `whole` after;
what is used again gets a later `due` in the same command that finds it, and the sweep takes `whole` away only if `due`
is still what it saw, before it deletes a byte.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from collections.abc import Collection as AnyCollection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import uuid4

from events.sealing import KeyGone, Owner, Sealer
from service_kit.clock import Clock
from service_kit.mongo import (
    ASCENDING,
    Collection,
    CollectionSpec,
    Database,
    Document,
    DuplicateKeyError,
    Index,
    MongoAway,
    Session,
    in_transaction,
)
from xapi.parsing import JsonObject

from ingest.attachments.blobs import BlobGone, Blobs
from ingest.attachments.spool import Spool
from ingest.sharing import Shared, open_shared, owners_of, seal_shared

FILES: Final = CollectionSpec(
    "attachments.files",
    "source",
    (
        Index((("metadata.whole", ASCENDING),), unique=True, where={"metadata.whole": {"$exists": True}}),
        Index((("metadata.due", ASCENDING),), where={"metadata.due": {"$exists": True}}),
        Index((("metadata.tenant", ASCENDING), ("metadata.learner", ASCENDING))),
    ),
)
CHUNK: Final = 255 * 1024
"""As GridFS has it by default."""
GRACE: Final = timedelta(hours=1)
"""Much longer than any request may take from the attachment's data to its statement."""
_SWEPT_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Held:
    """An attachment's data that can be read."""

    name: str
    size: int
    chunk_size: int
    keys: tuple[str | None, ...]


class Holders(Protocol):
    """Who knows which attachments the stored statements hold."""

    async def hold(self, key: str) -> bool: ...


def key_of(owner: Owner, sha2: str) -> str:
    """What a statement's document names an attachment's data by."""
    return f"{owner.tenant}/{owner.learner}/{sha2.lower()}"


def key_of_signature(owner: Owner, sha2: str) -> str:
    return f"{owner.tenant}/signed/{owner.learner}/{sha2.lower()}"


def sha2_of(key: str) -> str:
    return key.rpartition("/")[2]


def sha2s_of(statement: JsonObject) -> list[str]:
    """The SHA-2 of each attachment of a valid statement and of its SubStatement."""
    return [one["sha2"] for part in (statement, statement["object"]) for one in part.get("attachments", ())]


class AttachmentRepository:
    def __init__(self, db: Database, blobs: Blobs, sealer: Sealer, clock: Clock) -> None:
        self._files: Collection = db[FILES.name]
        self._blobs = blobs
        self._sealer = sealer
        self._clock = clock

    # Writing

    async def keep(self, owner: Owner, sha2: str, data: Spool) -> str:
        """The key of the data, which is durable now: what was there already, or a new copy."""
        return await self.keep_under(key_of(owner, sha2), [owner], data)

    async def keep_under(self, key: str, owners: Sequence[Owner], data: Spool) -> str:
        """The same under this key; the first of the owners is who it is kept and forgotten with."""
        if not await self._again(key):
            await self._add(key, owners, data)
        return key

    async def _again(self, key: str) -> bool:
        """Whether it is there; if so, it stays for at least `GRACE`."""
        later = {"$set": {"metadata.due": self._due()}}
        return (await self._files.update_one({"metadata.whole": key}, later)).matched_count > 0

    async def _add(self, key: str, owners: Sequence[Owner], data: Spool) -> None:
        name, done = await self._written(owners, data.chunks(CHUNK), data.size)
        try:
            written = await self._files.update_one({"_id": name}, {"$set": done | {"metadata.whole": key}})
        except DuplicateKeyError:  # another request has brought the same meanwhile; the sweep takes this copy
            if not await self._again(key):
                raise MongoAway("an attachment was taken away while it was received") from None
        else:
            if written.matched_count == 0:
                raise MongoAway("an attachment was swept while it was received")

    async def _written(self, owners: Sequence[Owner], chunks: AsyncIterator[bytes], size: int) -> tuple[str, Document]:
        """A new copy that no key leads to yet: its name, and what to set on its document."""
        name, owner = str(uuid4()), owners[0]
        about = {"tenant": owner.tenant, "learner": owner.learner, "due": self._due()}
        file = {"_id": name, "length": 0, "chunkSize": CHUNK, "uploadDate": self._clock(), "metadata": about}
        await self._files.insert_one(file)
        sealing = _Sealing(self._sealer, owners)
        await self._blobs.write(name, sealing.chunks(chunks))
        done: Document = {
            "length": sealing.length,
            "chunkSize": sealing.chunk_size,
            "metadata.key": sealing.keys[0] if sealing.keys else None,
            "metadata.size": size,
        }
        if len(sealing.keys) > 1:
            done["metadata.others"] = list(sealing.keys[1:])
        return name, done

    async def renew(self, file: Document, owners: Sequence[Owner]) -> None:
        """Have a sealed copy take the place of data in the clear. Raises `BlobGone`, `KeyGone`.

        Whoever reads the clear one just then meets what a sweep would leave, and reads again. A copy that was cut off
        is swept.
        """
        held = _held(file)
        key = file["metadata"]["whole"]
        name, done = await self._written(owners, self.read(held), held.size)

        async def swap(session: Session) -> bool:
            still = {"_id": file["_id"], "metadata.whole": key}
            gone = {"$unset": {"metadata.whole": ""}, "$set": {"metadata.due": self._clock()}}
            if (await self._files.update_one(still, gone, session=session)).matched_count == 0:
                return False
            await self._files.update_one({"_id": name}, {"$set": done | {"metadata.whole": key}}, session=session)
            return True

        swapped = await in_transaction(self._files.database.client, swap)
        await self._remove([file["_id"] if swapped else name])

    def _due(self) -> datetime:
        return self._clock() + GRACE

    # Reading

    async def find(self, keys: AnyCollection[str]) -> dict[str, Held]:
        """By key; what is forgotten or was swept is left out."""
        found = await self._files.find({"metadata.whole": {"$in": list(keys)}}).to_list(None) if keys else []
        held = {d["metadata"]["whole"]: _held(d) for d in found}
        return {key: one for key, one in held.items() if len(one.keys) == 1 or await self._is_readable(one)}

    async def _is_readable(self, held: Held) -> bool:
        """Whether everyone is still there under whose keys it lies: nobody learns of it in the middle of an answer."""
        try:
            chunks = [chunk async for chunk in self._blobs.read(held.name, held.chunk_size)]
        except BlobGone:
            return False
        return None not in await open_shared(self._sealer, [Shared(chunk, held.keys) for chunk in chunks[:1]])

    async def of_learner(self, tenant: str, learner: str) -> dict[str, Held]:
        """All of a learner's that are whole, by key."""
        where = {"metadata.tenant": tenant, "metadata.learner": learner}
        found = await self._files.find(where).to_list(None)
        return {d["metadata"]["whole"]: _held(d) for d in found if "whole" in d["metadata"]}

    async def read(self, held: Held) -> AsyncIterator[bytes]:
        """The data as it came. Raises `BlobGone` where it was forgotten meanwhile, `KeyGone`."""
        read = 0
        async for chunk in self._blobs.read(held.name, held.chunk_size):
            (opened,) = await open_shared(self._sealer, [Shared(chunk, held.keys)])
            if opened is None:
                raise KeyGone(held.name)
            read += len(opened)
            yield opened
        if read != held.size:
            raise BlobGone(held.name)

    # Forgetting

    async def forget(self, tenant: str, learner: str) -> int:
        """Delete everything of the learner's; how many there were. Repeatable, in no transaction: bytes know none."""
        where = {"metadata.tenant": tenant, "metadata.learner": learner}
        names = [d["_id"] for d in await self._files.find(where, {"_id": 1}).to_list(None)]
        await self._remove(names)
        return len(names)

    async def discard(self, keys: Sequence[str]) -> None:
        """Delete these. Repeatable, in no transaction."""
        if keys:
            found = await self._files.find({"metadata.whole": {"$in": list(keys)}}, {"_id": 1}).to_list(None)
            await self._remove([d["_id"] for d in found])

    async def look_again(self, keys: Sequence[str], session: Session) -> None:
        """Have the sweep find out, when no request can be using them any more, whether a statement holds these."""
        where = {"metadata.whole": {"$in": list(keys)}}
        if keys:
            await self._files.update_many(where, {"$max": {"metadata.due": self._due()}}, session=session)

    async def sweep(self, holders: Holders) -> int:
        """Delete what no statement holds though its time is over; how many. Safe beside other sweeps and requests."""
        due = {"metadata.due": {"$lte": self._clock()}}
        found = await self._files.find(due).sort("metadata.due", ASCENDING).limit(_SWEPT_AT_ONCE).to_list(None)
        return sum([await self._swept(file, holders) for file in found])

    async def _swept(self, file: Document, holders: Holders) -> bool:
        about = file["metadata"]
        unchanged = {"_id": file["_id"], "metadata.due": about["due"]}
        if "whole" in about and await holders.hold(about["whole"]):
            await self._files.update_one(unchanged, {"$unset": {"metadata.due": ""}})
            return False
        if (await self._files.update_one(unchanged, {"$unset": {"metadata.whole": ""}})).matched_count:
            await self._remove([file["_id"]])
            return True
        return False

    async def _remove(self, names: Sequence[str]) -> None:
        """The document last: what a removal that was cut off leaves, the sweep takes."""
        if names:
            hidden = {"$unset": {"metadata.whole": ""}, "$set": {"metadata.due": self._clock()}}
            await self._files.update_many({"_id": {"$in": names}}, hidden)
            await self._blobs.delete(names)
            await self._files.delete_many({"_id": {"$in": names}})


class _Sealing:
    """Seals a spool's chunks one by one, and afterwards tells what became of them."""

    def __init__(self, sealer: Sealer, owners: Sequence[Owner]) -> None:
        self._sealer = sealer
        self._owners = owners
        self.length = 0
        self.chunk_size = CHUNK
        self.keys: tuple[str | None, ...] = ()

    async def chunks(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            (sealed,) = await seal_shared(self._sealer, [(self._owners, chunk)])
            if self.length == 0:
                self.keys, self.chunk_size = sealed.keys, len(sealed.data)
            elif sealed.keys != self.keys:
                raise MongoAway("a learner's data key changed while an attachment was received")
            self.length += len(sealed.data)
            yield sealed.data


@dataclass(frozen=True, slots=True)
class Attachments:
    """The data that came with a request, by its SHA-2 in lower case."""

    repository: AttachmentRepository
    spools: dict[str, Spool]
    _kept: dict[str, str] = field(default_factory=dict)

    async def keep(
        self, tenant: str, learners: Sequence[str], sha2s: Iterable[str], signatures: AnyCollection[str] = ()
    ) -> list[str]:
        """The keys of those of a statement's attachments whose data came; durable when this returns.

        `learners` are whom the statement names, the first of those it is about before all. `signatures` are the
        attachments that hold the whole statement.
        """
        owners, signed = owners_of(tenant, learners), {one.lower() for one in signatures}
        keys: list[str] = []
        for sha2 in dict.fromkeys(one.lower() for one in sha2s):
            if sha2 not in self.spools:
                continue
            key = key_of_signature(owners[0], sha2) if sha2 in signed else key_of(owners[0], sha2)
            if key not in self._kept:
                kept_for = owners if sha2 in signed else owners[:1]
                self._kept[key] = await self.repository.keep_under(key, kept_for, self.spools[sha2])
            keys.append(key)
        return keys


def _held(file: Document) -> Held:
    about = file["metadata"]
    return Held(file["_id"], about["size"], file["chunkSize"], (about["key"], *about.get("others", ())))
