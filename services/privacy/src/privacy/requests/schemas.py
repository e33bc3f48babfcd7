"""Requests on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from events.payloads import Purpose
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from privacy.requests.progress import DataRequest, Identity, Kind, Status

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class RequestBody(BaseModel):
    """`purposes`: of an objection, those objected to (all to which one can object, where none is named).

    `statement_id` and `correction`: of a rectification. The correction is the statement as it should read, without
    `id`; without one the statement is only voided.
    """

    model_config = ConfigDict(extra="forbid")

    type: Kind
    learner_id: UUID
    reason: Text | None = None
    purposes: Annotated[list[Purpose], Field(max_length=100)] | None = None
    statement_id: UUID | None = None
    correction: dict[str, JsonValue] | None = None

    @model_validator(mode="after")
    def _fits_the_type(self) -> Self:
        if (self.type == "rectification") != (self.statement_id is not None):
            raise ValueError("a rectification names a `statement_id`, and nothing else does")
        if self.purposes is not None and self.type != "objection":
            raise ValueError("an objection alone names `purposes`")
        if self.correction is not None and self.type != "rectification":
            raise ValueError("a rectification alone has a `correction`")
        return self

    def details(self) -> dict[str, Any]:
        given = self.model_dump(mode="json", exclude={"type", "learner_id"})
        return {name: value for name, value in given.items() if value is not None}


class RefusalBody(BaseModel):
    """`ground` is one that the policy pack knows for the kind; the reason is told to the learner (GDPR 12(4))."""

    model_config = ConfigDict(extra="forbid")

    ground: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    reason: Text


class ExtensionBody(BaseModel):
    """The reason is told to the learner (GDPR 12(3))."""

    model_config = ConfigDict(extra="forbid")

    reason: Text


class StatementBody(BaseModel):
    """What the learner says about a record that was not amended."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]


class IdentityBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    state: Literal["asked", "confirmed"]


class Accepted(BaseModel):
    id: str
    status: Status


class ReceiptOfService(BaseModel):
    """`counts`: documents removed or given, by collection."""

    service: str
    counts: dict[str, int]
    completed_at: datetime


class RecipientView(BaseModel):
    """Someone outside to whom the request was passed on (GDPR 19)."""

    name: str
    purpose: str
    outcome: str
    statements: int
    reason: str | None


class RequestView(BaseModel):
    """A request and the receipts that have come; it is completed when all who carry it out have given theirs.

    `learner_id` is null where an erasure is done and the learner's key is destroyed.
    """

    id: str
    type: Kind
    learner_id: UUID | None
    status: Status
    requested_at: datetime
    due_at: datetime | None
    completed_at: datetime | None
    key_destroyed_at: datetime | None
    pack: str
    clauses: list[str]
    reason: str | None
    ground: str | None
    extended_at: datetime | None
    extension_reason: str | None
    identity: Identity
    escalated_at: datetime | None
    silent: list[str] = Field(description="The services that have not answered yet")
    receipts: list[ReceiptOfService]
    recipients: list[RecipientView]
    details: dict[str, JsonValue]

    @classmethod
    def of(cls, request: DataRequest) -> "RequestView":
        receipts = [
            ReceiptOfService(service=service, counts=dict(carried.counts), completed_at=carried.completed_at)
            for service, carried in sorted(request.receipts.items())
        ]
        return cls(
            id=request.id,
            type=request.type,
            learner_id=UUID(request.learner) if request.learner else None,
            status=request.status,
            requested_at=request.requested_at,
            due_at=request.due_at,
            completed_at=request.completed_at,
            key_destroyed_at=request.key_destroyed_at,
            pack=request.pack,
            clauses=list(request.clauses),
            reason=request.reason,
            ground=request.ground,
            extended_at=request.extended_at,
            extension_reason=request.extension_reason,
            identity=request.identity,
            escalated_at=request.escalated_at,
            silent=request.silent,
            receipts=receipts,
            recipients=[
                RecipientView(
                    name=r.name, purpose=r.purpose, outcome=r.outcome, statements=r.statements, reason=r.reason
                )
                for r in request.recipients
            ],
            details=dict(request.details),
        )
