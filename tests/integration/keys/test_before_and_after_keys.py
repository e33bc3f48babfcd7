"""Data from before there were keys is sealed; data from before an erasure, restored, goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from events.sealing import Owner, Sealed
from service_kit.keys.migrating import MIGRATIONS, Migrating, Place, by_fields, by_id
from service_kit.keys.restoring import Restoring
from service_kit.mongo import Document, Session, in_transaction
from service_kit.runtime import Connections

from tests.integration.keys.conftest import KeyHouse, keys_of
from tests.integration.keys.test_sealing_with_keys import SECRET, erase, learners

WHOLE = Place("whole", "bytes", "key", by_id)
DEEP = Place("deep", "name.data", "name.key", by_fields)


async def clear(c: Connections, tenant: str, count: int) -> None:
    names = [f"learner-{number:03d}" for number in range(count)]
    await c.db["whole"].insert_many([{"_id": f"{tenant}/{one}", "bytes": SECRET, "key": None} for one in names])
    deep: list[Document] = [
        {"_id": f"{tenant}/{one}", "tenant": tenant, "learner": one, "name": {"data": SECRET, "key": None}}
        for one in names
    ]
    await c.db["deep"].insert_many([*deep, {"_id": f"{tenant}/nothing", "tenant": tenant, "learner": "x"}])


async def walk(c: Connections, place: Place, batch: int) -> list[int]:
    """Turns until the place is done; each with a job of its own, as after a restart."""
    turns = []
    while not ((await c.db[MIGRATIONS.name].find_one({"_id": place.name})) or {}).get("done"):
        turns.append(await Migrating(c.db, c.sealer, [place], batch).turn(place))
    return turns


async def test_everything_is_sealed_a_batch_at_a_time(keys: KeyHouse, tenant: str) -> None:
    c = await keys.service("recommendation")
    await clear(c, tenant, 25)
    assert await walk(c, WHOLE, 10) == [10, 10, 5]
    assert await walk(c, DEEP, 10) == [10, 10, 5]
    for d in await c.db["whole"].find({"_id": {"$gt": tenant}}).to_list(None):
        assert d["bytes"] != SECRET
        assert await c.sealer.open([Sealed(d["bytes"], d["key"])]) == [SECRET]
    sealed = [d["name"] async for d in c.db["deep"].find({"tenant": tenant, "name": {"$exists": True}})]
    assert await c.sealer.open([Sealed(d["data"], d["key"]) for d in sealed]) == [SECRET] * 25


async def test_what_changes_meanwhile_is_left_to_whoever_changed_it(keys: KeyHouse, tenant: str) -> None:
    """The bytes that were read stand in the filter."""
    c = await keys.service("insights")
    await clear(c, tenant, 1)
    [found] = await c.db["whole"].find({"_id": {"$gt": tenant}}).to_list(None)
    await c.db["whole"].update_one({"_id": found["_id"]}, {"$set": {"bytes": b"newer"}})
    assert await Migrating(c.db, c.sealer, [WHOLE], 10)._seal(c.db["whole"], WHOLE, [found]) == 1
    assert (await c.db["whole"].find_one({"_id": found["_id"]}) or {})["bytes"] == b"newer"


@dataclass
class Twin:
    erased: list[str] = field(default_factory=list)

    async def erase(self, tenant: str, learner: str, session: Session) -> Mapping[str, int]:
        self.erased.append(learner)
        return {}


async def test_after_a_restore_whoever_has_no_key_is_erased(keys: KeyHouse, tenant: str) -> None:
    c = await keys.service("learner_profile")
    ada, bob = await learners(c, tenant, 2)
    sealed = await c.sealer.seal([(ada, SECRET), (bob, SECRET)])
    backup = await c.db["data_keys"].find().to_list(None)
    await erase(keys, ada)
    await in_transaction(c.client, lambda s: keys_of(c).held.forget(tenant, ada.learner, c.clock(), s))
    await c.db["data_keys"].delete_many({})
    await c.db["data_keys"].insert_many(backup)  # yesterday's dump beside today's key provider
    twin = Twin()
    restoring = Restoring(c.client, keys_of(c), twin, c.clock)
    assert await restoring.run() == 1
    assert twin.erased == [ada.learner]
    assert [d["learner"] async for d in c.db["data_keys"].find({"tenant": tenant})] == [bob.learner]
    keys_of(c).ring._confirmed_at -= 1
    assert await c.sealer.open_each(sealed) == [None, SECRET]
    assert await restoring.run() == 0


async def test_a_key_file_that_is_lost_erases_nobody(keys: KeyHouse, tenant: str) -> None:
    c = await keys.service("recommendation")
    [ada] = await learners(c, tenant, 1)
    await c.sealer.seal([(ada, SECRET)])
    elsewhere = keys.key_file.rename(keys.key_file.with_suffix(".away"))
    try:
        twin = Twin()
        assert await Restoring(c.client, keys_of(c), twin, c.clock).run() == 0
        assert twin.erased == []
        assert await c.db["data_keys"].count_documents({"tenant": tenant}) == 1
    finally:
        elsewhere.rename(keys.key_file)


async def test_without_a_restore_nobody_is(keys: KeyHouse, tenant: str) -> None:
    c = await keys.service("insights")
    owners = await learners(c, tenant, 2)
    await c.sealer.seal([(owner, SECRET) for owner in owners])
    assert (await keys.ask("rotations", {}, role="operator", tenant=tenant)).is_success
    twin = Twin()
    assert await Restoring(c.client, keys_of(c), twin, c.clock).run() == 0
    assert twin.erased == []


def test_owners() -> None:
    tenant, learner = "t", str(uuid4())
    assert by_id({"_id": f"{tenant}/{learner}"}) == by_fields({"tenant": tenant, "learner": learner})
    assert by_id({"_id": f"{tenant}/{learner}"}) == Owner(tenant, learner)
