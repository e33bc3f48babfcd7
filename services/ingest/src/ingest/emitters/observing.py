"""What an emitter sends, counted: kinds and numbers, nobody's data. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final

from xapi import Accepted, timestamps
from xapi.parsing import JsonObject

from ingest.emitters.quarantine import Reason

MOST_KINDS: Final = 40
"""Different verbs, places of errors and home pages that are told apart; more are counted together."""
OTHERS: Final = "(others)"
_IDENTIFIERS: Final = ("mbox", "mbox_sha1sum", "openid", "account")
_SAME_SCORE: Final = 0.01
_COUNTED: Final = ("verbs", "refused", "allowances", "actors", "home_pages", "scores", "versions")


@dataclass(slots=True)
class Tally:
    """Counts of requests and statements of one credential."""

    requests: int = 0
    statements: int = 0
    stored: int = 0
    quarantined: int = 0
    not_recorded: int = 0
    refused_requests: int = 0
    without_id: int = 0
    without_timestamp: int = 0
    without_registration: int = 0
    oldest_seconds: float = 0.0
    newest_seconds: float = 0.0
    scaled_differs: int = 0
    verbs: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    allowances: Counter[str] = field(default_factory=Counter)
    actors: Counter[str] = field(default_factory=Counter)
    home_pages: Counter[str] = field(default_factory=Counter)
    scores: Counter[str] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)

    def request(self, version: str) -> None:
        self.requests += 1
        self.versions[version] += 1

    def see(self, one: Accepted, now: datetime) -> None:
        """A valid statement as it was sent."""
        raw = one.parsed.raw
        self.statements += 1
        _count(self.verbs, raw["verb"]["id"])
        self.without_id += one.parsed.id is None
        self.without_registration += "registration" not in (raw.get("context") or {})
        self.allowances.update(allowance.value for allowance in one.allowances)
        self._see_actor(raw["actor"])
        self._see_time(raw.get("timestamp"), now)
        self._see_score((raw.get("result") or {}).get("score"))

    def refuse(self, reasons: Iterable[Reason]) -> None:
        """The places and reasons of one refused statement or request; numbers in a place become `*`."""
        for reason in reasons:
            _count(self.refused, f"{_pattern(reason.pointer)}: {reason.detail}")

    def _see_actor(self, actor: JsonObject) -> None:
        kind = next((name for name in _IDENTIFIERS if name in actor), "anonymous group")
        self.actors[kind] += 1
        if kind == "account":
            _count(self.home_pages, actor["account"]["homePage"])

    def _see_time(self, timestamp: str | None, now: datetime) -> None:
        if timestamp is None:
            self.without_timestamp += 1
            return
        age = (now - timestamps.parse(timestamp)).total_seconds()
        self.oldest_seconds = max(self.oldest_seconds, age)
        self.newest_seconds = min(self.newest_seconds, age)

    def _see_score(self, score: JsonObject | None) -> None:
        if score is None:
            return
        self.scores["+".join(name for name in ("scaled", "raw", "min", "max") if name in score) or "empty"] += 1
        raw, low, high, scaled = (score.get(name) for name in ("raw", "min", "max", "scaled"))
        if None in (raw, low, high, scaled) or low == high:
            return
        self.scaled_differs += abs((raw - low) / (high - low) - scaled) > _SAME_SCORE  # type: ignore[operator]  # checked above

    def document(self) -> dict[str, Any]:
        """As JSON; counters are lists of pairs, since their names may not be names of fields."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        return plain | {name: [[key, count] for key, count in plain[name].items()] for name in _COUNTED}


def tally_of(documents: Sequence[Mapping[str, Any]]) -> Tally:
    """The sum of what several processes have counted."""
    total = Tally()
    for document in documents:
        for name, value in document.items():
            if name in _COUNTED:
                getattr(total, name).update(dict(value))
            elif name == "oldest_seconds":
                total.oldest_seconds = max(total.oldest_seconds, value)
            elif name == "newest_seconds":
                total.newest_seconds = min(total.newest_seconds, value)
            else:
                setattr(total, name, getattr(total, name) + value)
    return total


def _count(counter: Counter[str], name: str) -> None:
    counter[name if name in counter or len(counter) < MOST_KINDS else OTHERS] += 1


def _pattern(pointer: str) -> str:
    return "/".join("*" if part.isdigit() else part for part in pointer.split("/")) or "the body"
