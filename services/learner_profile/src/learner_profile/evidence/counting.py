"""How a row counts in the fold."""

from datetime import timedelta

from learner_model import EvidenceKind
from msgspec.structs import replace

from learner_profile.evidence.reading import Reading
from learner_profile.evidence.repository import Row
from learner_profile.judgements.judgement import Act, is_set_aside, ruling


def counted(row: Row) -> Reading:
    """The reading as it is folded: with what people say of it, and a total of others as a summary.

    What is set aside says nothing any more but that something was done.
    """
    reading, held = row.reading, ruling(row.judgements)
    if is_set_aside(row.judgements):
        return replace(reading, kind=EvidenceKind.SUMMARY, correctness=None, completion=None)
    if held is not None and held.act is Act.OVERRIDDEN:
        reading = replace(reading, correctness=held.correctness)
    return replace(reading, kind=EvidenceKind.SUMMARY) if row.total else reading


def is_late(reading: Reading, after: timedelta) -> bool:
    """Whether it came longer after it happened than expected: from an offline school, or by a wrong clock."""
    return reading.stored - reading.at > after
