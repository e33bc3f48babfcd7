"""One act is one piece of evidence: which responses are totals of others.

A quiz reports its questions and then its marks as a whole; a learner who answered once has then two pieces of evidence,
or three. So a response that sums up others of the same learner is kept, and folded as a summary: the questions count.

A response is a total where another one is a part of it:

- the part names the total's activity as a parent (H5P's `subContentId` names one too), in the same registration;
- the part refers to the total by `context.statement` (Open edX), or a total that is completed, passed, failed or
  mastered refers to the part;
- it is completed, and the other one tells the marks of the same activity in the same registration with another verb
  (H5P sends answered and completed of a set, cmi5 completed and passed);
- both are of one session (cmi5), the total being completed, passed, failed or mastered, and the part not; or of one
  registration, where the part names neither parent nor grouping.

All of that is expressed by names: what a response answers to as a `whole`, and what it points to as a `part`. Which
responses are totals is so a function of the set of responses, whatever the order in which they came.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from learner_model import EvidenceKind

from learner_profile.evidence.reading import Reading
from learner_profile.evidence.verbs import is_completed, may_sum_up

Name = tuple[str, ...]


class Ties(NamedTuple):
    """The names of one response. `whole`: under which its parts find it; `part`: of what it is a part."""

    whole: frozenset[Name]
    part: frozenset[Name]


NO_TIES = Ties(frozenset(), frozenset())


def ties_of(reading: Reading) -> Ties:
    """The reading's names; none but for responses."""
    if reading.kind != EvidenceKind.RESPONSE:
        return NO_TIES
    registration = reading.registration or ""
    whole: set[Name] = {("activity", reading.activity_id, registration), ("statement", reading.statement_id)}
    part: set[Name] = {("activity", one, registration) for one in reading.wholes if one != reading.activity_id}
    part.add(("summed", reading.statement_id))
    spans = {("session", reading.session)} if reading.session else set[Name]()
    marks = ("marks", reading.activity_id, registration)
    (whole if is_completed(reading.verb_id) else part).add(marks)
    if may_sum_up(reading.verb_id):
        whole |= spans
        if reading.registration:
            whole.add(("registration", reading.registration))
        if reading.refers_to:
            whole.add(("summed", reading.refers_to))
    else:
        part |= spans
        if reading.registration and not reading.wholes:
            part.add(("registration", reading.registration))
        if reading.refers_to:
            part.add(("statement", reading.refers_to))
    return Ties(frozenset(whole), frozenset(part))


@dataclass(frozen=True, slots=True)
class Held:
    """What a learner's rows say to the names of new readings. `parts`: some row is a part of it; `wholes`: a response
    stands under it that is not known as a total.
    """

    parts: frozenset[Name] = frozenset()
    wholes: frozenset[Name] = frozenset()


@dataclass(frozen=True, slots=True)
class Sorted:
    """Of new readings those that are totals; and whether they make a total of a row that counted."""

    totals: frozenset[str]
    takes_back: bool


def sort_out_totals(new: Mapping[str, Ties], held: Held) -> Sorted:
    """What new readings are beside each other and beside the rows that there are."""
    parts = {name for one in new.values() for name in one.part}
    all_parts = parts | held.parts
    found = {statement for statement, one in new.items() if not all_parts.isdisjoint(one.whole)}
    return Sorted(frozenset(found), not parts.isdisjoint(held.wholes))


def totals_among(readings: Iterable[Reading]) -> set[str]:
    """The statements that are totals of others among these, which are all that there are of one learner."""
    ties = {one.statement_id: ties_of(one) for one in readings}
    return set(sort_out_totals(ties, Held()).totals)
