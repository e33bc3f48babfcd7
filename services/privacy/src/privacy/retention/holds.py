"""Legal holds: what is under one is destroyed by no rule and by no erasure (GDPR 17(3)(e)). Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

LEGAL: Final = "hold/"
INSPECTION: Final = "inspection/"
"""What a learner's dossier names a hold by, and an access request that is open (34 CFR 99.10(e))."""


class HoldStatus(StrEnum):
    pending = "pending"
    effective = "effective"
    released = "released"


def inspection(request: str) -> str:
    return f"{INSPECTION}{request}"


def is_held(marks: Iterable[str]) -> bool:
    """Whether a legal hold is among them."""
    return any(mark.startswith(LEGAL) for mark in marks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """`versions`: the learners, and the version of each one's standing that every service must know.

    A released hold names nobody any more; `count` stays.
    """

    id: str
    name: str
    reason: str
    set_at: datetime
    everyone: bool = False
    versions: Mapping[str, int] = field(default_factory=dict)
    count: int = 0
    released_at: datetime | None = None

    @property
    def mark(self) -> str:
        return f"{LEGAL}{self.id}"
