"""Looks for what should not be there: in every document, every record, every file; and tries every key."""

from __future__ import annotations

import base64
import json
import mmap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import bson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pymongo import MongoClient

Documents = dict[str, list[bytes]]
NONCE = 12


def databases(url: str, prefix: str = "") -> Documents:
    """Every document as BSON, by `database.collection`; without prefix those of the server itself too."""
    found: Documents = {}
    with MongoClient[bson.raw_bson.RawBSONDocument](url, document_class=bson.raw_bson.RawBSONDocument) as client:
        for name in client.list_database_names():
            if name.startswith(prefix):
                for collection in client[name].list_collection_names():
                    found[f"{name}.{collection}"] = [bytes(d.raw) for d in client[name][collection].find()]
    return found


def holding(documents: Documents, needles: Iterable[str]) -> dict[str, list[str]]:
    """Which needles are found in which collection."""
    wanted = [needle.encode() for needle in needles]
    return {
        place: hits
        for place, raw in documents.items()
        if (hits := [one.decode() for one in wanted if any(one in document for document in raw)])
    }


def files_holding(folder: Path, needles: Iterable[str]) -> dict[str, list[str]]:
    """Which needles are found in which file, also in what is no longer part of any document."""
    wanted = [needle.encode() for needle in needles]
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size:
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                if hits := [one.decode() for one in wanted if content.find(one) >= 0]:
                    found[str(path.relative_to(folder))] = hits
    return found


@dataclass
class Blobs:
    """Sealed bytes by the name of their key, wherever they were found."""

    by_key: dict[str, list[bytes]] = field(default_factory=dict)

    def add(self, key: str, data: bytes) -> None:
        self.by_key.setdefault(key, []).append(data)

    @classmethod
    def of(cls, documents: Documents) -> Blobs:
        """Every binary value that stands beside a field `key`, at any depth."""
        blobs = cls()
        for raw in documents.values():
            for document in raw:
                for part in _parts(bson.decode(document)):
                    if isinstance(key := part.get("key"), str):
                        for value in part.values():
                            if isinstance(value, bytes) and len(value) > NONCE:
                                blobs.add(key, value)
        return blobs

    def add_records(self, values: Iterable[bytes | None]) -> None:
        """Of Kafka."""
        for value in values:
            envelope = json.loads(value) if value else {}
            if isinstance(envelope, dict) and isinstance(key := envelope.get("key"), str):
                self.add(key, base64.b64decode(envelope["data"]))


def _parts(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
        for one in value.values():
            yield from _parts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _parts(one)


@dataclass(frozen=True)
class EveryKey:
    """Every key that a stack holds: bucket keys of its file, and the data keys that they open."""

    buckets: Mapping[str, bytes]
    data_keys: Mapping[str, bytes]

    @classmethod
    def of(cls, key_file: Path, learner_keys: Iterable[Mapping[str, Any]]) -> EveryKey:
        """`learner_keys`: documents of privacy's collection, also old ones."""
        held = {name: base64.b64decode(k) for name, k in json.loads(key_file.read_bytes())["buckets"].items()}
        opened = {}
        for one in learner_keys:
            wrapped = bytes(one["wrapped"])
            for bucket, key in held.items():
                plain = tried(key, wrapped, f"{bucket}/{one['_id']}".encode())
                if plain is not None:
                    opened[one["_id"]] = plain
        return cls(held, opened)

    def opened(self, name: str, sealed: bytes) -> bytes:
        """What that data key has sealed."""
        found = tried(self.data_keys[name], sealed, name.encode())
        assert found is not None
        return found

    def opening(self, name: str, sealed: Iterable[bytes]) -> int:
        """How many of the sealed bytes any of the keys opens, by that name or by its own."""
        keys = [*self.buckets.items(), *self.data_keys.items()]
        return sum(
            any(tried(key, data, bound.encode()) is not None for (own, key), bound in product(keys, (name,)) if own)
            for data in sealed
        )


def tried(key: bytes, sealed: bytes, bound: bytes) -> bytes | None:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], bound)
    except (InvalidTag, ValueError):
        return None
