"""Attachments' data where it lies: both stores, sealed, found again, swept, forgotten."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from events.sealing import KeyGone, Owner, Sealed
from ingest.attachments.blobs import BlobGone, Blobs, GridFsBlobs, S3Blobs
from ingest.attachments.repository import CHUNK, GRACE, AttachmentRepository, key_of
from ingest.attachments.spool import Spool
from ingest.settings import AttachmentSettings
from ingest.worker import participant
from pydantic import SecretStr
from service_kit.mongo import MongoAway, in_transaction

from tests.integration.ingest.lrs import Lrs, agent, running, statement
from tests.support.multipart_mixed import CONTENT_TYPE, attachment, multipart, taken_apart
from tests.support.ports import free_port

BUCKET = "attachments"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    """A server of moto's, which speaks S3."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        _create_bucket(url, time.monotonic() + 30)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _create_bucket(url: str, until: float) -> None:
    while True:
        try:
            assert httpx2.put(f"{url}/{BUCKET}").status_code == 200
        except httpx2.TransportError:
            assert time.monotonic() < until
            time.sleep(0.1)
        else:
            return


def s3_settings(endpoint: str) -> AttachmentSettings:
    return AttachmentSettings(
        attachment_store="s3",
        s3_bucket=BUCKET,
        s3_endpoint=endpoint,
        s3_access_key_id=SecretStr("key"),
        s3_secret_access_key=SecretStr("secret"),
    )


@pytest.fixture(params=["gridfs", "s3"])
def blobs(request: pytest.FixtureRequest, lrs: Lrs) -> Blobs:
    if request.param == "gridfs":
        return GridFsBlobs(lrs.connections.db)
    return S3Blobs.by(s3_settings(request.getfixturevalue("s3_endpoint")))


@dataclass
class Keys:
    """A sealer whose bytes are longer than what they seal, and whose keys can be destroyed."""

    gone: set[str] = field(default_factory=set)

    async def seal(self, items: Sequence[tuple[Owner, bytes]]) -> list[Sealed]:
        return [Sealed(b"sealed!" + data[::-1], owner.learner) for owner, data in items]

    async def open(self, items: Sequence[Sealed]) -> list[bytes]:
        for item in items:
            if item.key is None or item.key in self.gone:
                raise KeyGone(item.key)
        return [item.data.removeprefix(b"sealed!")[::-1] for item in items]

    async def open_each(self, items: Sequence[Sealed]) -> list[bytes | None]:
        return [None if item.key is None or item.key in self.gone else (await self.open([item]))[0] for item in items]


@dataclass
class Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Held:
    """Statements that hold these keys."""

    keys: set[str] = field(default_factory=set)

    async def hold(self, key: str) -> bool:
        return key in self.keys


@dataclass
class Store:
    repository: AttachmentRepository
    clock: Clock
    keys: Keys
    lrs: Lrs
    holders: Held = field(default_factory=Held)

    def owner(self, learner: str = "ada") -> Owner:
        return Owner(self.lrs.tenant, learner)

    async def keep(self, data: bytes, learner: str = "ada") -> str:
        sha2 = hashlib.sha256(data).hexdigest()
        spool = await spooled(data)
        try:
            return await self.repository.keep(self.owner(learner), sha2, spool)
        finally:
            spool.close()

    async def read(self, key: str) -> bytes | None:
        held = (await self.repository.find([key])).get(key)
        return None if held is None else b"".join([chunk async for chunk in self.repository.read(held)])

    async def files(self) -> list[Json]:
        files = self.lrs.connections.db["attachments.files"]
        found: list[Json] = await files.find({"metadata.tenant": self.lrs.tenant}).to_list(None)
        return found

    async def sweep(self, after: timedelta = GRACE) -> int:
        self.clock.now += after
        return await self.repository.sweep(self.holders)


@pytest.fixture(autouse=True)
async def nothing_left(lrs: Lrs) -> None:
    """A sweep goes through all tenants: what another test has left is not to be counted."""
    await lrs.connections.db["attachments.files"].delete_many({})


@pytest.fixture
def store(lrs: Lrs, blobs: Blobs) -> Store:
    clock, keys = Clock(lrs.connections.clock()), Keys()
    return Store(AttachmentRepository(lrs.connections.db, blobs, keys, clock), clock, keys, lrs)


async def spooled(data: bytes) -> Spool:
    spool = Spool(hashlib.sha256(data).hexdigest())
    for start in range(0, len(data), 50_000):
        await spool.write(data[start : start + 50_000])
    await spool.finish()
    assert spool.is_right
    return spool


SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 12 * CHUNK + 7, 6 * 1024 * 1024]


class TestKeeping:
    @pytest.mark.parametrize("size", SIZES)
    async def test_what_was_kept_is_read(self, store: Store, size: int) -> None:
        data = bytes(range(251)) * (size // 251 + 1)
        data = data[:size]
        key = await store.keep(data)
        assert await store.read(key) == data
        (file,) = await store.files()
        assert file["metadata"]["size"] == size
        assert file["length"] == size + 7 * -(-size // CHUNK)

    async def test_once_for_each_learner(self, store: Store) -> None:
        keys = [await store.keep(b"x" * 10, learner) for learner in ("ada", "bob", "ada")]
        assert keys[0] == keys[2] != keys[1]
        assert len(await store.files()) == 2

    async def test_many_at_the_same_moment(self, store: Store) -> None:
        """One of them is found from then on; the copies of the others are swept."""
        keys = await asyncio.gather(*(store.keep(b"x" * CHUNK * 2) for _ in range(5)))
        assert len(set(keys)) == 1
        store.holders.keys = set(keys)
        await store.sweep()
        (file,) = await store.files()
        assert "due" not in file["metadata"]
        assert await store.read(keys[0]) == b"x" * CHUNK * 2

    async def test_nothing_is_found_before_it_is_whole(self, store: Store) -> None:
        class Broken(Spool):
            async def chunks(self, size: int) -> AsyncIterator[bytes]:
                yield b"x" * size
                raise MongoAway("in the middle")

        broken = Broken("a" * 64)
        with pytest.raises(MongoAway):
            await store.repository.keep(store.owner(), "a" * 64, broken)
        broken.close()
        assert await store.read(key_of(store.owner(), "a" * 64)) is None
        assert len(await store.files()) == 1
        assert await store.sweep() == 1
        assert await store.files() == []

    async def test_without_its_key_nothing_is_read(self, store: Store) -> None:
        key = await store.keep(b"x")
        store.keys.gone.add("ada")
        with pytest.raises(KeyGone):
            await store.read(key)

    async def test_forgotten_while_it_is_read(self, store: Store) -> None:
        key = await store.keep(b"x")
        held = (await store.repository.find([key]))[key]
        assert await store.repository.forget(store.lrs.tenant, "ada") == 1
        with pytest.raises(BlobGone):
            assert [chunk async for chunk in store.repository.read(held)]


class TestSweeping:
    async def test_what_no_statement_holds(self, store: Store) -> None:
        kept, orphan = await store.keep(b"kept"), await store.keep(b"orphan")
        store.holders.keys = {kept}
        assert await store.sweep(GRACE - timedelta(seconds=1)) == 0
        assert await store.sweep(timedelta(seconds=1)) == 1
        assert await store.read(orphan) is None
        assert await store.read(kept) == b"kept"
        store.holders.keys = set()
        assert await store.sweep(GRACE * 1000) == 0  # once a statement holds it nobody looks again

    async def test_used_again_right_before(self, store: Store) -> None:
        key = await store.keep(b"x")
        store.clock.now += GRACE
        assert await store.keep(b"x") == key
        assert await store.sweep(timedelta(0)) == 0
        assert await store.read(key) == b"x"

    async def test_used_again_in_the_middle(self, store: Store) -> None:
        """Between the look at the statements and the deletion."""
        key = await store.keep(b"x")

        class Late(Held):
            async def hold(self, key: str) -> bool:
                await store.keep(b"x")
                return False

        store.holders = Late()
        assert await store.sweep() == 0
        assert await store.read(key) == b"x"

    async def test_needed_again_right_after(self, store: Store) -> None:
        key = await store.keep(b"x")
        assert await store.sweep() == 1
        assert await store.keep(b"x") == key
        assert await store.read(key) == b"x"

    async def test_a_removal_that_was_cut_off(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        async def cut(names: Sequence[str]) -> None:
            raise MongoAway("in the middle")

        key = await store.keep(b"x")
        with monkeypatch.context() as patch:
            patch.setattr(store.repository, "_blobs", type("Cut", (), {"delete": staticmethod(cut)}))
            with pytest.raises(MongoAway):
                await store.repository.forget(store.lrs.tenant, "ada")
        assert await store.read(key) is None
        assert await store.sweep() == 1
        assert await store.files() == []


class TestForgetting:
    async def test_all_of_a_learner_and_nothing_else(self, store: Store) -> None:
        keys = [await store.keep(data, learner) for learner in ("ada", "bob") for data in (b"1", b"2")]
        assert await store.repository.forget(store.lrs.tenant, "ada") == 2
        assert await store.repository.forget(store.lrs.tenant, "ada") == 0
        assert await store.repository.forget("another", "bob") == 0
        assert [await store.read(key) for key in keys] == [None, None, b"1", b"2"]


async def send(lrs: Lrs, data: bytes, *statements: Json) -> None:
    answer = await lrs.post(multipart(list(statements), data), headers={"Content-Type": CONTENT_TYPE})
    assert answer.status_code == 200, answer.text


async def data_of(lrs: Lrs) -> list[bytes]:
    answer = await lrs.get(attachments="true")
    return [part.data for part in taken_apart(answer.headers["Content-Type"], answer.content)[1:]]


class TestWithStatements:
    async def test_erasure(self, lrs: Lrs) -> None:
        """The data of a statement about several is its first learner's, and is forgotten with that one."""
        files = [attachment(b"of all of them")]
        pair = {"objectType": "Group", "name": "pair", "member": [agent("ada"), agent("grace")]}
        own, shared = statement("ada", attachments=files), statement(attachments=files) | {"actor": pair}
        await send(lrs, b"of all of them", own, shared)
        ada = await lrs.learner("ada")

        async def erase(session: Any) -> Any:
            return await participant(lrs.connections).erase(lrs.tenant, ada, session)

        counts = await in_transaction(lrs.connections.client, erase)
        assert counts["attachments"] == 1
        assert await lrs.ids() == [shared["id"]]
        assert await data_of(lrs) == []
        (left,) = await lrs.connections.db["statements"].find({"tenant": lrs.tenant}).to_list(None)
        assert left["blobs"] == []
        assert await lrs.connections.db["attachments.files"].count_documents({"metadata.tenant": lrs.tenant}) == 0

    async def test_the_sweep_asks_the_statements(self, lrs: Lrs) -> None:
        taken = statement("ada", attachments=[attachment(b"kept")])
        await send(lrs, b"kept", taken)
        other = {**taken, "attachments": [attachment(b"orphan")]}
        conflict = await lrs.post(multipart(other, b"orphan"), headers={"Content-Type": CONTENT_TYPE})
        assert conflict.status_code == 409
        c = lrs.connections
        clock = Clock(c.clock() + GRACE)
        repository = AttachmentRepository(c.db, GridFsBlobs(c.db), c.sealer, clock)
        state = lrs.app.state.ingest
        assert await repository.sweep(state.statements) == 1
        assert await data_of(lrs) == [b"kept"]

    async def test_statements_find_their_data_by_an_index(self, lrs: Lrs) -> None:
        plan = await lrs.connections.db["statements"].find({"blobs": "t/l/s"}, {"_id": 1}).explain()
        assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"])

    async def test_in_s3(self, environment: pytest.MonkeyPatch, tokens: Any, s3_endpoint: str) -> None:
        settings = {"ATTACHMENT_STORE": "s3", "S3_BUCKET": BUCKET, "S3_ENDPOINT": s3_endpoint}
        settings |= {"S3_ACCESS_KEY_ID": "key", "S3_SECRET_ACCESS_KEY": "secret"}
        for name, value in settings.items():
            environment.setenv(f"TRELLIS_{name}", value)
        async with running(tokens) as lrs:
            data = b"in a bucket" * 100_000
            await send(lrs, data, statement("ada", attachments=[attachment(data)]))
            assert await data_of(lrs) == [data]
            file = await lrs.connections.db["attachments.files"].find_one({"metadata.tenant": lrs.tenant})
            chunks = lrs.connections.db["attachments.chunks"]
            assert await chunks.count_documents({"files_id": (file or {})["_id"]}) == 0

    async def test_s3_away(self, environment: pytest.MonkeyPatch, tokens: Any) -> None:
        for name, value in {"ATTACHMENT_STORE": "s3", "S3_BUCKET": BUCKET, "S3_ENDPOINT": "http://127.0.0.1:9"}.items():
            environment.setenv(f"TRELLIS_{name}", value)
        environment.setenv("TRELLIS_S3_ACCESS_KEY_ID", "key")
        async with running(tokens) as lrs:
            content = multipart(statement(attachments=[attachment(b"x")]), b"x")
            answer = await lrs.post(content, headers={"Content-Type": CONTENT_TYPE})
            assert answer.status_code == 503
            assert "Retry-After" in answer.headers
            assert await lrs.stored() == 0
