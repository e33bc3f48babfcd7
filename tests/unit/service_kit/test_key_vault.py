"""Bucket keys in Vault's transit engine, against a server that speaks its protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from service_kit.keys.provider import BucketGone, ProviderAway, WrongKey
from service_kit.keys.vault import BATCH, VaultKeyProvider

from tests.support.vault_transit import Vault

KEYS = [(f"key-{number}", bytes([number % 256]) * 32) for number in range(BATCH + 50)]
TOKENS = {
    "privacy": frozenset({"create", "read", "update", "delete", "encrypt", "decrypt"}),
    "service": frozenset({"read", "decrypt"}),
}


class Both:
    """Vault, and two who talk to it: privacy, and a service that may only unwrap."""

    def __init__(self, folder: Path) -> None:
        self.vault = Vault(TOKENS)
        self.token_file = folder / "token"
        self.http = httpx2.AsyncClient(transport=httpx2.ASGITransport(self.vault.app))
        self.privacy = self._provider(folder, "privacy")
        self.service = self._provider(folder, "service")

    def _provider(self, folder: Path, token: str) -> VaultKeyProvider:
        file = folder / token
        file.write_text(f"{token}\n")
        return VaultKeyProvider("http://vault.test/", "/transit/", file, self.http)


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Both]:
    both = Both(tmp_path)
    yield both
    await both.http.aclose()


async def wrapped(both: Both, bucket: str = "one") -> list[tuple[str, bytes]]:
    await both.privacy.create(bucket)
    return [(name, one) for (name, _), one in zip(KEYS, await both.privacy.wrap(bucket, KEYS), strict=True)]


async def test_privacy_wraps_and_a_service_unwraps(both: Both) -> None:
    assert await both.service.unwrap("one", await wrapped(both)) == [key for _, key in KEYS]
    assert both.vault.batches == [BATCH, 50, BATCH, 50]


async def test_a_service_may_do_no_more(both: Both) -> None:
    await both.privacy.create("one")
    for call in (both.service.create("two"), both.service.wrap("one", KEYS[:1]), both.service.destroy("one")):
        with pytest.raises(ProviderAway, match="403"):
            await call
    assert list(both.vault.keys) == ["one"]


async def test_a_key_belongs_to_its_name_and_bucket(both: Both) -> None:
    [first, second, *_] = await wrapped(both)
    await both.privacy.create("two")
    for bucket, named in [("one", (second[0], first[1])), ("two", first), ("one", (first[0], first[1][:-8]))]:
        with pytest.raises(WrongKey):
            await both.service.unwrap(bucket, [named])


async def test_what_is_destroyed_is_gone(both: Both) -> None:
    kept = await wrapped(both)
    await both.privacy.destroy("one")
    await both.privacy.destroy("one")
    with pytest.raises(BucketGone):
        await both.service.unwrap("one", kept)
    with pytest.raises(BucketGone):
        await both.privacy.wrap("one", KEYS[:1])
    assert both.vault.keys == {}, "no encryption has made it anew"


async def test_to_create_again_changes_nothing(both: Both) -> None:
    kept = await wrapped(both)
    await both.privacy.create("one")
    assert await both.service.unwrap("one", kept[:1]) == [KEYS[0][1]]


async def test_vault_away(both: Both, tmp_path: Path) -> None:
    kept = await wrapped(both)
    both.vault.sealed = True
    with pytest.raises(ProviderAway, match="503"):
        await both.service.unwrap("one", kept)
    nowhere = VaultKeyProvider("http://127.0.0.1:9", "transit", tmp_path / "service")
    with pytest.raises(ProviderAway, match="does not answer"):
        await nowhere.unwrap("one", kept)
    await nowhere.close()
    lost = VaultKeyProvider("http://vault.test", "transit", tmp_path / "missing", both.http)
    with pytest.raises(ProviderAway, match="token"):
        await lost.unwrap("one", kept)
