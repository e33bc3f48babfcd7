"""Seals what lies in the clear from before there were keys: slowly, and on from where it was when it was stopped.

Each place is walked once, by `_id`; where it stands is noted in `key_migrations`. What is written meanwhile is sealed
already, so that one walk is enough. The oplog keeps the clear bytes until it has gone round, Kafka until its retention
is over (`docs/guides/keys.md`).
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from events.sealing import KeyGone, Owner, Sealer

from service_kit import metrics
from service_kit.clock import Clock, system_clock
from service_kit.metrics import Reading
from service_kit.mongo import ASCENDING, Collection, CollectionSpec, Database, Document, UpdateOne
from service_kit.turning import Turning

log = logging.getLogger(__name__)

MIGRATIONS: Final = CollectionSpec("key_migrations", "source")
REST_SECONDS: Final = 1.0


@dataclass(frozen=True)
class Place:
    """Where sealed bytes lie: `data` and `key` are fields, dotted where they lie deeper.

    `owner` says whose a document is; None: nobody's, it stays as it is.
    """

    collection: str
    data: str
    key: str
    owner: Callable[[Document], Owner | None]

    @property
    def name(self) -> str:
        return f"{self.collection}.{self.data}"


class Walk(Protocol):
    """A place where more is to be done than to seal a field."""

    @property
    def name(self) -> str: ...

    @property
    def collection(self) -> str: ...

    async def seal(self, found: Sequence[Document]) -> int:
        """Seal what belongs to these documents; how many things lay in the clear. Repeatable."""
        ...


class Migrating:
    """The worker's job: `batch` documents a second, at most."""

    def __init__(
        self,
        db: Database,
        sealer: Sealer,
        places: Sequence[Place | Walk],
        batch: int,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._sealer = sealer
        self._clock = clock
        self._places = places
        self._batch = batch
        self._notes: Collection = db[MIGRATIONS.name]
        self._unchecked = dict.fromkeys([place.name for place in places], 0)
        self._turning = Turning("sealing", self._turn, rest_seconds=REST_SECONDS)
        self.run = self._turning.run
        self.check = self._turning.check

    def observe(self) -> None:
        """Have the metric read, once a process."""

        def read() -> Iterable[Reading]:
            return [(count, {"place": name}) for name, count in self._unchecked.items()]

        metrics.observe(metrics.KEYS_UNCHECKED, read)

    async def _turn(self) -> bool:
        """One place after the other: an owner may be read from what a later place seals."""
        for place in self._places:
            note = await self._notes.find_one({"_id": place.name})
            if not (note or {}).get("done"):
                await self.turn(place)
                break
        return False

    async def turn(self, place: Place | Walk) -> int:
        """Walk on by a batch; how many documents were sealed."""
        note = await self._notes.find_one({"_id": place.name}) or {}
        if note.get("done"):
            self._unchecked[place.name] = 0
            return 0
        collection: Collection = self._db[place.collection]
        after = {"_id": {"$gt": note["after"]}} if "after" in note else {}
        found = await collection.find(after).sort("_id", ASCENDING).limit(self._batch).to_list(None)
        sealed = await (self._seal(collection, place, found) if isinstance(place, Place) else place.seal(found))
        seen = note.get("seen", 0) + len(found)
        done = len(found) < self._batch
        # Where it stands may name a learner: nothing is to be left of that at the end.
        stands: Document = {"$unset": {"after": ""}} if done else {"$set": {"after": found[-1]["_id"]}}
        clear: Document = {"clear_at": self._clock()} if sealed else {}
        now = {"$set": {"done": done, "seen": seen, **clear, **stands.pop("$set", {})}, **stands}
        await self._notes.update_one({"_id": place.name}, now, upsert=True)
        self._unchecked[place.name] = 0 if done else max(0, await collection.estimated_document_count() - seen)
        if done:
            log.info("nothing lies in the clear any more", extra={"place": place.name})
        return sealed

    async def _seal(self, collection: Collection, place: Place, found: Sequence[Document]) -> int:
        clear = [
            (document, owner, bytes(data))
            for document in found
            if (data := _at(document, place.data)) is not None
            and _at(document, place.key) is None
            and (owner := place.owner(document)) is not None
        ]
        changes: list[Any] = []
        for document, owner, data in clear:
            try:
                [sealed] = await self._sealer.seal([(owner, data)])
            except KeyGone:  # it is being erased
                continue
            where = {"_id": document["_id"], place.data: _at(document, place.data), place.key: None}
            changes.append(UpdateOne(where, {"$set": {place.data: sealed.data, place.key: sealed.key}}))
        if changes:
            await collection.bulk_write(changes, ordered=False)
        return len(changes)


def by_id(document: Document) -> Owner:
    """Of a document whose `_id` is `tenant/learner`."""
    tenant, _, learner = str(document["_id"]).partition("/")
    return Owner(tenant, learner)


def by_fields(document: Document) -> Owner:
    """Of a document with the fields `tenant` and `learner`."""
    return Owner(document["tenant"], document["learner"])


def _at(document: Document, path: str) -> Any:
    value: Any = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
