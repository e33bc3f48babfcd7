"""What crosses the wire."""

from typing import Literal

from pydantic import BaseModel, Field


class Imported(BaseModel):
    """The tenant's roster after an import."""

    mode: Literal["replace", "merge"]
    rows: int = Field(description="rows of the file")
    learners: int
    teachers: int
    classes: int
    schools: int
    districts: int
    regions: int
