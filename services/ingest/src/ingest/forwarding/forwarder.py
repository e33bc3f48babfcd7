"""The work of forwarding: each forwarding by one replica (leases), in order, from its place in the store.

It reads MongoDB and not Kafka, where nobody has a name. The place moves after the other LRS has answered, so that a
kill repeats a batch and leaves none out.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import httpx2
import xapi
from events.cancellation import heed_cancellation
from events.errors import NotReady
from service_kit import metrics
from service_kit.clock import Clock
from service_kit.consent import ConsentView, PolicyUnknown
from service_kit.leases import TTL_SECONDS, Leases
from service_kit.metrics import Reading
from service_kit.mongo import Database, Document, away
from service_kit.turning import quietly
from xapi.parsing import JsonObject

from ingest.attachments.repository import AttachmentRepository
from ingest.disclosures.repository import DisclosureRepository, Recipient
from ingest.forwarding.choosing import as_sent, is_chosen
from ingest.forwarding.repository import SHARDS, DeadLetter, Forwarding, ForwardingRepository, Overtaken, Step
from ingest.forwarding.sending import TIMEOUT_SECONDS, Delivery, HttpTarget, Item, Waits, deliver
from ingest.statements.reading import place_of
from ingest.statements.repository import Selection, StatementRepository
from ingest.statements.stamps import to_micros

log = logging.getLogger(__name__)

BATCH: Final = 100
BATCH_BYTES: Final = 4 * 1024 * 1024
LONGEST_WAIT_SECONDS: Final = 300.0
PATIENCE: Final = 5
"""Answers of 500 in a row before one statement is suspected."""


@dataclass
class Standing:
    """How one forwarding does in this process."""

    oldest: int | None = None  # `stored` of the first statement that waits
    forwarded: int = 0
    dead: int = 0


@dataclass
class Forwarder:
    """`run` works the forwardings of the shards that this replica holds."""

    db: Database
    forwardings: ForwardingRepository
    statements: StatementRepository
    attachments: AttachmentRepository
    consents: ConsentView
    disclosures: DisclosureRepository
    consistent_through: Callable[[], Awaitable[int]]
    clock: Clock
    first_wait_seconds: float = 1.0
    poll_seconds: float = 0.5
    standings: dict[str, Standing] = field(default_factory=dict)

    async def run(self) -> None:
        """Until cancelled; MongoDB away means wait and try again."""
        leases = Leases(self.db, "forwardings", SHARDS)
        tasks: dict[str, asyncio.Task[None]] = {}
        async with httpx2.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False) as http:
            try:
                while True:
                    heed_cancellation()
                    await self._look(leases, http, tasks)
                    await asyncio.sleep(min(TTL_SECONDS / 3, 2 * self.poll_seconds))
            finally:
                await _stop(tasks)
                await quietly(leases.release())

    async def _look(self, leases: Leases, http: httpx2.AsyncClient, tasks: dict[str, asyncio.Task[None]]) -> None:
        try:
            due = {one.id: one for one in await self.forwardings.of_shards(await leases.renew())}
        except Exception as error:
            if not (away(error) or isinstance(error, NotReady)):
                raise
            log.warning("forwarding waits: %s", type(error).__name__)
            return
        await _stop({name: tasks.pop(name) for name in list(tasks) if name not in due or tasks[name].done()})
        for name in self.standings.keys() - due.keys():
            del self.standings[name]
        for name, one in due.items():
            if name not in tasks:
                tasks[name] = asyncio.create_task(self._work(one, HttpTarget(http, self.attachments, one)))

    async def _work(self, forwarding: Forwarding, target: HttpTarget) -> None:
        """One forwarding until it is overtaken or deleted."""
        wait, fives = self.first_wait_seconds, 0
        while True:
            heed_cancellation()
            try:
                moved = await self.turn(forwarding, target, failing_long=fives >= PATIENCE)
            except Overtaken:
                return  # looked up again with its new place, if it is still ours
            except Exception as error:
                asked = await self._waits(forwarding, error)
                fives = fives + 1 if isinstance(error, Waits) and error.reason == "500" else 0
                await asyncio.sleep(asked or wait * random.uniform(0.75, 1.25))  # noqa: S311 — no secret
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)
                continue
            wait, fives = self.first_wait_seconds, 0
            if moved is None:
                await asyncio.sleep(self.poll_seconds)
            else:
                forwarding = moved

    async def turn(
        self, forwarding: Forwarding, target: HttpTarget, *, failing_long: bool = False
    ) -> Forwarding | None:
        """Replays, then the next statements; the forwarding at its new place, None where there was nothing to do.

        Raises `Waits`, `Overtaken`.
        """
        await self._replay(forwarding, target)
        standing = self.standings.setdefault(forwarding.id, Standing())
        selection = Selection(until=await self.consistent_through(), ascending=True)
        page = await self.statements.page(
            forwarding.tenant, selection, after=forwarding.place, limit=BATCH, authority=None
        )
        standing.oldest = page[0]["stored"] if page else None
        if not page:
            return None
        items, taken, withheld = await self._items(forwarding, page)
        delivery = await deliver(target, items, failing_long=failing_long)
        await self._disclosed(forwarding, items, delivery)
        place = place_of(page[taken - 1])
        await self.forwardings.step(forwarding, Step(place, delivery.forwarded, withheld, delivery.dead), self.clock())
        standing.forwarded += delivery.forwarded
        standing.dead += len(delivery.dead)
        standing.oldest = None if len(page) < BATCH else place.stored
        return replace(forwarding, place=place)

    async def _items(self, forwarding: Forwarding, page: Sequence[Document]) -> tuple[list[Item], int, int]:
        """What is to be sent of the page's first documents, how many those are, how many of them are withheld."""
        found = {document["_id"]: document for document in await self.statements.find([d["_id"] for d in page])}
        documents = [found[d["_id"]] for d in page if d["_id"] in found]
        read = await self._read(documents)
        chosen = {key for key, statement in read.items() if is_chosen(forwarding.filters, statement)}
        allowed = await self._allowed(forwarding, [d for d in documents if d["_id"] in chosen])
        items: list[Item] = []
        withheld = size = 0
        for number, document in enumerate(page):
            key = document["_id"]
            if key not in chosen:
                continue
            if key not in allowed:
                withheld += 1
                continue
            item = _item(found[key], read[key])
            size += len(item.body)
            if items and size > BATCH_BYTES:
                return items, number, withheld
            items.append(item)
            if item.blobs:  # which may be large: it ends the batch
                return items, number + 1, withheld
        return items, len(page), withheld

    async def _replay(self, forwarding: Forwarding, target: HttpTarget) -> None:
        """Dead letters that are to be sent again, each by itself; those whose statement is gone leave."""
        keys = await self.forwardings.to_replay(forwarding, BATCH)
        if not keys:
            return
        documents = [d for d in await self.statements.find(keys) if "stored" in d]
        found = {document["_id"]: document for document in documents}
        read = await self._read(documents)
        allowed = await self._allowed(forwarding, [d for d in documents if d["_id"] in read])
        for key in keys:
            items = [_item(found[key], read[key])] if key in allowed else []
            delivery = await _again(target, items)
            await self._disclosed(forwarding, items, delivery)
            gone = [] if delivery.dead else [key]
            await self.forwardings.replayed(forwarding, gone, delivery.forwarded, delivery.dead, self.clock())

    async def _disclosed(self, forwarding: Forwarding, items: Sequence[Item], delivery: Delivery) -> None:
        """Before the place moves: what was given is recorded, at least once."""
        dead = {letter.statement for letter in delivery.dead}
        given = [item.learners for item in items if item.key not in dead]
        await self.disclosures.record(forwarding.tenant, recipient_of(forwarding), given, self.clock())

    async def _read(self, documents: Sequence[Document]) -> dict[str, JsonObject]:
        return {d["_id"]: xapi.loads(data) for d, data in await self.statements.readable(documents)}

    async def _allowed(self, forwarding: Forwarding, documents: Sequence[Document]) -> set[str]:
        """Those whose learners all allow the purpose, now; nothing unlinked. Raises `PolicyUnknown`."""
        learners = {learner for d in documents for learner in d["learners"] if learner is not None}
        if not documents:
            return set()
        standings = await self.consents.standings(forwarding.tenant, learners)
        may = {one for one, held in standings.items() if held.allows(forwarding.purpose) and not held.restricted}
        linked = [d for d in documents if any(d["learners"])]
        return {d["_id"] for d in linked if may.issuperset(one for one in d["learners"] if one is not None)}

    async def _waits(self, forwarding: Forwarding, error: Exception) -> float | None:
        """Say what is waited for, and for how long the other LRS asked to wait."""
        if isinstance(error, Waits):
            reason = error.reason
        elif isinstance(error, PolicyUnknown):
            reason = "the tenant's policy"
        elif isinstance(error, NotReady):
            reason = "the keys"
        elif away(error):
            reason = "MongoDB"
        else:  # the privacy work beside it in this process must go on
            reason = "an error of our own"
            log.error("a forwarding failed: %s", type(error).__name__, extra={"forwarding": forwarding.id})
        await quietly(self.forwardings.waits(forwarding, reason))
        return error.retry_after_seconds if isinstance(error, Waits) else None

    def observe(self) -> None:
        """Have the metrics read at each export; once a process."""
        metrics.observe(metrics.FORWARDING_LAG, lambda: self._readings(self._lag))
        metrics.observe(metrics.FORWARDING_FORWARDED, lambda: self._readings(lambda one: one.forwarded))
        metrics.observe(metrics.FORWARDING_DEAD, lambda: self._readings(lambda one: one.dead))

    def _readings(self, read: Callable[[Standing], float]) -> list[Reading]:
        return [(read(standing), {"forwarding": name}) for name, standing in self.standings.items()]

    def _lag(self, standing: Standing) -> float:
        return 0.0 if standing.oldest is None else max(0.0, (to_micros(self.clock()) - standing.oldest) / 1e6)


def _item(document: Document, statement: JsonObject) -> Item:
    blobs, learners = tuple(document.get("blobs", ())), tuple(document["learners"])
    return Item(document["_id"], statement, as_sent(statement), blobs, learners)


def recipient_of(forwarding: Forwarding) -> Recipient:
    """Every forwarding is a recipient with a purpose (GDPR 4(9))."""
    return Recipient(forwarding.id, "forwarding", forwarding.name, forwarding.purpose)


async def _again(target: HttpTarget, items: Sequence[Item]) -> Delivery:
    """A statement that fails the other LRS once more goes back to the dead letters: all others wait behind it."""
    try:
        return await deliver(target, items, failing_long=True)
    except Waits as waits:
        if waits.reason != "500":
            raise
        return Delivery(dead=[DeadLetter(items[0].key, "500")])


async def _stop(tasks: dict[str, asyncio.Task[None]]) -> None:
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)
