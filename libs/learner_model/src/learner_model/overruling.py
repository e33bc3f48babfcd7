"""A teacher's word in the place of the model's figure, and how long it stands.

It stands for `HOLDS`. From `DISPUTED_FROM` responses on that came after it, the evidence says otherwise where the
model's 90 % interval leaves it out; from `LAPSES_AFTER` on the evidence speaks for itself again, whatever it says.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from learner_model.frameworks import Estimate
from learner_model.parameters import STRENGTH_Z

DISPUTED_FROM: Final = 5
LAPSES_AFTER: Final = 10
HOLDS: Final = timedelta(days=180)


class Standing(StrEnum):
    """`holds` and `disputed`: the teacher's figure is used; `lapsed`: the model's."""

    HOLDS = "holds"
    DISPUTED = "disputed"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overruling:
    """`evidence_count`: responses on the competency when it was said."""

    probability: float
    at: datetime
    evidence_count: int


def standing(said: Overruling, now: Estimate, as_of: datetime) -> Standing:
    """How it stands beside the model's own estimate at that time."""
    since = now.evidence_count - said.evidence_count
    if as_of - said.at >= HOLDS or since >= LAPSES_AFTER:
        return Standing.LAPSED
    apart = abs(now.probability - said.probability) > STRENGTH_Z * now.uncertainty
    return Standing.DISPUTED if since >= DISPUTED_FROM and apart else Standing.HOLDS
