"""A judgement and what it makes of the evidence. Plain functions.

What is contested is set aside until a teacher has decided (GDPR 18(1)(a): no processing while accuracy is being
verified); the teacher's last decision then holds, and a learner who contests again is heard and no longer set aside.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import TypeAdapter

MOST: Final = 20
"""Of one piece of evidence, by either side, so that neither takes the word from the other; a dispute that is longer is
for people to talk about.
"""


class Act(StrEnum):
    CONTESTED = "contested"
    CONFIRMED = "confirmed"
    OVERRIDDEN = "overridden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`by`: the `sub` of whoever spoke. `correctness`: what an override puts in the place of what the statement said;
    None: the evidence is not to count.
    """

    act: Act
    at: datetime
    by: str
    reason: str
    correctness: float | None = None


_JUDGEMENTS = TypeAdapter(Judgement)


def pack(judgement: Judgement) -> bytes:
    return _JUDGEMENTS.dump_json(judgement)


def unpack(data: bytes) -> Judgement:
    return _JUDGEMENTS.validate_json(data)


def ruling(judgements: Sequence[Judgement]) -> Judgement | None:
    """The one that holds, given all in the order in which they were made: the last decision, else the contest."""
    decided = [one for one in judgements if one.act is not Act.CONTESTED]
    return next(reversed(decided or list(judgements)), None)


def of_the_same_side(judgements: Sequence[Judgement], said: Judgement) -> list[Judgement]:
    """What was said by whoever is to speak: contests for a learner, decisions for a teacher."""
    return [one for one in judgements if (one.act is Act.CONTESTED) == (said.act is Act.CONTESTED)]


def says_nothing_new(judgements: Sequence[Judgement], said: Judgement) -> bool:
    """Whether it is what was said last, by the same one, such as a request that is sent twice."""
    return bool(judgements) and replace(judgements[-1], at=said.at) == said


def is_open(judgements: Sequence[Judgement]) -> bool:
    """Whether a teacher has still to decide: the learner spoke last."""
    return bool(judgements) and judgements[-1].act is Act.CONTESTED


def is_set_aside(judgements: Sequence[Judgement]) -> bool:
    """Whether the evidence counts for nothing: contested and not decided, or overridden without another result."""
    held = ruling(judgements)
    if held is None or held.act is Act.CONFIRMED:
        return False
    return held.act is Act.CONTESTED or held.correctness is None
