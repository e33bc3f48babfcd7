"""What crosses the wire about the quarantine and watches."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class ReasonView(BaseModel):
    pointer: str = Field(description="JSON Pointer into the statement")
    detail: str


class QuarantinedView(BaseModel):
    id: str
    credential: str = Field(description="Key of the credential that sent it")
    index: int = Field(description="Place in the batch that it came in, from 0")
    status: int = Field(description="What the statement would have met alone: 400 or 409")
    reasons: list[ReasonView]
    received_at: datetime
    last_at: datetime = Field(description="When it came last")
    times: int = Field(description="How often it came")
    expires_at: datetime


class ReplayedView(BaseModel):
    statement_id: str
    recorded: bool = Field(description="False: the learner does not allow recording any more; nothing was stored")


class NewWatch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seconds: float = Field(60, gt=0, le=3600, description="For how long")


class WatchView(BaseModel):
    id: str
    credential: str
    until: datetime


class Count(BaseModel):
    name: str
    count: int


class Report(BaseModel):
    """What came since the watch began, from all processes; about a second late. Names nobody."""

    credential: str
    profile: str
    until: datetime
    requests: int
    statements: int = Field(description="Valid ones")
    stored: int = Field(description="Stored, or there already")
    quarantined: int
    not_recorded: int = Field(description="Of learners who do not allow `record`")
    refused_requests: int
    without_id: int
    without_timestamp: int
    without_registration: int
    oldest_seconds: float = Field(description="The oldest timestamp's age")
    newest_seconds: float = Field(description="Below 0: the furthest that a timestamp lies in the future")
    scaled_differs: int = Field(description="Scores whose scaled is not the share of raw between min and max")
    verbs: list[Count]
    refused: list[Count] = Field(description="Places and reasons; * stands for a number")
    allowances: list[Count] = Field(description="What was taken beyond the standard")
    actors: list[Count] = Field(description="Kinds of identifiers")
    home_pages: list[Count] = Field(description="Of actors' accounts")
    scores: list[Count] = Field(description="Which properties a score has")
    versions: list[Count]
