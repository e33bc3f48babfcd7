"""Links on the wire."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from privacy.guardians.links import Link

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class LinkBody(BaseModel):
    """`guardian`: the `sub` of the guardian's bearer token. `verified_by`: how it was made sure who that is, and that
    the guardian has parental responsibility (16 CFR 312.5(b) lists methods for children below 13).
    """

    model_config = ConfigDict(extra="forbid")

    learner_id: UUID
    guardian: Text
    verified_by: Text
    born: date | None = None
    postsecondary_from: date | None = None


class LinkChange(BaseModel):
    """What became known later: the pack says the end of the link anew."""

    model_config = ConfigDict(extra="forbid")

    born: date | None = None
    postsecondary_from: date | None = None


class LinkView(BaseModel):
    """`until`: the first day on which the guardian acts no more; null: until somebody ends it."""

    id: str
    learner_id: UUID
    guardian: str
    verified_by: str
    made_at: datetime
    until: date | None
    ended_at: datetime | None
    active: bool

    @classmethod
    def of(cls, link: Link, now: datetime) -> "LinkView":
        return cls(
            id=link.id,
            learner_id=UUID(link.learner),
            guardian=link.guardian,
            verified_by=link.verified_by,
            made_at=link.made_at,
            until=link.until,
            ended_at=link.ended_at,
            active=link.active(now),
        )
