"""What crosses the wire about merges."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, Field

from ingest.statements.openapi import AGENT

BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["agent", "into"],
                    "additionalProperties": False,
                    "properties": {"agent": AGENT, "into": AGENT},
                }
            }
        },
    }
}


class Merge(BaseModel):
    """Two learners who are one person from now on."""

    id: UUID
    learner_id: UUID = Field(description="under whom the person is kept")
    merged_learner_id: UUID = Field(description="who goes with them; what asks for them is answered for `learner_id`")
    merged_at: datetime


class Merges(BaseModel):
    """The merges of one person that hold, oldest first."""

    learner_id: UUID
    items: list[Merge]
