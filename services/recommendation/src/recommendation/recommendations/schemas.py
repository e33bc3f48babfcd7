"""What crosses the wire: recommendations."""

from datetime import datetime
from typing import Any

from events.payloads import CatalogActivity
from pydantic import BaseModel, Field

from recommendation.recommendations.reasons import Code


class ReasonOut(BaseModel):
    """One reason, in words and as data."""

    code: Code
    text: str
    data: dict[str, Any]


class Item(BaseModel):
    """One thing worth doing next. `because` completes the sentence "<title>, because …"."""

    activity: CatalogActivity
    score: float = Field(ge=0, le=1)
    because: str
    reasons: list[ReasonOut] = Field(min_length=1)


class Recommendations(BaseModel):
    """Best first. `reflects`: the last statement folded into this; null where nothing is known of the learner yet."""

    learner_id: str
    as_of: datetime
    reflects: str | None
    items: list[Item]
