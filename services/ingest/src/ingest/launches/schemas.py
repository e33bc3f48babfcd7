"""What crosses the wire about launches. The names within `cmi5` are those of cmi5 10.2."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from xapi.models import IRI

from ingest.statements.openapi import AGENT

DEFAULT_SECONDS: Final = 8 * 3600
LONGEST_SECONDS: Final = 24 * 3600
Iri = Annotated[str, Field(pattern=IRI, max_length=4096)]


def _with_host(url: str) -> str:
    parts = urlsplit(url)  # raises ValueError too, where an IPv6 address or a port cannot be
    if not parts.hostname or parts.port == 0:
        raise ValueError("expected a URL with a host")
    return url


Url = Annotated[str, Field(pattern=r"^https?://[^\s#]+(#\S*)?$", max_length=4096), AfterValidator(_with_host)]
Text = Annotated[str, Field(max_length=100_000)]


class LaunchMode(StrEnum):
    normal = "Normal"
    browse = "Browse"
    review = "Review"


class MoveOn(StrEnum):
    passed = "Passed"
    completed = "Completed"
    completed_and_passed = "CompletedAndPassed"
    completed_or_passed = "CompletedOrPassed"
    not_applicable = "NotApplicable"


class EntitlementKey(BaseModel):
    model_config = ConfigDict(extra="forbid")

    courseStructure: Text  # noqa: N815 — cmi5's own name
    alternate: Text | None = None


class Cmi5(BaseModel):
    """What the LMS knows of the AU from its course structure."""

    model_config = ConfigDict(extra="forbid")

    publisherId: Iri = Field(description="The AU's id in the course structure")  # noqa: N815 — as the rest of these
    sessionId: str | None = Field(None, min_length=1, max_length=1000, description="Made where there is none")  # noqa: N815
    launchMode: LaunchMode = LaunchMode.normal  # noqa: N815
    moveOn: MoveOn = MoveOn.not_applicable  # noqa: N815
    masteryScore: float | None = Field(None, ge=0, le=1, description="Up to four decimals")  # noqa: N815
    launchParameters: Text | None = None  # noqa: N815
    returnURL: Url | None = None  # noqa: N815
    entitlementKey: EntitlementKey | None = None  # noqa: N815
    contextTemplate: dict[str, Any] = Field(  # noqa: N815
        default_factory=dict, description="What else the context of every statement of this session is to hold"
    )


class NewLaunch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    actor: dict[str, Any] = Field(description="An xAPI Agent", json_schema_extra=AGENT)
    activityId: Iri  # noqa: N815 — cmi5's and xAPI's own name
    registration: UUID | None = Field(None, description="Made where there is none")
    lifetime_seconds: int = Field(DEFAULT_SECONDS, ge=60, le=LONGEST_SECONDS)
    au_url: Url | None = Field(None, description="Where the content is; with it the answer has the URL to open")
    cmi5: Cmi5 | None = Field(None, description="Writes LMS.LaunchData and the launched statement; needs au_url")


class Launch(BaseModel):
    """The five parameters of cmi5 8.1 by their names, and what goes with them."""

    id: str
    expires_at: datetime
    token: str = Field(description="After `Authorization: Basic `; shown this once, and apart from what `fetch` gives")
    endpoint: str
    fetch: str = Field(description="A POST there gives a token of its own, once")
    actor: dict[str, Any]
    registration: str
    activityId: str  # noqa: N815
    launch_url: str | None = Field(None, description="au_url with the five parameters")
    session_id: str | None = Field(None, description="cmi5's, for the LMS's own statements")


class AuthToken(BaseModel):
    """The answer of `fetch` (cmi5 8.2): the token, or why there is none."""

    model_config = ConfigDict(populate_by_name=True)

    auth_token: str | None = Field(None, alias="auth-token")
    error_code: str | None = Field(None, alias="error-code")
    error_text: str | None = Field(None, alias="error-text")
