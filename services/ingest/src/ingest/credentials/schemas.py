"""What crosses the wire about credentials."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ingest.credentials.profiles import Profile

DAY_SECONDS: Final = 24 * 3600


class Scope(StrEnum):
    """What a credential may do (1.0.3 Communication 4.2).

    `state` and `profile` read and write documents, `all/read` reads everything; without `define` a statement's
    activity definitions and agents' names are kept in the statement and change nothing elsewhere.
    """

    statements_write = "statements/write"
    statements_read = "statements/read"
    statements_read_mine = "statements/read/mine"
    state = "state"
    profile = "profile"
    define = "define"
    all_read = "all/read"
    all = "all"


class NewCredential(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, description="What or who uses it")
    scopes: list[Scope] = Field(min_length=1)
    profile: Profile = Field(Profile.strict, description="The emitter whose ways are taken; strict: the standard alone")
    expires_at: AwareDatetime | None = Field(None, description="From then on it is refused; none: never")
    rate_per_second: float | None = Field(
        None, gt=0, le=1_000_000, description="Requests a second; none: what the settings say for all"
    )
    burst: int | None = Field(None, ge=1, le=1_000_000, description="How many at once; none: those of one second")


class Rotation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    grace_seconds: int = Field(
        DAY_SECONDS, ge=0, le=30 * DAY_SECONDS, description="How long the secret until now stays good; 0: not at all"
    )


class CredentialView(BaseModel):
    key: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    profile: Profile
    expires_at: datetime | None = None
    last_used: datetime | None = Field(None, description="To the minute")
    previous_until: datetime | None = Field(None, description="Until then the secret before the last rotation is good")
    rate_per_second: float | None = None
    burst: int | None = None


class IssuedCredential(CredentialView):
    secret: str = Field(description="Shown this once; kept as a hash only")
