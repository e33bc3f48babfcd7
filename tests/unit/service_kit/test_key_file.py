"""The file of bucket keys: what it keeps, for whom, and that what is destroyed is gone."""

from __future__ import annotations

import asyncio
import base64
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from service_kit.keys.file import FileKeyProvider
from service_kit.keys.provider import BucketGone, ProviderAway, WrongKey

KEYS = [("a", b"1" * 32), ("b", b"2" * 32)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "buckets.json"


def read(path: Path) -> bytes:
    return path.read_bytes()


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


async def test_there_and_back_in_another_process(path: Path) -> None:
    await FileKeyProvider(path).create("one")
    wrapped = await FileKeyProvider(path).wrap("one", KEYS)
    named = list(zip(["a", "b"], wrapped, strict=True))
    assert await FileKeyProvider(path).unwrap("one", named) == [key for _, key in KEYS]
    assert all(key not in one for one in wrapped for _, key in KEYS)


async def test_a_key_belongs_to_its_name_and_bucket(path: Path) -> None:
    provider = FileKeyProvider(path)
    await provider.create("one")
    await provider.create("two")
    [a, b] = await provider.wrap("one", KEYS)
    for bucket, named in [("one", ("b", a)), ("two", ("a", a)), ("one", ("a", b[:-1])), ("one", ("a", b""))]:
        with pytest.raises(WrongKey):
            await provider.unwrap(bucket, [named])


async def test_to_create_again_changes_nothing(path: Path) -> None:
    provider = FileKeyProvider(path)
    await provider.create("one")
    before = read(path)
    await provider.create("one")
    assert read(path) == before


async def test_what_one_process_destroys_the_others_have_no_more(path: Path) -> None:
    ours, theirs = FileKeyProvider(path), FileKeyProvider(path)
    await ours.create("one")
    await ours.create("two")
    [wrapped] = await theirs.wrap("one", KEYS[:1])
    secret = json.loads(read(path))["buckets"]["one"]
    await ours.destroy("one")
    await ours.destroy("one")
    with pytest.raises(BucketGone):
        await theirs.unwrap("one", [("a", wrapped)])
    left = [file.read_bytes() for file in path.parent.iterdir()]
    assert not any(secret.encode() in one or base64.b64decode(secret) in one for one in left)
    assert await theirs.wrap("two", KEYS)


async def test_the_replaced_file_is_overwritten(path: Path) -> None:
    provider = FileKeyProvider(path)
    await provider.create("one")
    with path.open("rb") as still_open:
        await provider.destroy("one")
        assert not still_open.read().strip(b"\0")


async def test_for_the_owner_alone(path: Path) -> None:
    await FileKeyProvider(path).create("one")
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


async def test_no_file_no_bucket(path: Path) -> None:
    with pytest.raises(BucketGone):
        await FileKeyProvider(path).wrap("one", KEYS)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"version":2,"buckets":{}}', b'{"version":1,"buckets":{"a":7}}']
)
async def test_what_is_no_key_file_is_left_alone(path: Path, content: bytes) -> None:
    write(path, content)
    for call in (FileKeyProvider(path).create("one"), FileKeyProvider(path).wrap("one", KEYS)):
        with pytest.raises(ProviderAway):
            await call
    assert read(path) == content


def test_many_processes_lose_nothing(path: Path) -> None:
    """The lock: each reads what the one before has written."""
    names = [f"bucket-{number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(_create, [path] * len(names), names))
    assert sorted(json.loads(path.read_bytes())["buckets"]) == sorted(names)


def _create(path: Path, name: str) -> None:
    asyncio.run(FileKeyProvider(path).create(name))
