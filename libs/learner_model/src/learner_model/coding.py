"""How the parts of a learner's state stand in bytes: the last key, interests, short keys, names."""

import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from typing import Final, NamedTuple

from learner_model.additive.identity import identity
from learner_model.state import Interest, LastKey

KEY_CHARS: Final = 6
INTEREST: Final = struct.Struct("<HII")  # twice the bytes of the tag and whether it is a discipline; score; when
SCORES: Final = 10_000
_LAST: Final = struct.Struct("<Bq")
_NAME: Final = struct.Struct("<BH")
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_UUID_CHARS: Final = 36
_SHORT: Final = 255  # in the place of a length: a UUID


def last_bytes(last: LastKey | None) -> bytes:
    """A length (0: there is none), the time, and the statement's id; one that is a UUID in 16 bytes."""
    if last is None:
        return b"\0"
    short = _UUID.fullmatch(last.statement_id) is not None
    name = bytes.fromhex(last.statement_id.replace("-", "")) if short else last.statement_id.encode()
    return _LAST.pack(_SHORT if short else len(name) + 1, last.at_us) + name


def read_last(data: bytes, at: int) -> tuple[LastKey | None, int]:
    """What `last_bytes` made, and where it ends."""
    if data[at] == 0:
        return None, at + 1
    length, at_us = _LAST.unpack_from(data, at)
    at += _LAST.size
    if length == _SHORT:
        return LastKey(at_us, _uuid(data[at : at + 16])), at + 16
    return LastKey(at_us, data[at : at + length - 1].decode()), at + length - 1


def interest_bytes(tag: bytes, interest: Interest) -> bytes:
    """One interest."""
    return INTEREST.pack(len(tag) << 1 | interest.discipline, round(interest.score * SCORES), interest.at) + tag


def told_interest(coded: bytes) -> tuple[float, int, bool]:
    """What `interest_bytes` made, as JSON has it."""
    length, score, at = INTEREST.unpack_from(coded)
    return score / SCORES, at, length & 1 == 1


def split_interests(data: bytes, at: int, count: int) -> tuple[dict[bytes, bytes], int]:
    """Tag → its interest as it stands there, and where they end."""
    found: dict[bytes, bytes] = {}
    for _ in range(count):
        named = at + INTEREST.size
        end = named + (int.from_bytes(data[at : at + 2], "little") >> 1)
        found[data[named:end]] = data[at:end]
        at = end
    return found, at


def key_bytes(keys: str) -> bytes:
    """Joined short keys: 36 bits each."""
    return urlsafe_b64decode(keys + "A" * (-len(keys) % 4))[: keys_length(len(keys) // KEY_CHARS)]


def read_keys(data: bytes, at: int, count: int) -> str:
    """What `key_bytes` made of so many."""
    length = keys_length(count)
    padded = data[at : at + length] + bytes(-length % 3)
    return urlsafe_b64encode(padded).decode()[: count * KEY_CHARS]


def keys_length(count: int) -> int:
    """Bytes of so many short keys."""
    return (count * 9 + 1) // 2


class Names:
    """The names of competencies, in the order of their rows, as they stand in bytes, and their identities.

    Each is what it shares with the one before, what is new, and a UUID at its end in 16 bytes.
    """

    def __init__(self, data: bytes = b"", count: int = 0) -> None:
        """Raises ValueError where the bytes do not hold so many."""
        found = _parsed(data, count)
        self._data = data
        self._count = count
        self._before = found.before
        self.identities = dict.fromkeys(found.identities)

    def __len__(self) -> int:
        return self._count

    def __bytes__(self) -> bytes:
        return self._data

    def add(self, name: str) -> None:
        coded, self._before = _coded(self._before, name)
        self._data += coded
        self._count += 1
        self.identities[identity(name)] = None

    def drop_last(self) -> None:
        left = read_names(self._data, self._count)[:-1]
        self._data, self._count, self._before = b"", 0, b""
        self.identities = {}
        for name in left:
            self.add(name)


class _Parsed(NamedTuple):
    """`before`: what the next name may share."""

    names: tuple[str, ...]
    identities: tuple[int, ...]
    before: bytes


def read_names(data: bytes, count: int) -> tuple[str, ...]:
    """The names. Raises ValueError where the bytes do not hold so many."""
    return _parsed(data, count).names


@lru_cache(maxsize=8192)
def _parsed(data: bytes, count: int) -> _Parsed:
    names, identities = list[str](), list[int]()
    before, at = b"", 0
    for _ in range(count):
        coded = int.from_bytes(data[at + 1 : at + 3], "little")
        end = at + _NAME.size + (coded >> 1) + (16 if coded & 1 else 0)
        name, own, before = _name(before, data[at:end])
        names.append(name)
        identities.append(own)
        at = end
    if at != len(data):
        raise ValueError("not the length that its names say")
    return _Parsed(tuple(names), tuple(identities), before)


@lru_cache(maxsize=16_384)
def _name(before: bytes, data: bytes) -> tuple[str, int, bytes]:
    """The name, its identity, and it without the UUID at its end."""
    shared, coded = _NAME.unpack_from(data)
    end = _NAME.size + (coded >> 1)
    text = before[:shared] + data[_NAME.size : end]
    name = text.decode()
    if coded & 1:
        name += _uuid(data[end:])
    return name, identity(name), text


def _coded(before: bytes, name: str) -> tuple[bytes, bytes]:
    """The name's bytes, and it without the UUID at its end."""
    end = name[-_UUID_CHARS:]
    found = _UUID.fullmatch(end) is not None
    text = (name[:-_UUID_CHARS] if found else name).encode()
    shared = min(len(text), 255) if text == before else _shared(before, text)
    new = text[shared:]
    rest = bytes.fromhex(end.replace("-", "")) if found else b""
    return _NAME.pack(shared, len(new) << 1 | found) + new + rest, text


def _uuid(data: bytes) -> str:
    text = data.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _shared(a: bytes, b: bytes) -> int:
    most = min(len(a), len(b), 255)
    return next((k for k in range(most) if a[k] != b[k]), most)
