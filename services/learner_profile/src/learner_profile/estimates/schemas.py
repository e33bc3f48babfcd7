"""What crosses the wire."""

from datetime import datetime
from typing import Literal

from learner_model.overruling import Standing
from pydantic import BaseModel, Field

from learner_profile.estimates.said import Said
from learner_profile.judgements.schemas import Said as Reasoned


class Estimate(Reasoned):
    """A teacher's own word on a competency."""

    probability: float = Field(ge=0, le=1, description="that the next response is right, in the teacher's judgement")


class SaidOut(BaseModel):
    """Who said what of a competency, when and why. `probability` null: what was said before was taken back."""

    by: Literal["teacher"] = "teacher"
    teacher: str = Field(description="the `sub` of the teacher's token")
    at: datetime
    reason: str | None
    probability: float | None

    @classmethod
    def of(cls, said: Said) -> "SaidOut":
        return cls(teacher=said.by, at=said.at, reason=said.reason, probability=said.probability)


class TeacherOut(SaidOut):
    """A teacher's last word beside the model's own figure."""

    standing: Standing = Field(
        description="holds: it is used in the place of the model's figure; disputed: it is, and the evidence since "
        "then says otherwise; lapsed: the model's figure is used again"
    )
    words: str

    @classmethod
    def beside(cls, said: Said, standing: Standing) -> "TeacherOut":
        return cls(**SaidOut.of(said).model_dump(), standing=standing, words=_WORDS[standing])


_WORDS = {
    Standing.HOLDS: "A teacher's judgement is used in the place of the model's figure.",
    Standing.DISPUTED: "A teacher's judgement is used; the evidence since then says otherwise.",
    Standing.LAPSED: "A teacher's judgement stood here; enough has come since for the evidence to speak for itself.",
}
