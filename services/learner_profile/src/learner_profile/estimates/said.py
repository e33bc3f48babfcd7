"""A teacher's word on a competency, and what holds of all that was said. Plain functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from learner_model.overruling import Overruling
from pydantic import TypeAdapter

MOST: Final = 20
"""Of one competency; what goes to and fro more often is for people to talk about."""
MOST_OF_A_LEARNER: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """`by`: the `sub` of the teacher. `probability` None: what was said before is taken back, without a reason.

    `evidence_count`: responses on the competency at that time.
    """

    competency: str
    at: datetime
    by: str
    reason: str | None
    probability: float | None
    evidence_count: int = 0


_HISTORIES = TypeAdapter(tuple[Said, ...])


def pack(history: Sequence[Said]) -> bytes:
    return _HISTORIES.dump_json(tuple(history))


def unpack(data: bytes) -> tuple[Said, ...]:
    return _HISTORIES.validate_json(data)


def on(history: Sequence[Said], competency: str) -> list[Said]:
    """What was said of one competency, in the order in which it was."""
    return [one for one in history if one.competency == competency]


def last_words(history: Sequence[Said]) -> dict[str, Said]:
    """The last word on each competency, but where it was taken back."""
    last = {one.competency: one for one in history}
    return {name: one for name, one in last.items() if one.probability is not None}


def overrulings(history: Sequence[Said]) -> dict[str, Overruling]:
    """The last words as the learner model reckons with them, by competency."""
    return {
        name: Overruling(probability=one.probability, at=one.at, evidence_count=one.evidence_count)
        for name, one in sorted(last_words(history).items())
        if one.probability is not None
    }
