"""What crosses the wire about records."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue


class AgentTaken(BaseModel):
    """An identifier that the record's statements name. Not taken: it is somebody's here already."""

    agent: dict[str, JsonValue]
    taken: bool
    reason: str | None = None


class StatementRefused(BaseModel):
    """`line`: in the record's statements, from 0."""

    line: int
    reason: str


class StatementsTaken(BaseModel):
    accepted: int = Field(description="stored, now (they count half) or earlier (they stay as they were)")
    not_recorded: int = Field(description="left out: the learner does not allow `record`")
    refused: list[StatementRefused]


class CredentialRefused(BaseModel):
    file: str
    reason: str


class Imported(BaseModel):
    """What was taken of a record, and what was not."""

    record: str
    issuer: str
    issued_at: datetime
    learner_id: UUID
    identifiers: list[AgentTaken]
    statements: StatementsTaken
    state: bool = Field(description="kept as claimed elsewhere; false: the record has none, or `profile` is stopped")
    credentials: int = Field(description="whose signature was good; kept beside the state")
    credentials_refused: list[CredentialRefused]
    in_words: list[str]


class ClaimedCompetency(BaseModel):
    id: str
    title: str
    mastery: float
    uncertainty: float
    evidence_count: int
    last_seen: datetime


class Claim(BaseModel):
    """What another issuer says of the learner, as of its time. It is no part of the learner's own numbers."""

    record: str
    issuer: str
    issuer_name: str
    issued_at: datetime
    imported_at: datetime
    competencies: list[ClaimedCompetency]
    credentials: list[dict[str, JsonValue]] = Field(description="Open Badges 3.0, as signed by the issuer")


class Claims(BaseModel):
    learner_id: UUID
    items: list[Claim]
