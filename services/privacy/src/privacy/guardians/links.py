"""What a link is. Pure."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Link:
    """`guardian` is the `sub` of the guardian's token. `verified_by` says how the office made sure who that is.

    `until`: the first day on which the guardian acts no more, as the pack says; None: until somebody ends it.
    """

    id: str
    learner: str
    guardian: str
    verified_by: str
    made_at: datetime
    born: date | None = None
    postsecondary_from: date | None = None
    until: date | None = None
    ended_at: datetime | None = None

    def active(self, now: datetime) -> bool:
        return self.ended_at is None and (self.until is None or now.date() < self.until)
