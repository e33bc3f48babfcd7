"""What is kept of a learner to be folded on, and its bytes: bounded, and the same for the same evidence.

`habits` is a state without competencies; the rest of it lies in the memory of the additive model, whose skills are the
competencies `names`. 20 competencies take at most 4 KB, 150 at most 16 KB, each one more at most 80 bytes where its
name differs from the one before by 36 characters or a UUID.
"""

import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from pydantic import TypeAdapter

from learner_model.parameters import MODEL_VERSION
from learner_model.state import Interest, LastKey, LearnerState, Recent, decode, empty, encode

_MAGIC: Final = b"TLS3"
_COUNTS: Final = struct.Struct("<HHHHHII")  # bytes of the rest; interests, recent, completed, names; bytes of those two
_INTEREST: Final = struct.Struct("<HII")
_NAME: Final = struct.Struct("<BH")
_KEY_CHARS: Final = 6
_SCORES: Final = 10_000
_APART: Final = {"last", "ability", "level", "competencies", "interests", "recent", "completed"}
_HABITS: Final = TypeAdapter(LearnerState)
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_UUID_CHARS: Final = 36
_SHORT: Final = 255  # in the place of a length: a UUID


@dataclass(frozen=True, slots=True)
class Folded:
    """`memory` empty: nothing that could be folded on; `habits` is then all there is (an older model's state too)."""

    habits: LearnerState
    names: tuple[str, ...] = ()
    memory: bytes = b""

    @property
    def current(self) -> bool:
        """Whether this version of the model made it."""
        return self.habits.model == MODEL_VERSION


def nothing() -> Folded:
    """Of a learner of whom nothing is known."""
    return Folded(empty())


def carried_on(folded: Folded) -> Folded:
    """What this version can go on from of what an older one made: the habits. Competencies are learnt anew."""
    now = empty()
    kept = replace(folded.habits, model=now.model, ability=now.ability, level=now.level, competencies={})
    return Folded(kept)


def pack(folded: Folded) -> bytes:
    """As bytes; `unpack` reads them."""
    habits = folded.habits
    if not folded.current:
        return encode(habits)
    rest = _HABITS.dump_json(habits, exclude=_APART)
    completed = len(habits.completed) // _KEY_CHARS
    names = _names(folded.names)
    counts = _COUNTS.pack(
        len(rest),
        len(habits.interests),
        len(habits.recent),
        completed,
        len(folded.names),
        len(names),
        len(folded.memory),
    )
    recent = "".join(one.activity for one in habits.recent)
    return b"".join(
        (
            _MAGIC,
            counts,
            rest,
            *_last(habits.last),
            *_interests(habits.interests),
            _keys(recent),
            struct.pack(f"<{len(habits.recent)}I", *(one.at for one in habits.recent)),
            bytes(one.outcome for one in habits.recent),
            _keys(habits.completed),
            names,
            folded.memory,
        )
    )


def unpack(data: bytes) -> Folded:
    """What `pack` wrote, or the JSON of a state that an older model made. Raises ValueError on anything else."""
    if data[:1] == b"{":
        return Folded(decode(data))
    if data[: len(_MAGIC)] != _MAGIC:
        raise ValueError("not a learner's state")
    try:
        return _read(data, len(_MAGIC))
    except (struct.error, IndexError) as error:
        raise ValueError("not a learner's state") from error


