"""Policies on the wire: as they cross Kafka, and strict where an officer writes them."""

from typing import Annotated, Literal

from events.payloads import Controller, Duration, Notice, Policy, Purpose, PurposePolicy, Recipient, Staff, Words
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_STRICT = ConfigDict(extra="forbid")


def _says_how_long(duration: str) -> str:
    """ISO 8601 wants a number behind `P`, and behind `T`."""
    if not duration[-1].isalpha() or duration.endswith(("P", "T")):
        raise ValueError("a duration of nothing: expected one such as P3Y")
    return duration


class NoticeBody(Notice):
    model_config = _STRICT


class RecipientBody(Recipient):
    model_config = _STRICT


class ControllerBody(Controller):
    model_config = _STRICT


class StaffBody(Staff):
    model_config = _STRICT


class PurposeRule(PurposePolicy):
    """The lawful basis of a purpose (GDPR 6(1)), what holds for a learner who has decided nothing, and what is told."""

    model_config = _STRICT

    retention: Annotated[Duration, AfterValidator(_says_how_long)] | None = None
    notice: NoticeBody = NoticeBody()
    recipients: tuple[RecipientBody, ...] = Field((), max_length=100)


class PolicyBody(BaseModel):
    """A whole policy. `not_recorded`: how ingest answers a statement whose learner does not allow `record`.
    `unknown_actors`: whether who stands in no roster is a learner, or has no profile; `staff`: whose identifiers say
    that they are none.

    The six purposes of Trellis stand in it, and those of the tenant's own.
    """

    model_config = _STRICT

    purposes: Annotated[dict[Purpose, PurposeRule], Field(max_length=64)]
    not_recorded: Literal["accept", "refuse"] = "accept"
    pack: Literal["eu-school", "us-k12", "open"] = "open"
    controller: ControllerBody | None = None
    jurisdiction: Words | None = None
    storage_location: Words | None = None
    consent_age: int | None = Field(None, ge=0, le=21)
    returning: Literal["new", "refuse"] = "new"
    returning_days: int = Field(365, ge=1, le=3650)
    unknown_actors: Literal["learner", "nobody"] = "learner"
    staff: StaffBody = StaffBody()

    def policy(self, version: int) -> Policy:
        return Policy.model_validate({"version": version, **self.model_dump(mode="json")})


class ClauseOut(BaseModel):
    source: str
    says: str


class PackOut(BaseModel):
    """A pack: what it is for, and every clause that it rests on. Software, not legal advice."""

    name: str
    summary: str
    clauses: list[ClauseOut]
