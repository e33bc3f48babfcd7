"""Erasures, carried out by each service: block, delete, wait, sweep once more, and only then say so.

The request's message blocks the learner (`ConsentView.put_erased`) and leaves a note in `erasures`, in the transaction
of its batch. This job deletes in transactions of its own, so that a learner with much data holds up nobody's decisions.
A request that began before the block may still have written afterwards: what the sweep finds counts too.

`{_id: "tenant/request", tenant, learner, request, counts, told, refused_until, swept, due_at}`
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar, runtime_checkable

from events.payloads import Receipt, Told
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from service_kit.clock import Clock
from service_kit.keys.held import HeldKeys
from service_kit.mongo import (
    ASCENDING,
    Client,
    Collection,
    CollectionSpec,
    Database,
    Document,
    Index,
    Session,
    in_transaction,
)
from service_kit.settings import danger
from service_kit.turning import Turning, quietly

log = logging.getLogger(__name__)

ERASURES: Final = CollectionSpec("erasures", "source", (Index((("due_at", ASCENDING),)),))
REST_SECONDS: Final = 0.5
CLAIM: Final = timedelta(seconds=60)
DEADLINE_SECONDS: Final = 45.0
PART: Final = 1000
T = TypeVar("T")

SendReceipt = Callable[[str, str, Receipt, Session], Awaitable[None]]


class ErasingSettings(BaseSettings):
    """How a service makes sure that nothing written meanwhile outlives an erasure."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", frozen=True, extra="ignore")

    erasure_fence_seconds: float = Field(
        2,
        gt=0,
        le=50,
        description="Between the deletion and the sweep after it: requests begun before the block end in this time",
        json_schema_extra=danger(
            "Much below 2: ingest looks again after every write that took longer than half of it."
        ),
    )


class Erases(Protocol):
    async def erase(self, tenant: str, learner: str, session: Session) -> Mapping[str, int]: ...


@dataclass(frozen=True, slots=True)
class Passed:
    """All recipients outside, and until when a keyed hash refuses who comes back, where the policy says so."""

    told: Sequence[Told] = ()
    returning_refused_until: datetime | None = None


@runtime_checkable
class PassesOn(Protocol):
    """A service that gives data to recipients outside."""

    async def pass_on(self, tenant: str, learner: str, request: str, session: Session) -> Passed:
        """Before anything is deleted: have each recipient told (GDPR 19), keep what the policy has kept."""
        ...


@runtime_checkable
class ErasesInParts(Protocol):
    """A service that holds so much of a learner that one transaction may not be enough."""

    async def erase_part(self, tenant: str, learner: str, limit: int, session: Session) -> Mapping[str, int]:
        """Delete up to so many; documents removed, by collection. Nothing: the rest is for `erase`."""
        ...


class Erasures:
    """The notes of what is to be erased."""

    def __init__(self, db: Database) -> None:
        self._erasures: Collection = db[ERASURES.name]

    async def begin(self, tenant: str, learner: str, request: str, clock: Clock, session: Session) -> None:
        """Note it, also when it was carried out before: the request is sent again where the receipt was lost."""
        note = {"tenant": tenant, "learner": learner, "request": request, "counts": {}, "swept": False}
        await self._erasures.update_one(
            {"_id": f"{tenant}/{request}"}, {"$setOnInsert": note | {"due_at": clock()}}, upsert=True, session=session
        )


