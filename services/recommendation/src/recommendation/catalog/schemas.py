"""What crosses the wire: a catalog's activities."""

from typing import Annotated

from events.payloads import CatalogActivity
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from xapi.durations import seconds
from xapi.models import IRI

Name = Annotated[str, Field(min_length=1, max_length=2048)]
Word = Annotated[str, Field(min_length=1, max_length=200)]


class ImportedActivity(BaseModel):
    """One line of an import. `id` is the activity's IRI, as its statements name it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    id: Annotated[str, Field(max_length=2048, pattern=IRI)]
    title: Annotated[str, Field(min_length=1, max_length=1000)]
    type: Word | None = None
    competencies: list[Name] = Field(default_factory=list, max_length=50)
    weights: dict[Name, Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]] = Field(
        default_factory=dict, max_length=50, description="competency → how much the activity is about it; else 1"
    )
    prerequisites: list[Name] = Field(
        default_factory=list, max_length=50, description="ids of competencies or of activities"
    )
    difficulty: float | None = Field(None, ge=0, le=1, allow_inf_nan=False)
    duration: Word | None = Field(None, description="ISO 8601, such as PT20M")
    language: Word | None = Field(None, description="RFC 5646, such as en or de-AT")
    modality: Word | None = None
    bandwidth: Word | None = Field(None, description="low, medium or high; other words are compared as they are")
    core: bool = True
    tags: list[Word] = Field(default_factory=list, max_length=50, description="the discipline first")

    @field_validator("duration")
    @classmethod
    def _is_duration(cls, value: str | None) -> str | None:
        if value is not None:
            seconds(value)
        return value

    @model_validator(mode="after")
    def _weighs_its_own(self) -> "ImportedActivity":
        if not self.weights.keys() <= set(self.competencies):
            raise ValueError("`weights` names a competency that `competencies` does not")
        return self

    def activity(self) -> CatalogActivity:
        return CatalogActivity(**self.model_dump())


class ImportResult(BaseModel):
    """How many lines were taken, and how many of them said something new."""

    imported: int
    changed: int
    unchanged: int
