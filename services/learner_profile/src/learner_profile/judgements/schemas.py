"""What crosses the wire."""

from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from learner_profile.judgements.judgement import Act, Judgement

T = TypeVar("T", bound=BaseModel)
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=1000)]


class Said(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class Override(Said):
    """A teacher's own word."""

    correctness: float | None = Field(
        None, ge=0, le=1, description="how right it was, in the teacher's judgement; left out: it is not to count"
    )


class ContestOut(BaseModel, Generic[T]):
    """A piece of evidence that a learner contests and no teacher has decided on since."""

    learner_id: str
    evidence: T


class JudgementOut(BaseModel):
    """Who said what of the evidence, when and why."""

    act: Act
    by: Literal["learner", "teacher"]
    at: datetime
    reason: str
    correctness: float | None

    @classmethod
    def of(cls, judgement: Judgement) -> "JudgementOut":
        by: Literal["learner", "teacher"] = "learner" if judgement.act is Act.CONTESTED else "teacher"
        return cls(
            act=judgement.act, by=by, at=judgement.at, reason=judgement.reason, correctness=judgement.correctness
        )
