"""A learner's privacy on the wire."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from events.payloads import AuditAction
from pydantic import BaseModel, Field

from privacy.consents.schemas import PurposeState
from privacy.requests.progress import Identity, Kind, Status

Can = Literal["grant", "withdraw", "object", "take_back"]


class RecipientTold(BaseModel):
    name: str
    third_party: bool


class PurposeOfMine(PurposeState):
    """A purpose, what is held for it and why. `since`: when the learner decided; null: the policy's default holds, as
    it does since `rule_since` (null: from before versions of the policy were kept).

    `can`: what the learner may do about it now; `PUT` and `DELETE /consents/{learner_id}/{purpose}` do it.
    """

    purpose: str
    title: str
    text: str
    held: str
    why: str
    since: datetime | None
    rule_since: datetime | None
    retention: str | None = Field(description="how long it is kept, ISO 8601; null: as long as the learner is here")
    recipients: list[RecipientTold]
    can: list[Can]


class Seen(BaseModel):
    """One entry of the audit about this learner; `sentence` says it in plain words."""

    at: datetime
    sentence: str
    roles: list[str]
    action: AuditAction
    what: str
    ground: str
    service: str


class RequestOfMine(BaseModel):
    """`fetch`: the archive can be fetched (`POST /requests/{id}/link`). `extension_reason`: why the answer takes longer
    (GDPR 12(3)); `identity` `asked`: who asked has to show who they are first (12(6)).
    """

    id: str
    type: Kind
    status: Status
    requested_at: datetime
    due_at: datetime | None
    reason: str | None
    extension_reason: str | None
    identity: Identity
    fetch: bool


class GuardianOfMine(BaseModel):
    """Someone who may act for the learner. `until`: the first day on which no more; null: until somebody ends it."""

    since: datetime
    until: date | None


class PrivacyOfLearner(BaseModel):
    """What is held of a learner, why, since when, who saw it, and what can be changed."""

    learner_id: UUID
    controller: str | None = Field(description="who decides about it all")
    contact: str | None = Field(description="whom to ask")
    restricted: bool = Field(description="kept, and nothing else done with it (GDPR 18)")
    purposes: list[PurposeOfMine]
    seen: list[Seen] = Field(description="the last ones, the newest first")
    requests: list[RequestOfMine] = Field(description="the newest first")
    guardians: list[GuardianOfMine]
    may_ask_for: list[Kind]
