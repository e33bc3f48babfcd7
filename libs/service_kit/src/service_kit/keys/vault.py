"""Bucket keys in HashiCorp Vault's transit secrets engine, or in OpenBao's: they never leave it.

Over HTTP, as Vault's API documents `transit/keys`, `transit/encrypt` and `transit/decrypt` with `batch_input`. A
token in a file is read at each use, so that an agent beside the process can renew it.
"""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx2
import orjson
from pydantic import SecretStr

from service_kit.keys.provider import BucketGone, Named, ProviderAway, WrongKey

BATCH: Final = 250  # items of one call
_TIMEOUT_SECONDS: Final = 10.0
_GONE: Final = "encryption key not found"


class VaultKeyProvider:
    def __init__(self, url: str, mount: str, token: SecretStr | Path, client: httpx2.AsyncClient | None = None) -> None:
        self._url = f"{url.rstrip('/')}/v1/{mount.strip('/')}"
        self._token = token
        self._client = client or httpx2.AsyncClient(timeout=_TIMEOUT_SECONDS)

    async def create(self, bucket: str) -> None:
        await self._expect("POST", f"keys/{bucket}", {"type": "aes256-gcm96", "exportable": False})

    async def wrap(self, bucket: str, keys: Sequence[Named]) -> list[bytes]:
        # Vault's encrypt makes a key that is not there, where the policy lets it: ask first.
        if (await self._call("GET", f"keys/{bucket}", None)).status_code == httpx2.codes.NOT_FOUND:
            raise BucketGone(bucket)
        items = [{"plaintext": _encoded(key), "associated_data": _bound(bucket, name)} for name, key in keys]
        return [str(one["ciphertext"]).encode() for one in await self._batches("encrypt", bucket, items)]

    async def unwrap(self, bucket: str, keys: Sequence[Named]) -> list[bytes]:
        items = [{"ciphertext": wrapped.decode(), "associated_data": _bound(bucket, name)} for name, wrapped in keys]
        return [base64.b64decode(one["plaintext"]) for one in await self._batches("decrypt", bucket, items)]

    async def destroy(self, bucket: str) -> None:
        """A key must be declared deletable before it can be deleted."""
        answer = await self._call("POST", f"keys/{bucket}/config", {"deletion_allowed": True})
        if not answer.is_success and not await self._is_gone(bucket):
            raise _refused(answer)
        answer = await self._call("DELETE", f"keys/{bucket}", None)
        if not answer.is_success and not await self._is_gone(bucket):
            raise _refused(answer)

    async def close(self) -> None:
        await self._client.aclose()

    async def _is_gone(self, bucket: str) -> bool:
        return (await self._call("GET", f"keys/{bucket}", None)).status_code == httpx2.codes.NOT_FOUND

    async def _batches(self, what: str, bucket: str, items: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = []
        for start in range(0, len(items), BATCH):
            results += await self._batch(what, bucket, items[start : start + BATCH])
        return results

    async def _batch(self, what: str, bucket: str, items: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
        answer = await self._call("POST", f"{what}/{bucket}", {"batch_input": items})
        if answer.status_code == httpx2.codes.BAD_REQUEST:
            if _GONE in answer.text or await self._is_gone(bucket):
                raise BucketGone(bucket)
            raise WrongKey(f"a data key of bucket {bucket} does not open")
        if not answer.is_success:
            raise _refused(answer)
        results: list[dict[str, Any]] = orjson.loads(answer.content)["data"]["batch_results"]
        if any(one.get("error") for one in results):  # Vault answers 200 where only some items failed
            raise WrongKey(f"a data key of bucket {bucket} does not open")
        return results

    async def _expect(self, method: str, path: str, body: dict[str, Any]) -> None:
        answer = await self._call(method, path, body)
        if not answer.is_success:
            raise _refused(answer)

    async def _call(self, method: str, path: str, body: dict[str, Any] | None) -> httpx2.Response:
        try:
            headers = {"X-Vault-Token": self._token_now(), "X-Vault-Request": "true"}
            content = None if body is None else orjson.dumps(body)
            answer = await self._client.request(method, f"{self._url}/{path}", content=content, headers=headers)
        except OSError as error:
            raise ProviderAway(f"the token for Vault cannot be read: {type(error).__name__}") from None
        except httpx2.HTTPError as error:
            raise ProviderAway(f"Vault does not answer: {type(error).__name__}") from None
        return answer

    def _token_now(self) -> str:
        return self._token.read_text().strip() if isinstance(self._token, Path) else self._token.get_secret_value()


def _refused(answer: httpx2.Response) -> ProviderAway:
    """Vault's own words may name a path or a policy, not more."""
    return ProviderAway(f"Vault answers {answer.status_code}")


def _bound(bucket: str, name: str) -> str:
    return _encoded(f"{bucket}/{name}".encode())


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
