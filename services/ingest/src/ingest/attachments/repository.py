"""The collection `attachments.files`: one document for the data of each attachment of a learner, in whichever store.

`{_id, length, chunkSize, uploadDate, metadata: {tenant, learner, key, size, whole?, due?}}`, so that with the chunks in
MongoDB it is a file of GridFS. `whole` is the key `tenant/learner/sha2` and stands there only once all bytes are
durable: by it the data is found, and it is unique. `due` is when to look whether a statement holds it; then it goes.
The bytes are sealed chunk by chunk under the data key named by `key`: `length` counts them sealed, `size` as they came.

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

from events.sealing import Owner, Sealed, Sealer
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
)
from xapi.parsing import JsonObject

from ingest.attachments.blobs import BlobGone, Blobs
from ingest.attachments.spool import Spool

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
    key: str | None


class Holders(Protocol):
    """Who knows which attachments the stored statements hold."""

    async def hold(self, key: str) -> bool: ...


def key_of(owner: Owner, sha2: str) -> str:
    """What a statement's document names an attachment's data by."""
    return f"{owner.tenant}/{owner.learner}/{sha2.lower()}"


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
        key = key_of(owner, sha2)
        if not await self._again(key):
            await self._add(key, owner, data)
        return key

    async def _again(self, key: str) -> bool:
        """Whether it is there; if so, it stays for at least `GRACE`."""
        later = {"$set": {"metadata.due": self._due()}}
        return (await self._files.update_one({"metadata.whole": key}, later)).matched_count > 0

    async def _add(self, key: str, owner: Owner, data: Spool) -> None:
        name = str(uuid4())
        about = {"tenant": owner.tenant, "learner": owner.learner, "due": self._due()}
        file = {"_id": name, "length": 0, "chunkSize": CHUNK, "uploadDate": self._clock(), "metadata": about}
        await self._files.insert_one(file)
        sealing = _Sealing(self._sealer, owner)
        await self._blobs.write(name, sealing.chunks(data))
        done = {
            "length": sealing.length,
            "chunkSize": sealing.chunk_size,
            "metadata.key": sealing.key,
            "metadata.size": data.size,
            "metadata.whole": key,
        }
        try:
            written = await self._files.update_one({"_id": name}, {"$set": done})
        except DuplicateKeyError:  # another request has brought the same meanwhile; the sweep takes this copy
            if not await self._again(key):
                raise MongoAway("an attachment was taken away while it was received") from None
        else:
            if written.matched_count == 0:
                raise MongoAway("an attachment was swept while it was received")

    def _due(self) -> datetime:
        return self._clock() + GRACE

    # Reading

    async def find(self, keys: AnyCollection[str]) -> dict[str, Held]:
        """By key; what is forgotten or was swept is left out."""
        found = await self._files.find({"metadata.whole": {"$in": list(keys)}}).to_list(None) if keys else []
        return {d["metadata"]["whole"]: _held(d) for d in found}

    async def of_learner(self, tenant: str, learner: str) -> dict[str, Held]:
        """All of a learner's that are whole, by key."""
        where = {"metadata.tenant": tenant, "metadata.learner": learner}
        found = await self._files.find(where).to_list(None)
        return {d["metadata"]["whole"]: _held(d) for d in found if "whole" in d["metadata"]}

    async def read(self, held: Held) -> AsyncIterator[bytes]:
        """The data as it came. Raises `BlobGone` where it was forgotten meanwhile, `KeyGone`."""
        read = 0
        async for chunk in self._blobs.read(held.name, held.chunk_size):
            (opened,) = await self._sealer.open([Sealed(chunk, held.key)])
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

    def __init__(self, sealer: Sealer, owner: Owner) -> None:
        self._sealer = sealer
        self._owner = owner
        self.length = 0
        self.chunk_size = CHUNK
        self.key: str | None = None

    async def chunks(self, data: Spool) -> AsyncIterator[bytes]:
        async for chunk in data.chunks(CHUNK):
            (sealed,) = await self._sealer.seal([(self._owner, chunk)])
            if self.length == 0:
                self.key, self.chunk_size = sealed.key, len(sealed.data)
            elif sealed.key != self.key:
                raise MongoAway("a learner's data key changed while an attachment was received")
            self.length += len(sealed.data)
            yield sealed.data


@dataclass(frozen=True, slots=True)
class Attachments:
    """The data that came with a request, by its SHA-2 in lower case."""

    repository: AttachmentRepository
    spools: dict[str, Spool]
    _kept: dict[tuple[Owner, str], str] = field(default_factory=dict)

    async def keep(self, tenant: str, learner: str, sha2s: Iterable[str]) -> list[str]:
        """The keys of those of a statement's attachments whose data came; durable when this returns."""
        owner = Owner(tenant, learner)
        wanted = [sha2 for sha2 in dict.fromkeys(one.lower() for one in sha2s) if sha2 in self.spools]
        for sha2 in wanted:
            if (owner, sha2) not in self._kept:
                self._kept[owner, sha2] = await self.repository.keep(owner, sha2, self.spools[sha2])
        return [self._kept[owner, sha2] for sha2 in wanted]


def _held(file: Document) -> Held:
    about = file["metadata"]
    return Held(file["_id"], about["size"], file["chunkSize"], about["key"])
