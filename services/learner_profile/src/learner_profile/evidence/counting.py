"""How a row counts in the fold."""

from dataclasses import replace
from datetime import timedelta

from learner_model import EvidenceKind

from learner_profile.evidence.reading import Reading
from learner_profile.evidence.repository import Row


def counted(row: Row) -> Reading:
    """The reading as it is folded: a total of others is a summary."""
    return replace(row.reading, kind=EvidenceKind.SUMMARY) if row.total else row.reading


def is_late(reading: Reading, after: timedelta) -> bool:
    """Whether it came longer after it happened than expected: from an offline school, or by a wrong clock."""
    return reading.stored - reading.at > after
