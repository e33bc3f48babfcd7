"""What crosses the wire."""

from datetime import datetime
from typing import Literal

from learner_model.overruling import Standing
from pydantic import BaseModel, Field

from learner_profile.estimates.said import Aside, Said, Signal
from learner_profile.judgements.schemas import Said as Reasoned
from learner_profile.learners.languages import ENGLISH, Language
from learner_profile.learners.wording import of_standing


class Estimate(Reasoned):
    """A teacher's own word on a competency."""

    probability: float = Field(ge=0, le=1, description="that the next response is right, in the teacher's judgement")


class SetAside(Reasoned):
    """A teacher's word that a signal is not to be used, or may be again."""

    about: str | None = Field(
        None,
        min_length=1,
        max_length=2048,
        description="the tag of a single interest, or the competency of a single strength; left out: all of the signal",
    )


class SetAsideOut(BaseModel):
    """Who set a signal aside, or let it count again, when and why."""

    signal: Signal
    about: str | None = Field(description="the single tag or competency; null: all of the signal")
    by: Literal["teacher"] = "teacher"
    teacher: str = Field(description="the `sub` of the teacher's token")
    at: datetime
    reason: str
    aside: bool = Field(description="false: it counts again")
    words: str

    @classmethod
    def of(cls, said: Aside, language: Language = ENGLISH) -> "SetAsideOut":
        return cls(
            signal=said.signal,
            about=said.about,
            teacher=said.by,
            at=said.at,
            reason=said.reason,
            aside=said.aside,
            words=language.set_aside if said.aside else language.counts_again,
        )


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
    def beside(cls, said: Said, standing: Standing, language: Language) -> "TeacherOut":
        words = of_standing(standing, language)
        return cls(**SaidOut.of(said).model_dump(), standing=standing, words=words)
