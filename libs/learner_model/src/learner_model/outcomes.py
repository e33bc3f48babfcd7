"""What was done lately and what is done: so that nothing done is recommended again.

An activity stands in the state by six characters of a hash of its IRI (36 bits: among 128 done and 10,000 offered, one
chance in 50,000 that something not done is taken for done), since IRIs would be most of the state's bytes.
"""

from base64 import urlsafe_b64encode
from enum import IntEnum
from functools import lru_cache
from hashlib import sha256

from learner_model import parameters
from learner_model.coding import KEY_CHARS
from learner_model.evidence import Evidence, EvidenceKind
from learner_model.state import LearnerState


class Outcome(IntEnum):
    """How it ended with an activity, as far as its last evidence says."""

    SEEN = 0
    FAILED = 1
    PARTLY = 2
    SUCCEEDED = 3
    COMPLETED = 4


@lru_cache(maxsize=16_384)
def activity_key(activity_id: str) -> str:
    """The short form of an activity's IRI."""
    return urlsafe_b64encode(sha256(activity_id.encode()).digest()).decode()[:KEY_CHARS]


def outcome(evidence: Evidence) -> Outcome:
    """What one piece of evidence says about its activity."""
    if evidence.correctness is not None:
        if evidence.correctness >= parameters.SUCCESS_FROM:
            return Outcome.SUCCEEDED
        if evidence.correctness < parameters.FAILURE_BELOW:
            return Outcome.FAILED
        return Outcome.COMPLETED if evidence.completion else Outcome.PARTLY
    return Outcome.COMPLETED if evidence.completion or evidence.kind == EvidenceKind.COMPLETION else Outcome.SEEN


def outcome_of(state: LearnerState, activity_id: str) -> Outcome | None:
    """The last outcome on an activity, None where it isn't among the recent ones."""
    last = last_outcome(state, activity_id)
    return None if last is None else last[0]


def last_outcome(state: LearnerState, activity_id: str) -> tuple[Outcome, int] | None:
    """The last outcome on an activity and when it was last seen, None where it isn't among the recent ones."""
    key = activity_key(activity_id)
    found = next((recent for recent in state.recent if recent.activity == key), None)
    return None if found is None else (Outcome(found.outcome), found.at)


def is_done(state: LearnerState, activity_id: str) -> bool:
    """Whether the learner completed the activity or succeeded in it (among the last 128 that were)."""
    return position(state.completed, activity_key(activity_id)) is not None


def done_keys(state: LearnerState) -> frozenset[str]:
    """The short keys of all that is done, for whoever asks about many activities: `is_done` for each of them."""
    return frozenset(state.completed[i : i + KEY_CHARS] for i in range(0, len(state.completed), KEY_CHARS))


def completed_after(completed: str, key: str, result: Outcome) -> str:
    """The keys of what is done, joined, oldest first. A failure takes one out again: it is worth another try."""
    place = position(completed, key)
    if result in (Outcome.SUCCEEDED, Outcome.COMPLETED):
        if place is None:
            completed = (completed + key)[-parameters.COMPLETED_KEPT * KEY_CHARS :]
    elif result is Outcome.FAILED and place is not None:
        completed = completed[:place] + completed[place + KEY_CHARS :]
    return completed


def position(joined: str, key: str) -> int | None:
    """Where the key stands among the keys; a hit across two of them is none."""
    at = joined.find(key)
    while at % KEY_CHARS and at >= 0:
        at = joined.find(key, at + 1)
    return at if at >= 0 else None
