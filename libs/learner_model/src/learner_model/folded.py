"""What is kept of a learner to be folded on: its bytes, bounded, and the same for the same evidence.

They hold a state without competencies, the names of the competencies, and the memory of the additive model,
whose skills these are. 20 competencies take at most 4 KB, 150 at most 16 KB, each one more at most 80 bytes where its
name differs from the one before by 36 characters or a UUID.
"""

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import orjson

from learner_model.coding import (
    KEY_CHARS,
    Names,
    keys_length,
    read_keys,
    read_last,
    read_names,
    split_interests,
    told_interest,
)
from learner_model.parameters import MODEL_VERSION
from learner_model.state import LastKey, decode, empty, encode

MAGIC: Final = b"TLS3"
COUNTS: Final = struct.Struct("<HHHHHII")  # bytes of the rest; interests, recent, completed, names; bytes of those two
REST: Final = len(MAGIC) + COUNTS.size
_CURRENT: Final = f'{{"model":{MODEL_VERSION},'.encode()
_OPEN: Final[dict[str, Any]] = {"ability": [*empty().ability], "level": [*empty().level], "competencies": {}}


class Places(NamedTuple):
    """Where the parts of a state stand, and how many there are of what repeats."""

    last: int
    keys: int
    times: int
    outcomes: int
    completed: int
    names: int
    memory: int
    interests: int
    recent: int
    done: int
    named: int


@dataclass(frozen=True)
class Folded:
    """The bytes, read as far as one asks. They may be the JSON of a state that an older model made."""

    data: bytes

    @property
    def current(self) -> bool:
        """Whether this version of the model made it."""
        return self.data.startswith(_CURRENT, REST) and self.data.startswith(MAGIC)

    @property
    def model(self) -> int:
        """The version of the model that made it."""
        return MODEL_VERSION if self.current else int(self.told()["model"])

    @property
    def last(self) -> LastKey | None:
        """The key of the last evidence folded."""
        if self._in_parts:
            return read_last(self.data, self.places.last)[0]
        last = self.told()["last"]
        return last and LastKey(*last)

    @property
    def statements(self) -> int:
        """How many were folded."""
        return int(self.told()["activity"][0] if not self._in_parts else self._rest()["activity"][0])

    def told(self) -> dict[str, Any]:
        """The fields of `LearnerState` as JSON has them: all but the competencies, or those of an older model too."""
        if not self._in_parts:
            found: dict[str, Any] = orjson.loads(encode(decode(self.data) if self.data else empty()))
            return found
        data, places = self.data, self.places
        last, at = read_last(data, places.last)
        interests, end = split_interests(data, at, places.interests)
        if end != places.keys:
            raise ValueError("not the length that a learner's state says")
        keys = read_keys(data, places.keys, places.recent)
        times = struct.unpack_from(f"<{places.recent}I", data, places.times)
        acts = [keys[k : k + KEY_CHARS] for k in range(0, len(keys), KEY_CHARS)]
        return {
            "last": last and [*last],
            **_OPEN,
            **self._rest(),
            "interests": {tag.decode(): told_interest(coded) for tag, coded in interests.items()},
            "recent": list(zip(acts, times, data[places.outcomes : places.completed], strict=True)),
            "completed": read_keys(data, places.completed, places.done),
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Of the competencies, in the order in which they were met first."""
        if not self._in_parts:
            return ()
        places = self.places
        return read_names(self.data[places.names : places.memory], places.named)

    @property
    def coded_names(self) -> Names:
        """The same to be added to."""
        if not self._in_parts:
            return Names()
        places = self.places
        return Names(self.data[places.names : places.memory], places.named)

    @property
    def memory(self) -> bytes:
        """Of the additive model; empty: nothing that could be folded on."""
        return self.data[self.places.memory :] if self._in_parts else b""

    @cached_property
    def places(self) -> Places:
        """Raises ValueError where the bytes are too few for what they say."""
        return _places(self.data)

    @property
    def _in_parts(self) -> bool:
        return self.data.startswith(MAGIC)

    def _rest(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.data[REST : self.places.last])
        return found


def nothing() -> Folded:
    """Of a learner of whom nothing is known."""
    return Folded(b"")


def pack(folded: Folded) -> bytes:
    """As bytes; `unpack` reads them."""
    return folded.data


def unpack(data: bytes) -> Folded:
    """What `pack` gave, or the JSON of a state that an older model made. Raises ValueError on anything else."""
    folded = Folded(data)
    if data.startswith(MAGIC):
        _ = folded.places
    elif data[:1] == b"{":
        decode(data)
    elif data:
        raise ValueError("not a learner's state")
    return folded


def _places(data: bytes) -> Places:
    try:
        rest, interests, recent, done, named, names, memory = COUNTS.unpack_from(data, len(MAGIC))
    except struct.error as error:
        raise ValueError("not a learner's state") from error
    memory_at = len(data) - memory
    names_at = memory_at - names
    completed_at = names_at - keys_length(done)
    outcomes_at = completed_at - recent
    times_at = outcomes_at - 4 * recent
    keys_at = times_at - keys_length(recent)
    if keys_at <= REST + rest:
        raise ValueError("not the length that a learner's state says")
    return Places(
        REST + rest,
        keys_at,
        times_at,
        outcomes_at,
        completed_at,
        names_at,
        memory_at,
        interests,
        recent,
        done,
        named,
    )