class Erasing:
    """The worker's job. `wake` after a batch was committed makes it look at once."""

    def __init__(
        self,
        client: Client,
        db: Database,
        service: str,
        participant: Erases,
        clock: Clock,
        receipt: SendReceipt,
        sent: Callable[[], None],
        keys: HeldKeys | None = None,
    ) -> None:
        """`keys`: what is held of the learner's key goes with the rest, and every replica drops what it has open."""
        self._client = client
        self._erasures: Collection = db[ERASURES.name]
        self._service = service
        self._participant = participant
        self._clock = clock
        self._receipt = receipt
        self._sent = sent
        self._keys = keys
        self._fence = timedelta(seconds=ErasingSettings().erasure_fence_seconds)
        turning = Turning("erasing", self.turn, rest_seconds=REST_SECONDS)
        self.run, self.wake, self.check = turning.run, turning.wake, turning.check

    async def turn(self) -> bool:
        """Carry out the next that is due; whether there was one."""
        now = self._clock()
        note = await self._erasures.find_one_and_update(
            {"due_at": {"$lte": now}}, {"$set": {"due_at": now + CLAIM}}, sort=[("due_at", ASCENDING)]
        )
        if note is None:
            return False
        try:
            done = await self._go_on(note)
        except Exception:
            await quietly(self._give_back(note["_id"]))
            raise
        if done:
            self._sent()
        return True

    async def _go_on(self, note: Document) -> bool:
        """One of the two rounds; whether it was the second. Who erases in parts keeps for the second what finds the
        rest: without identities nothing of a late write could be told to be the learner's.
        """
        note = note if note["swept"] else await self._begin(note)
        note = await self._in_parts(note)
        if not note["swept"] and isinstance(self._participant, ErasesInParts):
            await self._sweep_later(note, note["counts"], None)
            return False
        return await self._transact(lambda session: self._carry_out(note, session))

    async def _sweep_later(self, note: Document, counts: Mapping[str, int], session: Session | None) -> None:
        later = {"counts": dict(counts), "swept": True, "due_at": self._clock() + self._fence}
        await self._erasures.update_one({"_id": note["_id"], "swept": False}, {"$set": later}, session=session)

    async def _begin(self, note: Document) -> Document:
        """Before anything is deleted: recipients outside. Once."""
        participant = self._participant
        if "told" in note or not isinstance(participant, PassesOn):
            return note

        async def pass_on(session: Session) -> Document:
            passed = await participant.pass_on(note["tenant"], note["learner"], note["request"], session)
            said: Document = {
                "told": [one.model_dump() for one in passed.told],
                "refused_until": passed.returning_refused_until,
            }
            await self._erasures.update_one({"_id": note["_id"]}, {"$set": said}, session=session)
            return note | said

        return await self._transact(pass_on)

    async def _in_parts(self, note: Document) -> Document:
        """What is much, a part at a time; each is counted in the transaction that deletes it."""
        participant = self._participant
        if not isinstance(participant, ErasesInParts):
            return note
        while True:
            held = note

            async def part(session: Session, held: Document = held) -> Document | None:
                removed = await participant.erase_part(held["tenant"], held["learner"], PART, session)
                if not removed:
                    return None
                said = {"counts": _sum(held["counts"], removed), "due_at": self._clock() + CLAIM}
                await self._erasures.update_one({"_id": held["_id"]}, {"$set": said}, session=session)
                return held | said

            after = await self._transact(part)
            if after is None:
                return note
            note = after

    async def _transact(self, body: Callable[[Session], Awaitable[T]]) -> T:
        return await in_transaction(self._client, body, deadline_seconds=DEADLINE_SECONDS)

    async def _give_back(self, note: str) -> None:
        await self._erasures.update_one({"_id": note}, {"$set": {"due_at": self._clock()}})

    async def _carry_out(self, note: Document, session: Session) -> bool:
        """Delete (again); the receipt goes out after the sweep. Whether it was that."""
        tenant, learner = note["tenant"], note["learner"]
        told, until = list(note.get("told", ())), note.get("refused_until")
        counts = _sum(note["counts"], await self._participant.erase(tenant, learner, session))
        if self._keys is not None:
            await self._keys.forget(tenant, learner, self._clock(), session)
        if not note["swept"]:
            await self._sweep_later(note, counts, session)
            return False
        await self._erasures.delete_one({"_id": note["_id"]}, session=session)
        receipt = Receipt(
            service=self._service,
            kind="erasure",
            request_id=note["request"],
            counts=counts,
            recipients=[Told.model_validate(one) for one in told],
            returning_refused_until=until,
            completed_at=self._clock(),
        )
        await self._receipt(tenant, learner, receipt, session)
        return True


def _sum(counts: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) + more.get(name, 0) for name in {**counts, **more}}
