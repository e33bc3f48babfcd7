"""What is sealed opens again, for whom it should, as long as it should."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from events.sealing import KeyGone, KeysAway, Owner, Sealed
from ingest.identities.drawn import DrawingAhead, DrawnLearners
from privacy.keys.parts import KeyParts
from privacy.keys.repository import KeyErasure
from service_kit.keys.sealer import Tampered
from service_kit.mongo import in_transaction
from service_kit.runtime import Connections

from tests.integration.keys.conftest import KeyHouse, keys_of, prepared

SECRET = b"Ada Lovelace was here"


async def learners(c: Connections, tenant: str, count: int) -> list[Owner]:
    drawn = await keys_of(c).directory.draw(tenant, count)
    return [key.owner for key in drawn]


async def erase(house: KeyHouse, owner: Owner) -> None:
    """As after the last receipt."""
    parts: KeyParts = house.privacy.state.keys
    state = house.privacy.state.privacy
    erasure = KeyErasure(str(uuid4()), owner.tenant, owner.learner)
    await in_transaction(state.client, lambda s: parts.keys.to_destroy(erasure, state.clock(), s))
    assert await parts.replacing.forget() == 1


async def test_sealed_by_one_service_opened_by_another(keys: KeyHouse, tenant: str) -> None:
    ingest, profiles = await keys.service("ingest"), await keys.service("learner_profile")
    owners = await learners(ingest, tenant, 3)
    items = [(owner, SECRET + bytes([number])) for number, owner in enumerate([*owners, owners[0]])]
    sealed = await ingest.sealer.seal(items)
    assert all(SECRET not in one.data for one in sealed)
    assert sealed[0].key == sealed[3].key != sealed[1].key
    assert await profiles.sealer.open([*sealed, Sealed(b"in the clear")]) == [*(d for _, d in items), b"in the clear"]


async def test_many_ask_at_once_for_a_learner_without_a_key(keys: KeyHouse, tenant: str) -> None:
    services = [await keys.service(name) for name in ("ingest", "learner_profile", "insights", "recommendation")]
    owners = [Owner(tenant, ""), Owner(tenant, "someone")]
    sealed = await asyncio.gather(*(c.sealer.seal([(owner, SECRET) for owner in owners]) for c in services * 3))
    assert len({one.key for one, _ in sealed}) == len({one.key for _, one in sealed}) == 1


async def test_two_seals_of_the_same_differ(keys: KeyHouse, tenant: str) -> None:
    c = await keys.service()
    [owner] = await learners(c, tenant, 1)
    [one, other] = await c.sealer.seal([(owner, SECRET), (owner, SECRET)])
    assert one.data != other.data


async def test_bytes_that_were_changed_or_moved(keys: KeyHouse, tenant: str) -> None:
    c = await keys.service()
    [ada, bob] = await c.sealer.seal([(owner, SECRET) for owner in await learners(c, tenant, 2)])
    for wrong in (Sealed(ada.data[:-1], ada.key), Sealed(ada.data, bob.key), Sealed(b"", ada.key)):
        with pytest.raises(Tampered):
            await c.sealer.open([wrong])


async def test_what_no_key_opens(keys: KeyHouse) -> None:
    c = await keys.service()
    assert await c.sealer.open_each([Sealed(b"x", "nokey"), Sealed(b"y")]) == [None, b"y"]
    with pytest.raises(KeyGone):
        await c.sealer.open([Sealed(b"x", "nokey")])


async def test_who_is_forgotten_and_who_stays(keys: KeyHouse, tenant: str) -> None:
    c = await keys.service()
    ada, bob = await learners(c, tenant, 2)
    sealed = await c.sealer.seal([(ada, SECRET), (bob, SECRET)])
    before = keys.key_file.read_text()
    await erase(keys, ada)
    assert keys.key_file.read_text() != before
    async with prepared("insights") as fresh:  # nothing open, nothing held
        assert await fresh.sealer.open_each(sealed) == [None, SECRET]
        with pytest.raises(KeyGone):
            await fresh.sealer.seal([(ada, SECRET)])
    again = await keys.ask("lookups", {"tenant": tenant, "learners": [ada.learner]})
    assert again.json() == {"items": []}, "nobody is given a key twice"


async def test_an_open_key_is_dropped_by_every_replica(keys: KeyHouse, tenant: str) -> None:
    one, other = await keys.service(), await keys.service()
    ada, bob = await learners(one, tenant, 2)
    sealed = await one.sealer.seal([(ada, SECRET), (bob, SECRET)])
    assert await other.sealer.open(sealed) == [SECRET, SECRET]
    await erase(keys, ada)
    await in_transaction(one.client, lambda s: keys_of(one).held.forget(tenant, ada.learner, one.clock(), s))
    keys_of(other).ring._confirmed_at -= 1  # half a second has passed
    assert await other.sealer.open_each(sealed) == [None, SECRET]


async def test_the_bucket_of_one_alone_goes_without_a_successor(keys: KeyHouse, tenant: str) -> None:
    c = await keys.service()
    [ada] = await learners(c, tenant, 1)
    await erase(keys, ada)
    parts: KeyParts = keys.privacy.state.keys
    assert await parts.keys.in_use(tenant) == []


async def test_what_was_broken_off_is_done_at_the_next_turn(
    keys: KeyHouse, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider fails right when the old key is to be destroyed."""
    c = await keys.service()
    ada, bob = await learners(c, tenant, 2)
    sealed = await c.sealer.seal([(ada, SECRET), (bob, SECRET)])
    parts: KeyParts = keys.privacy.state.keys

    async def broken(_: str) -> None:
        raise KeysAway("away")

    with monkeypatch.context() as patch:
        patch.setattr(parts.replacing._provider, "destroy", broken)
        with pytest.raises(KeysAway):
            await erase(keys, ada)
    assert len(await parts.keys.retiring()) == 1
    await parts.replacing.forget()
    assert await parts.keys.retiring() == []
    async with prepared("insights") as fresh:
        assert await fresh.sealer.open_each(sealed) == [None, SECRET]


class TestWithPrivacyAway:
    async def test_known_and_new_learners_go_on(
        self, keys: KeyHouse, tenant: str, environment: pytest.MonkeyPatch
    ) -> None:
        c = await keys.service()
        assert await DrawingAhead(c.db, keys_of(c), 100).fill(tenant) == 100
        [known] = await learners(c, tenant, 1)
        sealed = await c.sealer.seal([(known, SECRET)])
        environment.setenv("TRELLIS_PRIVACY_URL", "http://127.0.0.1:9")
        async with prepared("ingest") as restarted:
            new = DrawnLearners(keys_of(restarted))
            taken = [Owner(tenant, one) for one in await new.take(tenant, 60)]
            assert len(set(taken)) == 60
            assert await restarted.sealer.open(sealed) == [SECRET]
            assert await restarted.sealer.open(await restarted.sealer.seal([(one, SECRET) for one in taken]))
            await new.take(tenant, 40)
            with pytest.raises(KeysAway):
                await new.take(tenant, 1)
            with pytest.raises(KeysAway):
                await restarted.sealer.seal([(Owner(tenant, "someone"), SECRET)])

    async def test_replicas_take_different_learners(self, keys: KeyHouse, tenant: str) -> None:
        one, other = await keys.service(), await keys.service()
        await DrawingAhead(one.db, keys_of(one), 200).fill(tenant)
        ours = await DrawnLearners(keys_of(one)).take(tenant, 50)
        theirs = await DrawnLearners(keys_of(other)).take(tenant, 50)
        assert not set(ours) & set(theirs)
