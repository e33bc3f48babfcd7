"""The record of processing activities on the wire."""

from uuid import UUID

from events.payloads import Basis, RetentionAction, Unknown
from pydantic import BaseModel, Field


class ControllerOut(BaseModel):
    """GDPR 30(1)(a)."""

    name: str
    contact: str
    address: str
    officer: str
    kind: str


class RecipientOut(BaseModel):
    """GDPR 30(1)(d)."""

    name: str
    contact: str
    country: str | None
    third_party: bool


class Held(BaseModel):
    """A notice (GDPR 13)."""

    version: str
    language: str
    url: str | None


class TimeLimit(BaseModel):
    """A retention rule in force (GDPR 30(1)(f)): `action` on `what`, once it is older than `after`."""

    rule: UUID
    name: str
    action: RetentionAction
    after: str
    what: str
    services: list[str]
    reason: str


class Activity(BaseModel):
    """What is done for one purpose."""

    purpose: str
    description: str = Field(description="GDPR 30(1)(b)")
    basis: Basis
    where_nothing_is_known: Unknown
    notice: Held
    personal_data: list[str] = Field(description="GDPR 30(1)(c)")
    recipients: list[RecipientOut]
    countries: list[str] = Field(
        description="GDPR 30(1)(e): where recipients are; transfers need a ground of chapter V"
    )
    retention: str = Field(description="GDPR 30(1)(f): an ISO 8601 duration; of the retention rules, where they say")
    time_limits: list[TimeLimit] = Field(description="GDPR 30(1)(f): the retention rules in force")
    services: list[str] = Field(description="the parts of Trellis that do it")
    disclosures: str | None = Field(description="the clause by which disclosures are recorded")


class Register(BaseModel):
    """The record of processing activities (GDPR 30(1)). `missing`: pointers into the policy at what it should say."""

    tenant: str
    policy_version: int
    pack: str
    controller: ControllerOut
    jurisdiction: str
    storage_location: str
    data_subjects: list[str]
    activities: list[Activity]
    security_measures: list[str] = Field(description="GDPR 30(1)(g)")
    missing: list[str]