def _read(data: bytes, at: int) -> Folded:
    rest, interests, recent, completed, names, named, memory = _COUNTS.unpack_from(data, at)
    at += _COUNTS.size
    habits = _HABITS.validate_json(data[at : at + rest])
    at += rest
    last, at = _read_last(data, at)
    found: dict[str, Interest] = {}
    for _ in range(interests):
        coded, score, seen = _INTEREST.unpack_from(data, at)
        at += _INTEREST.size + (coded >> 1)
        tag = data[at - (coded >> 1) : at].decode()
        found[tag] = Interest(score / _SCORES, seen, discipline=bool(coded & 1))
    keys, at = _read_keys(data, at, recent)
    times = struct.unpack_from(f"<{recent}I", data, at)
    at += 4 * recent
    outcomes = data[at : at + recent]
    at += recent
    done, at = _read_keys(data, at, completed)
    called = _read_names(data[at : at + named], names)
    at += named
    if len(data) != at + memory:
        raise ValueError("not the length that a learner's state says")
    acts = (keys[k : k + _KEY_CHARS] for k in range(0, len(keys), _KEY_CHARS))
    recents = tuple(map(Recent, acts, times, outcomes))
    return Folded(replace(habits, last=last, interests=found, recent=recents, completed=done), called, data[at:])


def _last(last: LastKey | None) -> Iterator[bytes]:
    """A length (0: there is none), the time, and the statement's id; one that is a UUID in 16 bytes."""
    if last is None:
        yield b"\0"
        return
    short = _UUID.fullmatch(last.statement_id) is not None
    name = bytes.fromhex(last.statement_id.replace("-", "")) if short else last.statement_id.encode()
    yield struct.pack("<Bq", _SHORT if short else len(name) + 1, last.at_us)
    yield name


def _read_last(data: bytes, at: int) -> tuple[LastKey | None, int]:
    if data[at] == 0:
        return None, at + 1
    length, at_us = struct.unpack_from("<Bq", data, at)
    at += 9
    if length == _SHORT:
        return LastKey(at_us, _uuid(data[at : at + 16])), at + 16
    return LastKey(at_us, data[at : at + length - 1].decode()), at + length - 1


def _interests(interests: dict[str, Interest]) -> Iterator[bytes]:
    for tag, interest in interests.items():
        name = tag.encode()
        yield _INTEREST.pack(len(name) << 1 | interest.discipline, round(interest.score * _SCORES), interest.at)
        yield name


def _keys(keys: str) -> bytes:
    """Joined short keys: 36 bits each."""
    return urlsafe_b64decode(keys + "A" * (-len(keys) % 4))[: _key_bytes(len(keys) // _KEY_CHARS)]


def _read_keys(data: bytes, at: int, count: int) -> tuple[str, int]:
    length = _key_bytes(count)
    padded = data[at : at + length] + bytes(-length % 3)
    return urlsafe_b64encode(padded).decode()[: count * _KEY_CHARS], at + length


def _key_bytes(count: int) -> int:
    return (count * 9 + 1) // 2


@lru_cache(maxsize=4096)
def _names(names: tuple[str, ...]) -> bytes:
    """Each name as what it shares with the one before, what is new, and a UUID at its end in 16 bytes."""
    parts, before = list[bytes](), b""
    for name in names:
        end = name[-_UUID_CHARS:]
        found = _UUID.fullmatch(end) is not None
        text = (name[:-_UUID_CHARS] if found else name).encode()
        shared = min(len(text), 255) if text == before else _shared(before, text)
        new = text[shared:]
        parts += (_NAME.pack(shared, len(new) << 1 | found), new)
        if found:
            parts.append(bytes.fromhex(end.replace("-", "")))
        before = text
    return b"".join(parts)


@lru_cache(maxsize=4096)
def _read_names(data: bytes, count: int) -> tuple[str, ...]:
    names, before, at = [], b"", 0
    for _ in range(count):
        shared, coded = _NAME.unpack_from(data, at)
        at += _NAME.size + (coded >> 1)
        before = before[:shared] + data[at - (coded >> 1) : at]
        name = before.decode()
        if coded & 1:
            name += _uuid(data[at : at + 16])
            at += 16
        names.append(name)
    if at != len(data):
        raise ValueError("not the length that its names say")
    return tuple(names)


def _uuid(data: bytes) -> str:
    text = data.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _shared(a: bytes, b: bytes) -> int:
    most = min(len(a), len(b), 255)
    return next((k for k in range(most) if a[k] != b[k]), most)
