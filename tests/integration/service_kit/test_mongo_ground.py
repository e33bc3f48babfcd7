"""Transactions, indexes, positions and leases on a real MongoDB."""

from __future__ import annotations

import asyncio

import pytest
from events.consumer import Move, Offsets
from events.errors import Fenced, NotReady
from pydantic import SecretStr
from service_kit import leases as leasing
from service_kit.leases import Leases
from service_kit.mongo import (
    CollectionSpec,
    DuplicateKeyError,
    Index,
    MongoAway,
    Session,
    away,
    connect,
    database,
    ensure,
    in_transaction,
)
from service_kit.positions import POSITIONS, MongoPositions
from service_kit.settings import MongoSettings

from tests.integration.service_kit.conftest import Mongo

GONE = "mongodb://127.0.0.1:1/?replicaSet=rs0&serverSelectionTimeoutMS=200"
SPEC = CollectionSpec(
    "things",
    "source",
    (
        Index((("a", 1), ("b", -1)), unique=True, where={"b": {"$exists": True}}),
        Index((("at", 1),), expire_after_seconds=5),
    ),
)


def first(offset: int) -> Offsets:
    """A partition that holds records from there to 100."""
    return Offsets(offset, 100)


class TestEnsure:
    async def test_by_many_and_again(self, mongo: Mongo) -> None:
        await asyncio.gather(*(ensure(mongo.db, [SPEC, POSITIONS]) for _ in range(4)))
        await ensure(mongo.db, [SPEC, POSITIONS])
        assert set(await mongo.db.list_collection_names()) == {"things", "positions"}
        indexes = await mongo.db["things"].index_information()
        assert set(indexes) == {"_id_", "a_1_b_-1", "at_1"}
        assert indexes["a_1_b_-1"]["partialFilterExpression"] == {"b": {"$exists": True}}
        assert indexes["at_1"]["expireAfterSeconds"] == 5

    async def test_unique_where_it_says_so(self, mongo: Mongo) -> None:
        await ensure(mongo.db, [SPEC])
        await mongo.db["things"].insert_many([{"a": 1}, {"a": 1}])
        await mongo.db["things"].insert_one({"a": 1, "b": 1})
        with pytest.raises(DuplicateKeyError):
            await mongo.db["things"].insert_one({"a": 1, "b": 1})


class TestTransaction:
    async def test_no_update_is_lost(self, mongo: Mongo) -> None:
        counts = mongo.db["counts"]
        await counts.insert_one({"_id": 1, "n": 0})

        async def add(session: Session) -> None:
            found = await counts.find_one({"_id": 1}, session=session)
            assert found is not None
            await counts.replace_one({"_id": 1}, {"n": found["n"] + 1}, session=session)

        await asyncio.gather(*(in_transaction(mongo.client, add, deadline_seconds=60) for _ in range(12)))
        assert await counts.find_one({"_id": 1}) == {"_id": 1, "n": 12}

    async def test_a_failure_leaves_nothing(self, mongo: Mongo) -> None:
        await mongo.db.create_collection("counts")

        async def fail(session: Session) -> None:
            await mongo.db["counts"].insert_one({"_id": 1}, session=session)
            raise LookupError

        with pytest.raises(LookupError):
            await in_transaction(mongo.client, fail)
        assert await mongo.db["counts"].count_documents({}) == 0

    async def test_the_answer_of_the_body(self, mongo: Mongo) -> None:
        async def body(session: Session) -> str:
            await mongo.db["counts"].find_one({}, session=session)
            return "answer"

        assert await in_transaction(mongo.client, body) == "answer"

    async def test_away(self, mongo_settings: MongoSettings) -> None:
        settings = mongo_settings.model_copy(update={"mongodb_url": SecretStr(GONE)})
        client = connect(settings)

        async def body(session: Session) -> None:
            await database(client, settings, "kit")["counts"].insert_one({}, session=session)

        try:
            with pytest.raises(MongoAway) as failure:
                await in_transaction(client, body, deadline_seconds=0.5)
            assert away(failure.value)
            with pytest.raises(NotReady):
                await MongoPositions(client, database(client, settings, "kit")).load("g", {("t", 0): first(0)})
        finally:
            await client.close()


