"""What teachers say of estimates, and what holds of it. Plain functions.

Of a competency a teacher gives a figure of their own; a signal, which has none, is set aside. Either is taken back with
a reason, too. One history holds all of a learner.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from learner_model.folded import nothing
from learner_model.overruling import Overruling
from pydantic import TypeAdapter

MOST: Final = 20
"""Of one estimate; what goes to and fro more often is for people to talk about."""
MOST_OF_A_LEARNER: Final = 1000


class Signal(StrEnum):
    """What else a model says of a learner (docs/guides/signals.md)."""

    INTERESTS = "interests"
    PACE = "pace"
    ENGAGEMENT = "engagement"
    STRENGTHS = "strengths"
    SELF_REGULATION = "self_regulation"
    COLLABORATION = "collaboration"


IN_PARTS: Final = frozenset({Signal.INTERESTS, Signal.STRENGTHS})
"""Signals of which a single one can be set aside: an interest by its tag, a strength by its competency."""
_SIGNALS_OF_STATE: Final = {
    "interests": Signal.INTERESTS,
    "pace": Signal.PACE,
    "days": Signal.ENGAGEMENT,
    "regulation": Signal.SELF_REGULATION,
}
Apart = tuple[Signal, str | None]
"""A signal, and the single tag or competency, or None for all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A word on a competency. `by`: the `sub` of the teacher. `probability` None: what was said before is taken back.

    `reason` None: taken back before a reason was asked for. `evidence_count`: responses on the competency at that time.
    """

    competency: str
    at: datetime
    by: str
    reason: str | None
    probability: float | None
    evidence_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A word on a signal. `aside` False: it is no longer set aside."""

    signal: Signal
    about: str | None
    at: datetime
    by: str
    reason: str
    aside: bool


Word = Said | Aside
_HISTORIES = TypeAdapter(tuple[Word, ...])


def pack(history: Sequence[Word]) -> bytes:
    return _HISTORIES.dump_json(tuple(history))


def unpack(data: bytes) -> tuple[Word, ...]:
    return _HISTORIES.validate_json(data)


def alike(history: Sequence[Word], word: Word) -> list[Word]:
    """What was said of the same estimate, in the order in which it was."""
    return [one for one in history if _about(one) == _about(word)]


def takes_back(word: Word) -> bool:
    return word.probability is None if isinstance(word, Said) else not word.aside


def on(history: Sequence[Word], competency: str) -> list[Said]:
    """What was said of one competency, in the order in which it was."""
    return [one for one in history if isinstance(one, Said) and one.competency == competency]


def last_words(history: Sequence[Word]) -> dict[str, Said]:
    """The last word on each competency, but where it was taken back."""
    last = {one.competency: one for one in history if isinstance(one, Said)}
    return {name: one for name, one in last.items() if not takes_back(one)}


def overrulings(history: Sequence[Word]) -> dict[str, Overruling]:
    """The last words as the learner model reckons with them, by competency."""
    return {
        name: Overruling(probability=one.probability, at=one.at, evidence_count=one.evidence_count)
        for name, one in sorted(last_words(history).items())
        if one.probability is not None
    }


def set_aside(history: Sequence[Word]) -> dict[Apart, Aside]:
    """The signals that are set aside, and the words that did it."""
    last = {(one.signal, one.about): one for one in history if isinstance(one, Aside)}
    return {apart: last[apart] for apart in sorted(last, key=_order) if last[apart].aside}


def without(told: dict[str, Any], aside: Sequence[Apart]) -> dict[str, Any]:
    """A state as JSON has it, as others may act on it: what is set aside is not in it. Strengths are in no state."""
    if not aside:
        return told
    whole = {signal for signal, about in aside if about is None}
    tags = {about for signal, about in aside if signal is Signal.INTERESTS}
    kept = {tag: interest for tag, interest in told["interests"].items() if tag not in tags}
    blank = nothing().told()
    gone = {name: blank[name] for name, signal in _SIGNALS_OF_STATE.items() if signal in whole}
    return {**told, "interests": kept, **gone}


def _about(word: Word) -> tuple[str, str | None]:
    return ("competency", word.competency) if isinstance(word, Said) else (word.signal, word.about)


def _order(apart: Apart) -> tuple[str, str]:
    return (apart[0], apart[1] or "")
