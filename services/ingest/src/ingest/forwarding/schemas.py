"""What crosses the wire about forwardings. A secret goes in and never comes out."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, field_validator

from ingest.forwarding.addresses import checked_endpoint

Iri = Annotated[str, Field(min_length=3, max_length=2000, pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$")]
_MANY = 100


class Filters(BaseModel):
    """A statement is forwarded where each list that is not empty holds its part. Agents are no filter: a forwarding
    would be a place where an identifier outlives its learner.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    verbs: list[Iri] = Field([], max_length=_MANY)
    activities: list[Iri] = Field([], max_length=_MANY, description="The object is one of these")
    activity_types: list[Iri] = Field([], max_length=_MANY, description="The type of the object is one of these")
    registrations: list[UUID] = Field([], max_length=_MANY)


class NewForwarding(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    endpoint: str = Field(max_length=2000, description="The other LRS's xAPI endpoint; `/statements` is added")
    key: str = Field(min_length=1, max_length=500, pattern=r"^[^:]*$")
    secret: SecretStr = Field(min_length=1, max_length=500)
    version: Literal["1.0.3", "2.0.0"] = Field("1.0.3", description="The xAPI version spoken to it")
    filters: Filters = Filters()
    since: AwareDatetime | Literal["beginning", "now"] = Field(
        "now", description="Statements stored after this; `beginning`: all"
    )
    purpose: str = Field(
        "record",
        pattern=r"^[a-z][a-z0-9_-]{0,63}$",
        description="The purpose on which it rests: statements of learners who do not allow it are left out",
    )

    @field_validator("endpoint")
    @classmethod
    def _endpoint(cls, value: str) -> str:
        return checked_endpoint(value)


class ForwardingView(BaseModel):
    id: str
    name: str
    endpoint: str
    key: str
    version: str
    filters: Filters
    purpose: str
    created_at: datetime
    stored_through: datetime | None = Field(description="Everything stored up to here was looked at")
    forwarded: int
    withheld: int = Field(description="Left out: a learner does not allow the purpose")
    dead: int = Field(description="Dead letters, now")
    waits_for: str | None = Field(description="What the last attempt failed for; null where it went well")


class DeadLetterView(BaseModel):
    statement_id: str
    reason: str
    tries: int
    at: datetime
    replay: bool = Field(description="To be sent again")


class Replayed(BaseModel):
    dead_letters: int = Field(description="Marked to be sent again")