class TestPositions:
    async def nothing(self, session: Session) -> None:
        """A batch that changes nothing."""

    async def test_begins_where_told_and_goes_on_where_it_stood(self, mongo: Mongo) -> None:
        positions = MongoPositions(mongo.client, mongo.db)
        assert await positions.load("g", {("t", 0): first(7), ("t", 1): first(0)}) == {
            ("t", 0): 7,
            ("t", 1): 0,
        }
        await positions.transact("g", {("t", 0): Move(7, 12)}, self.nothing)
        assert await positions.load("g", {("t", 0): first(9), ("t", 1): first(3), ("u", 0): first(1)}) == {
            ("t", 0): 12,
            ("t", 1): 0,
            ("u", 0): 1,
        }
        assert await positions.load("other", {("t", 0): first(2)}) == {("t", 0): 2}
        # the broker's records were replaced by fewer: read again from the first
        assert await positions.load("g", {("t", 0): Offsets(0, 6)}) == {("t", 0): 0}

    async def test_fenced_where_someone_else_has_moved(self, mongo: Mongo) -> None:
        positions = MongoPositions(mongo.client, mongo.db)
        await positions.load("g", {("t", 0): first(0), ("t", 1): first(0)})
        await positions.transact("g", {("t", 1): Move(0, 5)}, self.nothing)
        with pytest.raises(Fenced):
            await positions.transact("g", {("t", 0): Move(0, 3), ("t", 1): Move(0, 2)}, self.nothing)
        assert await positions.load("g", {("t", 0): first(0), ("t", 1): first(0)}) == {
            ("t", 0): 0,
            ("t", 1): 5,
        }

    async def test_the_move_and_the_change_are_one(self, mongo: Mongo) -> None:
        positions = MongoPositions(mongo.client, mongo.db)
        await positions.load("g", {("t", 0): first(0)})

        async def fail(session: Session) -> None:
            raise LookupError

        with pytest.raises(LookupError):
            await positions.transact("g", {("t", 0): Move(0, 3)}, fail)
        assert await positions.load("g", {("t", 0): first(0)}) == {("t", 0): 0}


class TestLeases:
    async def test_one_replica_holds_all_two_share(self, mongo: Mongo) -> None:
        first, second = Leases(mongo.db, "work", 12), Leases(mongo.db, "work", 12)
        assert await first.renew() == frozenset(range(12))
        assert await second.renew() == frozenset()
        assert len(await first.renew()) == 6
        assert len(await second.renew()) == 6
        assert first.held.isdisjoint(second.held)
        assert first.held | second.held == frozenset(range(12))

    async def test_what_is_given_back_is_taken_at_once(self, mongo: Mongo) -> None:
        first, second = Leases(mongo.db, "work", 12), Leases(mongo.db, "work", 12)
        await first.renew()
        await second.renew()
        await first.release()
        assert await second.renew() == frozenset(range(12))

    async def test_the_dead_lose_theirs(self, mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(leasing, "TTL_SECONDS", 0.3)
        dead, alive = Leases(mongo.db, "work", 4), Leases(mongo.db, "work", 4)
        await dead.renew()
        await asyncio.sleep(0.5)
        assert await alive.renew() == frozenset(range(4))
        assert (await dead.renew()).isdisjoint(await alive.renew())

    async def test_works_are_apart(self, mongo: Mongo) -> None:
        assert len(await Leases(mongo.db, "one", 3).renew()) == 3
        assert len(await Leases(mongo.db, "one/more", 3).renew()) == 3
        assert len(await Leases(mongo.db, "two", 3).renew()) == 3
