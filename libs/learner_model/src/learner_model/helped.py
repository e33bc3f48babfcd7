"""Hints: shown before an answer, they are counted with it; where the answer says itself how many, that holds.

A player may tell of each hint by a statement of its own (Open edX), before the answer. So what was asked for since the
last answer to an activity waits for the next one: of one activity, the last for which a hint was shown.
"""

from msgspec.structs import replace

from learner_model.evidence import Evidence, EvidenceKind
from learner_model.outcomes import activity_key
from learner_model.state import Help


def with_help(evidence: Evidence, waiting: Help) -> Evidence:
    """The evidence; an answer to the activity for which hints were shown says how many."""
    if evidence.hints is not None or not waiting.hints or not is_answer(evidence):
        return evidence
    if activity_key(evidence.activity_id) != waiting.activity:
        return evidence
    return replace(evidence, hints=waiting.hints)


def help_after(waiting: Help, evidence: Evidence) -> Help:
    """What waits after it."""
    if is_answer(evidence):
        over = waiting.hints and activity_key(evidence.activity_id) == waiting.activity
        return Help() if over else waiting
    if not evidence.hints or evidence.kind == EvidenceKind.SUMMARY:
        return waiting
    key = activity_key(evidence.activity_id)
    before = waiting.hints if waiting.activity == key else 0
    return Help(key, before + evidence.hints)


def is_answer(evidence: Evidence) -> bool:
    """Whether it says how right something was, and counts."""
    return evidence.kind == EvidenceKind.RESPONSE and evidence.correctness is not None
