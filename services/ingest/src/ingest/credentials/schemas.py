"""What crosses the wire about credentials."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Scope(StrEnum):
    """What a credential may do (1.0.3 Communication 4.2). `state`, `profile` and `define` are reserved."""

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


class CredentialView(BaseModel):
    key: str
    name: str
    scopes: list[Scope]
    created_at: datetime


class IssuedCredential(CredentialView):
    secret: str = Field(description="Shown this once; kept as a hash only")
