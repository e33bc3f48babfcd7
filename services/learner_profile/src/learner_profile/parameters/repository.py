"""MongoDB: the versions of the model's parameters, in parts that fit a message of the broker.

A version never changes. It folds what is stored from `since` on, which lay in the future when it was written.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from events.payloads import ModelParameters
from learner_model.versions import Effective
from service_kit.mongo import (
    ASCENDING,
    Collection,
    CollectionSpec,
    Database,
    Document,
    Index,
    Session,
    UpdateOne,
)
from service_kit.outbox import OUTBOX_INDEX, flag

PARAMETERS: Final = CollectionSpec(
    "parameters",
    "source",
    (OUTBOX_INDEX, Index((("tenant", ASCENDING), ("since", ASCENDING)))),
)
PART_BYTES: Final = 512 * 1024


@dataclass(frozen=True, slots=True)
class Trained:
    """A version as it was published: from when it holds, and of how many answers it was made."""

    since: datetime
    version: str
    answers: int


class ParametersRepository:
    """Versions of all tenants; every call names its tenant."""

    def __init__(self, db: Database) -> None:
        self._parts: Collection = db[PARAMETERS.name]

    async def versions(self, tenant: str) -> list[Trained]:
        """Those that hold or will hold, by time."""
        query: Document = {"tenant": tenant, "since": {"$exists": True}, "part": 0, "retired": {"$exists": False}}
        found = self._parts.find(query, {"since": 1, "version": 1, "answers": 1}).sort("since", ASCENDING)
        return [Trained(d["since"], d["version"], d["answers"]) async for d in found]

    async def load(self, tenant: str, version: str) -> bytes | None:
        """The bytes of a version; None where a part of it lacks."""
        parts = [d async for d in self._parts.find({"tenant": tenant, "since": {"$exists": True}, "version": version})]
        by_number = {d["part"]: bytes(d["data"]) for d in parts if d.get("data") is not None}
        if not parts or len(by_number) < parts[0]["parts"]:
            return None
        return b"".join(by_number[number] for number in sorted(by_number))

    async def put(self, tenant: str, parts: Sequence[ModelParameters], session: Session, *, publish: bool) -> None:
        """Keep parts of versions; what is there already stays as it is."""
        writes = [
            UpdateOne({"_id": _id(tenant, one)}, {"$setOnInsert": _document(tenant, one, publish)}, upsert=True)
            for one in parts
        ]
        if writes:
            await self._parts.bulk_write(writes, ordered=False, session=session)

    async def retire(self, tenant: str, versions: Iterable[Effective], session: Session) -> None:
        """Have these versions leave, here and from Kafka."""
        for one in versions:
            where = {"tenant": tenant, "since": one.since, "version": one.version}
            change = {"$set": {"retired": True, "data": None, "outbox": flag(one.version)}}
            await self._parts.update_many(where, change, session=session)

    async def remove(self, tenant: str, keys: Iterable[str], session: Session) -> None:
        """Delete parts that were retired elsewhere."""
        await self._parts.delete_many({"_id": {"$in": [f"{tenant}/{key}" for key in keys]}}, session=session)

    async def sweep(self, tenant: str) -> None:
        """Remove what was retired, once Kafka has been told."""
        await self._parts.delete_many(
            {"tenant": tenant, "since": {"$exists": True}, "retired": True, "outbox": {"$exists": False}}
        )


def cut(version: str, since: datetime, answers: int, data: bytes) -> list[ModelParameters]:
    """A version as parts."""
    pieces = [data[at : at + PART_BYTES] for at in range(0, len(data), PART_BYTES)]
    return [
        ModelParameters(version=version, since=since, answers=answers, part=number, parts=len(pieces), weights=piece)
        for number, piece in enumerate(pieces)
    ]


def key_of(version: str, since: datetime, part: int) -> str:
    """What follows the tenant in the record key."""
    return f"{version}/{since:%Y%m%dT%H%M%SZ}/{part}"


def _id(tenant: str, one: ModelParameters) -> str:
    return f"{tenant}/{key_of(one.version, one.since, one.part)}"


def _document(tenant: str, one: ModelParameters, publish: bool) -> Document:
    return {
        "tenant": tenant,
        "key": key_of(one.version, one.since, one.part),
        "version": one.version,
        "since": one.since,
        "answers": one.answers,
        "part": one.part,
        "parts": one.parts,
        "data": one.weights,
        **({"outbox": flag(one.version)} if publish else {}),
    }
