"""One piece of evidence: what a statement says about a learner, in the model's terms."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

EvidenceKey = tuple[datetime, str]
_SHARES = ("correctness", "difficulty", "weight", "watched", "guessing")


class EvidenceKind(StrEnum):
    """What an act can tell.

    A `response` moves mastery (it has a correctness); a `completion` or `exposure` counts towards interest, pace and
    what was done; a `summary` (a total that names the statement it sums up) is counted and says what is done, and moves
    nothing else, since its parts did.
    """

    RESPONSE = "response"
    COMPLETION = "completion"
    EXPOSURE = "exposure"
    SUMMARY = "summary"


class Evidence(Struct, frozen=True, kw_only=True):
    """A row of evidence. Folding order is `key`; `at` is the earlier of the statement's timestamp and stored.

    `hints`: how many were shown, by this act or for this answer; None: not known. `watched`: the share of a video that
    had been played by then (0: not told), of a piece of that act; None: it is no such piece. `guessing`: how often
    chance alone answers the item rightly; None: not known.
    """

    statement_id: str
    at: datetime
    stored: datetime
    activity_id: str
    verb_id: str
    kind: EvidenceKind
    competencies: tuple[tuple[str, float], ...] = ()
    provisional: bool = False
    correctness: float | None = None
    completion: bool | None = None
    duration_seconds: float | None = None
    hints: int | None = None
    watched: float | None = None
    guessing: float | None = None
    expected_seconds: float | None = None
    difficulty: float | None = None
    tags: tuple[str, ...] = ()
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what the fold could not reckon with: naive times and shares outside 0..1."""
        if self.at.tzinfo is None or self.stored.tzinfo is None:
            raise ValueError("evidence times are aware")
        shares = (self.correctness, self.difficulty, self.weight, self.watched, self.guessing)
        for place, share in enumerate(shares):
            if share is not None and not 0.0 <= share <= 1.0:
                raise ValueError(f"{_SHARES[place]} lies between 0 and 1")
        for _, weight in self.competencies:
            if not 0.0 <= weight <= 1.0:
                raise ValueError("a competency's weight lies between 0 and 1")

    @property
    def key(self) -> EvidenceKey:
        """The place in the learner's order."""
        return (self.at, self.statement_id)
