"""Bucket keys in one file, for one machine: mode 0600, replaced in one step, durable before anyone goes on.

Several processes share the file: who changes it holds a lock, who reads it notices a replacement by its inode. The
file replaced is overwritten before it is let go; what a copy-on-write file system or an SSD keeps of it is beyond reach
(`docs/guides/keys.md`).
"""

import asyncio
import base64
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service_kit.keys.provider import BucketGone, Named, ProviderAway, WrongKey

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_VERSION: Final = 1
Keys = dict[str, bytes]


class FileKeyProvider:
    """AES-256-GCM with a random nonce; the bucket's and the data key's name are authenticated."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._ciphers: dict[str, AESGCM] = {}

    async def create(self, bucket: str) -> None:
        await asyncio.to_thread(self._change, lambda keys: keys.setdefault(bucket, secrets.token_bytes(KEY_BYTES)))

    async def wrap(self, bucket: str, keys: Sequence[Named]) -> list[bytes]:
        cipher = self._cipher(bucket)
        nonces = [secrets.token_bytes(NONCE_BYTES) for _ in keys]
        return [
            nonce + cipher.encrypt(nonce, key, _bound(bucket, name))
            for nonce, (name, key) in zip(nonces, keys, strict=True)
        ]

    async def unwrap(self, bucket: str, keys: Sequence[Named]) -> list[bytes]:
        cipher = self._cipher(bucket)
        try:
            return [
                cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _bound(bucket, name))
                for name, wrapped in keys
            ]
        except (InvalidTag, ValueError):
            raise WrongKey(f"a data key of bucket {bucket} does not open") from None

    async def destroy(self, bucket: str) -> None:
        await asyncio.to_thread(self._change, lambda keys: keys.pop(bucket, None))

    async def close(self) -> None:
        """Nothing is held open."""

    def _cipher(self, bucket: str) -> AESGCM:
        """Of the file as it is now: what another process destroyed is no longer used."""
        try:
            status = self._path.stat()
            if (seen := (status.st_ino, status.st_mtime_ns)) != self._seen:
                self._ciphers = {name: AESGCM(key) for name, key in _read(self._path).items()}
                self._seen = seen
        except FileNotFoundError:
            self._ciphers, self._seen = {}, None
        except OSError as error:
            raise ProviderAway(f"the key file cannot be read: {type(error).__name__}") from None
        found = self._ciphers.get(bucket)
        if found is None:
            raise BucketGone(bucket)
        return found

    def _change(self, change: Callable[[Keys], object]) -> None:
        try:
            with _locked(self._path.with_name(f"{self._path.name}.lock")):
                keys = _read(self._path) if self._path.exists() else {}
                before = dict(keys)
                change(keys)
                if keys != before:
                    _replace(self._path, keys)
        except OSError as error:
            raise ProviderAway(f"the key file cannot be written: {type(error).__name__}") from None


def _bound(bucket: str, name: str) -> bytes:
    return f"{bucket}/{name}".encode()


def _read(path: Path) -> Keys:
    try:
        document = orjson.loads(path.read_bytes())
        if document["version"] != _VERSION:
            raise ProviderAway("the key file is of another version")
        return {name: base64.b64decode(key, validate=True) for name, key in document["buckets"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ProviderAway("the key file is not one") from None


def _replace(path: Path, keys: Mapping[str, bytes]) -> None:
    """The old content or the new, never half of one; durable (file, then folder) before it returns."""
    buckets = {name: base64.b64encode(key).decode() for name, key in keys.items()}
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    _write(temporary, orjson.dumps({"version": _VERSION, "buckets": buckets}), os.O_CREAT | os.O_EXCL)
    old = os.open(path, os.O_WRONLY) if path.exists() else None
    try:
        temporary.replace(path)
        _sync(path.parent)
        if old is not None:
            os.pwrite(old, bytes(os.fstat(old).st_size), 0)
            os.fsync(old)
    finally:
        if old is not None:
            os.close(old)


def _write(path: Path, content: bytes, flags: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | flags, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
