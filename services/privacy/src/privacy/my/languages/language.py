"""What a language is to a learner's page: every text it needs, in words that a child of twelve knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from events.payloads import AuditAction, Basis, ConsentStatus

from privacy.my.schemas import Can
from privacy.requests.progress import Kind, Status


@dataclass(frozen=True, slots=True)
class Told:
    """A purpose: its name, what is kept or done, and where."""

    title: str
    text: str
    held: str


@dataclass(frozen=True)
class Language:
    """`code` is its BCP 47 tag. `date` has `{day}`, `{month}`, `{year}`. `sentences` have `{who}` and `{thing}`.
    `texts` are those of the templates by name; `roles` go from the first that fits.
    """

    code: str
    months: tuple[str, ...]
    date: str
    texts: Mapping[str, str]
    purposes: Mapping[str, Told]
    bases: Mapping[Basis, str]
    roles: Mapping[str, str]
    sentences: Mapping[AuditAction, str]
    things: Mapping[str, str]
    choice: str
    done: Mapping[str, str]
    acts: Mapping[Can, str]
    decided: Mapping[ConsentStatus, str]
    kinds: Mapping[Kind, str]
    statuses: Mapping[Status, str]

    def day(self, at: datetime) -> str:
        return self.date.format(day=at.day, month=self.months[at.month - 1], year=at.year)

    def minute(self, at: datetime) -> str:
        return f"{self.day(at)}, {at:%H:%M}"
