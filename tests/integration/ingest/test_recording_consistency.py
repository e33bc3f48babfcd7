"""Consistent-Through over several replicas whose clocks disagree; walks that pass over nothing while others write."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from ingest.statements.repository import Place, Selection, StatementRepository
from ingest.statements.stamps import Stamps, from_micros, to_micros
from ingest.statements.writers import Writers
from service_kit.mongo import Database, Document, MongoAway
from service_kit.outbox import flag

from tests.integration.ingest.lrs import Lrs, agent, statement

LEASE_SECONDS = 1.2


class Replica:
    """Writes documents as ingest does: stamped, slowly, several at once. Its clock is wrong by `skew_seconds`."""

    def __init__(self, lrs: Lrs, number: int, skew_seconds: float) -> None:
        self._lrs = lrs
        self._repository = StatementRepository(lrs.connections.client, lrs.connections.db, lrs.connections.sealer)
        skew = timedelta(seconds=skew_seconds)
        self.stamps = Stamps(lambda: datetime.now(UTC) + skew, Writers(apart(lrs), lease_seconds=LEASE_SECONDS))
        self._number = number
        self._chance = random.Random(number)
        self.stopped = False

    async def write(self) -> None:
        count = 0
        while not self.stopped:
            count += 1
            await self.stamps.ready()
            with suppress(MongoAway), self.stamps.reserve(self._chance.randint(1, 3)) as stamps:
                documents = [self._document(count, stored) for stored in stamps]
                await asyncio.sleep(self._chance.random() * 0.03)
                if not self.stopped:
                    await self._repository.add(documents)
            await asyncio.sleep(self._chance.random() * 0.01)

    def _document(self, count: int, stored: int) -> Document:
        return {
            "_id": f"{self._lrs.tenant}/{self._number}-{count}-{stored}",
            "tenant": self._lrs.tenant,
            "stored": stored,
            "keys": [b"x"],
            "outbox": flag("x"),
            "bytes": b"{}",
            "key": None,
        }


def apart(lrs: Lrs) -> Database:
    """Where the leases of these replicas are, so that the running ingest does not wait for the dead among them."""
    db = lrs.connections.db
    return lrs.connections.client.get_database(
        f"{db.name}-{lrs.tenant}", db.codec_options, db.read_preference, db.write_concern, db.read_concern
    )


async def up_to(lrs: Lrs, through: int) -> set[str]:
    where = {"tenant": lrs.tenant, "stored": {"$lte": through}}
    return {d["_id"] async for d in lrs.connections.db["statements"].find(where, {"_id": 1})}


class TestConsistentThrough:
    async def test_nothing_comes_in_below_it_and_it_never_falls(self, lrs: Lrs) -> None:
        """Three clocks, one that dies in the middle of writing, one that comes late, with the slowest clock."""
        replicas = [Replica(lrs, number, skew) for number, skew in enumerate((0.0, 0.7, -40.0))]
        late = Replica(lrs, 3, -0.9)
        tasks = [asyncio.create_task(self._live(replica)) for replica in replicas]
        seen: list[tuple[int, set[str]]] = []
        begun = time.monotonic()
        died = False
        while (now := time.monotonic() - begun) < 3.0:
            through = replicas[0].stamps.consistent_through()
            seen.append((through, await up_to(lrs, through)))
            if now > 1.0 and not died:
                died = True
                tasks[1].cancel()  # without a word: its lease ends by itself
                tasks.append(asyncio.create_task(self._live(late)))
            await asyncio.sleep(0.02)
        for replica in (*replicas, late):
            replica.stopped = True
        await asyncio.gather(*tasks, return_exceptions=True)
        throughs = [through for through, _ in seen]
        assert throughs == sorted(throughs)
        assert throughs[-1] > throughs[len(throughs) // 2]  # the dead one is waited for no longer
        for through, then in seen:
            assert await up_to(lrs, through) == then

    @staticmethod
    async def _live(replica: Replica) -> None:
        renewing = asyncio.create_task(_renew(replica.stamps))
        writers = [asyncio.create_task(replica.write()) for _ in range(3)]
        try:
            await asyncio.gather(*writers)
        finally:
            for task in (renewing, *writers):
                task.cancel()

    async def test_waits_for_the_dead_until_their_lease_ends(self, lrs: Lrs) -> None:
        dead, alive = Replica(lrs, 1, 0), Replica(lrs, 2, 0)
        await dead.stamps.ready()
        with dead.stamps.reserve(1) as stamps:
            await dead.stamps.confirmed()
            assert await alive.stamps.confirmed() < stamps[0]
        await asyncio.sleep(LEASE_SECONDS / 2)
        assert await alive.stamps.confirmed() < stamps[0]
        await asyncio.sleep(LEASE_SECONDS)
        assert await alive.stamps.confirmed() > stamps[0]
        assert await alive.stamps.confirmed() <= to_micros(datetime.now(UTC)) + 1_000_000
        # It comes back, and stamps nothing that was called consistent.
        through = alive.stamps.consistent_through()
        await dead.stamps.confirmed()
        with dead.stamps.reserve(1) as again:
            assert again[0] > through

    async def test_two_that_are_the_first_at_once(self, lrs: Lrs) -> None:
        replicas = [Replica(lrs, number, 0) for number in range(8)]
        await asyncio.gather(*(replica.stamps.ready() for replica in replicas))
        (document,) = await apart(lrs)["stamps"].find({}).to_list(None)
        assert len(document["writers"]) == 8

    async def test_the_header_follows_within_a_second(self, lrs: Lrs) -> None:
        """Once at least, on a machine that has other things to do."""
        until = time.monotonic() + 10
        while True:
            answer = await lrs.get(limit=1)
            through = datetime.fromisoformat(answer.headers["X-Experience-API-Consistent-Through"])
            behind = datetime.now(UTC) - through
            assert behind >= timedelta(0)
            if behind < timedelta(seconds=1):
                return
            assert time.monotonic() < until
            await asyncio.sleep(0.05)


async def _renew(stamps: Stamps) -> None:
    while True:
        await stamps.confirmed()
        await asyncio.sleep(0.05)


class TestWalks:
    @pytest.mark.parametrize("limit", [1, 3, 10, 100])
    @pytest.mark.parametrize("ascending", ["true", "false"])
    async def test_every_statement_once_while_others_write(self, lrs: Lrs, limit: int, ascending: str) -> None:
        verbs = [{"id": "a:passed"}, {"id": "a:failed"}]
        before = [statement(f"learner {n % 3}", verb=verbs[n % 2]) for n in range(36)]
        for start in range(0, 36, 12):
            await lrs.post(before[start : start + 12])
        filters = {"agent": json.dumps(agent("learner 1")), "verb": "a:passed"}
        wanted = {one["id"] for one in before if one["actor"] == agent("learner 1") and one["verb"] == verbs[0]}
        writing = True

        async def write() -> None:
            while writing:
                await lrs.post(statement("learner 1", verb=verbs[0]))
                await lrs.post([statement("learner 1", verb=verb) for verb in verbs])

        writers = [asyncio.create_task(write()) for _ in range(2)]
        walked = await self._walk(lrs, limit=str(limit), ascending=ascending, **filters)
        writing = False
        await asyncio.gather(*writers)
        assert max(Counter(walked).values()) == 1
        everything = await lrs.walk(limit=500, ascending="true", **filters)
        if ascending == "true":
            assert everything[: len(walked)] == walked
            assert set(walked) >= wanted or len(walked) == 40
        else:
            assert wanted <= set(walked) <= set(everything)

    @staticmethod
    async def _walk(lrs: Lrs, **params: str) -> list[str]:
        """At most 40 statements or 20 pages more: an ascending walk follows those who write."""
        answer = (await lrs.get(**params)).json()
        found = [one["id"] for one in answer["statements"]]
        while answer["more"] and len(found) < 40:
            answer = (await lrs.get(answer["more"])).json()
            found += [one["id"] for one in answer["statements"]]
        return found

    async def test_stamped_alike_by_two_replicas(self, lrs: Lrs) -> None:
        """In the order of ids, whatever the page."""
        c = lrs.connections
        repository = StatementRepository(c.client, c.db, c.sealer)
        chance = random.Random(1)
        documents = [
            {"_id": f"{lrs.tenant}/{n:02}", "tenant": lrs.tenant, "stored": 7 + n // 4, "keys": [b"k"], "bytes": b"{}"}
            | {"key": None}
            for n in range(20)
        ]
        chance.shuffle(documents)
        await c.db["statements"].insert_many([dict(one) for one in documents])
        expected = [f"{n:02}" for n in range(20)]
        for limit in (1, 2, 3, 5, 7, 30):
            for keys in ((), ([b"k"],), ([b"k", b"other"],)):
                for ascending in (True, False):
                    walked = [one async for one in _pages(repository, lrs, keys, limit, ascending=ascending)]
                    assert walked == (expected if ascending else expected[::-1])

    async def test_walk_streams_oldest_first_up_to_a_time(self, lrs: Lrs) -> None:
        c = lrs.connections
        repository = StatementRepository(c.client, c.db, c.sealer)
        sent = [statement("ada", verb={"id": f"a:{n % 2}"}) for n in range(30)]
        for start in range(0, 30, 10):
            await lrs.post(sent[start : start + 10])
        middle = (await lrs.get(statementId=sent[14]["id"])).json()["stored"]
        until = to_micros(datetime.fromisoformat(middle))
        walked = [one async for one in repository.walk(lrs.tenant, Selection(), until=until)]
        assert [json.loads(one["bytes"])["id"] for one in walked] == [one["id"] for one in sent[:15]]
        assert all(one["provenance"] is None for one in walked)
        assert from_micros(walked[-1]["stored"]) == datetime.fromisoformat(middle)


async def _pages(
    repository: StatementRepository, lrs: Lrs, keys: Sequence[Sequence[bytes]], limit: int, *, ascending: bool
) -> AsyncIterator[str]:
    place = None
    while True:
        selection = Selection(keys, ascending=ascending)
        page = await repository.page(lrs.tenant, selection, after=place, limit=limit, authority=None)
        for one in page:
            statement_id = one["_id"].partition("/")[2]
            place = Place(one["stored"], statement_id)
            yield statement_id
        if len(page) < limit:
            return
