"""What evidence says of a learner's habits: what was done, interests, pace, activity. Mastery is `folder`'s."""

import struct
from typing import Final

import orjson

from learner_model import parameters
from learner_model.coding import (
    KEY_CHARS,
    Names,
    interest_bytes,
    key_bytes,
    last_bytes,
    read_keys,
    read_last,
    split_interests,
)
from learner_model.evidence import Evidence, EvidenceKind
from learner_model.folded import COUNTS, MAGIC, REST, Folded
from learner_model.helped import help_after
from learner_model.interests import Interests, choice, watching
from learner_model.outcomes import Outcome, activity_key, completed_after, outcome, position
from learner_model.pacing import pace_after
from learner_model.regularity import days_after
from learner_model.regulation import regulation_after
from learner_model.state import Activity, Days, Help, Interest, LastKey, Pace, Regulation, Trend, microseconds
from learner_model.watching import goes_on, watched_after

_DAY: Final = 86_400
_OUTCOMES: Final = tuple(Outcome)


class OutOfOrderError(ValueError):
    """The evidence does not come after what was folded: the state must be built anew from all rows."""


class Habits:
    """A learner's habits while they are folded on. What no evidence touches stays as it stands in bytes."""

    def __init__(self) -> None:
        self.last: LastKey | None = None
        self.pace = Pace()
        self.activity = Activity()
        self.days = Days()
        self.regulation = Regulation()
        self.help = Help()
        self.watched = ""
        self.interests = Interests({})
        self.keys = ""
        self.times: list[int] = []
        self.outcomes = bytearray()
        self.completed = ""

    @classmethod
    def of(cls, folded: Folded) -> "Habits":
        """Raises ValueError where the bytes are not those of a state."""
        opened = cls()
        if not folded.data:
            return opened
        data, places = folded.data, folded.places
        rest = orjson.loads(data[REST : places.last])
        usual, other = rest["pace"]
        opened.pace = Pace(Trend(*usual), Trend(*other))
        opened.activity = Activity(*rest["activity"])
        opened.days = Days(*rest["days"])
        opened.regulation = Regulation(*rest["regulation"])
        opened.help = Help(*rest.get("help", ()))
        opened.watched = rest.get("watched", "")
        opened.last, at = read_last(data, places.last)
        interests, end = split_interests(data, at, places.interests)
        opened.interests = Interests(interests)
        if end != places.keys:
            raise ValueError("not the length that a learner's state says")
        opened.keys = read_keys(data, places.keys, places.recent)
        opened.times = list(struct.unpack_from(f"<{places.recent}I", data, places.times))
        opened.outcomes = bytearray(data[places.outcomes : places.completed])
        opened.completed = read_keys(data, places.completed, places.done)
        return opened

    def take(self, evidence: Evidence) -> bool:
        """One piece of evidence more, which comes after all that was folded (else OutOfOrderError); whether it merely
        goes on with an act that counted already.
        """
        last = LastKey(microseconds(evidence.at), evidence.statement_id)
        if self.last is not None and last <= self.last:
            raise OutOfOrderError(f"statement {evidence.statement_id} does not come after the last one folded")
        at, key, result = last.at_us // 1_000_000, activity_key(evidence.activity_id), outcome(evidence)
        further = False
        if evidence.kind is not EvidenceKind.SUMMARY:
            before, done = self._last_outcome(key), position(self.completed, key) is not None
            further = evidence.watched is not None and goes_on(before[1] if before else None, at)
            strength = self._strength(evidence, key, before[0] if before else None, further)
            self.interests.add(evidence.tags, strength, at)
            self.pace = pace_after(self.pace, evidence.duration_seconds, evidence.expected_seconds)
            self.regulation = regulation_after(self.regulation, before, result, at, done=done)
        if evidence.activity_id:
            self._note(key, at, result)
            self.completed = completed_after(self.completed, key, result)
        self.last = last
        self.help = help_after(self.help, evidence)
        self.activity = _activity_after(self.activity, at)
        self.days = days_after(self.days, at)
        return further

    def _strength(self, evidence: Evidence, key: str, before: Outcome | None, further: bool) -> float:
        if evidence.watched is None:
            return choice(evidence, before)
        self.watched, new = watched_after(self.watched, key, evidence.watched)
        return watching(evidence, before, new, goes_on=further)

    def packed(self, names: Names, memory: bytes) -> Folded:
        """With the rest of what is kept of the learner."""
        waiting: dict[str, object] = {"help": [*self.help]} if self.help.hints else {}
        if self.watched:
            waiting["watched"] = self.watched
        rest = orjson.dumps(
            {
                "model": parameters.MODEL_VERSION,
                "pace": [[*trend] for trend in self.pace],
                "activity": [*self.activity],
                "days": [*self.days],
                "regulation": [*self.regulation],
                **waiting,
            }
        )
        named, recent = bytes(names), len(self.times)
        done = len(self.completed) // KEY_CHARS
        counts = COUNTS.pack(len(rest), len(self.interests.coded), recent, done, len(names), len(named), len(memory))
        parts = (
            MAGIC,
            counts,
            rest,
            last_bytes(self.last),
            *self.interests.coded.values(),
            key_bytes(self.keys),
            struct.pack(f"<{recent}I", *self.times),
            bytes(self.outcomes),
            key_bytes(self.completed),
            named,
            memory,
        )
        return Folded(b"".join(parts))

    def _last_outcome(self, key: str) -> tuple[Outcome, int] | None:
        """How it ended with the activity, and when it was last seen; None where it isn't among the recent ones."""
        at = position(self.keys, key)
        if at is None:
            return None
        place = at // KEY_CHARS
        return _OUTCOMES[self.outcomes[place]], self.times[place]

    def _note(self, key: str, at: int, result: Outcome) -> None:
        """Among the recent activities, oldest first. A mere look doesn't wipe out a result."""
        found, noted = position(self.keys, key), int(result)
        if found is not None:
            place = found // KEY_CHARS
            noted = self.outcomes[place] if result is Outcome.SEEN else noted
            self._forget(place)
        elif len(self.times) == parameters.RECENT_KEPT:
            self._forget(0)
        self.keys += key
        self.times.append(at)
        self.outcomes.append(noted)

    def _forget(self, place: int) -> None:
        self.keys = self.keys[: place * KEY_CHARS] + self.keys[(place + 1) * KEY_CHARS :]
        del self.times[place], self.outcomes[place]


def _activity_after(activity: Activity, at: int) -> Activity:
    first = activity.first if activity.statements else at
    new_day = not activity.statements or at // _DAY != activity.last // _DAY
    return Activity(activity.statements + 1, first, at, activity.active_days + new_day)


def carried_on(folded: Folded) -> Folded:
    """What this version can go on from of what an older one made: the habits. Competencies are learnt anew."""
    said, habits = folded.told(), Habits()
    expected, unexpected = said["pace"]
    habits.last = said["last"] and LastKey(*said["last"])
    habits.pace = Pace(Trend(*expected), Trend(*unexpected))
    habits.activity = Activity(*said["activity"])
    habits.days = Days(*said["days"])
    habits.regulation = Regulation(*said["regulation"])
    habits.watched = said.get("watched", "")
    for name, row in said["interests"].items():
        tag = name.encode()
        habits.interests.coded[tag] = interest_bytes(tag, Interest(*row))
    for key, at, result in said["recent"]:
        habits.keys += key
        habits.times.append(at)
        habits.outcomes.append(result)
    habits.completed = said["completed"]
    return habits.packed(Names(), b"")
