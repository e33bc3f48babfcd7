"""What crosses the wire about imports."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

ImportId = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,64}$", description="Chosen by whoever imports")]

MOST: Final = 2**53  # what any JSON reader counts exactly, and MongoDB holds


class Rejected(BaseModel):
    """A line that was not taken, and why. `pointer` leads into the statement."""

    line: int = Field(description="From 0")
    pointer: str
    detail: str


class Taken(BaseModel):
    accepted: int = Field(description="Stored, now or earlier")
    not_recorded: int = Field(description="Acknowledged and left out: their learners do not allow `record`")
    rejected: list[Rejected]


class Progress(BaseModel):
    """How far an import is. `place` means something to whoever imports alone."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(max_length=1000, description="Where the statements come from, for people")
    place: str = Field("", max_length=1000)
    accepted: int = Field(0, ge=0, le=MOST)
    not_recorded: int = Field(0, ge=0, le=MOST)
    rejected: int = Field(0, ge=0, le=MOST)
    finished: bool = False


class ImportView(Progress):
    id: str
    updated_at: datetime
