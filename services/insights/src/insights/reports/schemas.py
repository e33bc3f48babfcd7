"""What crosses the wire."""

from datetime import datetime

from pydantic import BaseModel, Field


class Figure(BaseModel):
    """A value over its denominator, the learners in the roster. `counted`: of how many of them it is made."""

    value: float | int | None = Field(description="null where suppressed, or where nobody adds to it")
    denominator: int | None
    counted: int | None
    suppressed: bool = False


class Figures(BaseModel):
    learners: Figure
    active: Figure = Field(description="learners with a statement in the 14 days before as_of")
    share_without_statement_14_days: Figure
    statements: Figure
    mean_mastery: Figure = Field(
        description="mean over learners of the mean probability of mastery of the competencies they responded to"
    )


class Crumb(BaseModel):
    scope: str
    level: str
    name: str
    href: str


class Child(BaseModel):
    """A part of the scope. Without `scope`: the learners who are in none of its parts below."""

    scope: str | None
    name: str | None
    level: str
    href: str | None
    suppressed: bool
    figures: Figures


class Group(BaseModel):
    """The learners with one value of an attribute; `value` null: those of whom none is given."""

    value: str | None
    suppressed: bool
    figures: Figures


class Gap(BaseModel):
    """Between the groups of an attribute: highest minus lowest mean mastery of the groups shown."""

    attribute: str
    groups: list[Group]
    gap: float | None
    highest: str | None
    lowest: str | None


class Suppressed(BaseModel):
    children: int
    groups: int


class Weakness(BaseModel):
    competency: str
    title: str
    mastery: float


class PupilNeed(BaseModel):
    """One of the teacher's own pupils."""

    learner_id: str
    name: str
    mean_mastery: float | None
    weakest: list[Weakness] = Field(description="up to three competencies of lowest mastery")
    weakest_areas: list[Weakness] = Field(
        description="up to three of what the competencies are parts of, with the lowest share of parts mastered"
    )
    last_statement_at: datetime | None
    idle: bool = Field(description="no statement in the 14 days before as_of")


class Report(BaseModel):
    scope: str
    level: str
    name: str
    parent: str | None
    path: list[Crumb] = Field(description="from the nation down to this scope")
    as_of: datetime
    suppressed: bool
    figures: Figures
    gaps: list[Gap]
    children: list[Child]
    suppressed_counts: Suppressed
    pupils: list[PupilNeed] | None = Field(
        None, description="for the class's own teacher: who needs help, lowest mastery first; who denies `teach` is not"
    )


class ScopeItem(BaseModel):
    scope: str
    level: str
    name: str
    href: str
