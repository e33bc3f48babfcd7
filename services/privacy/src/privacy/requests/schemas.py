"""Requests on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from privacy.requests.progress import DataRequest, Kind, Status


class RequestBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Kind
    learner_id: UUID


class RefusalBody(BaseModel):
    """The reason is told to the learner (GDPR 12(4))."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class Accepted(BaseModel):
    id: str
    status: Status


class ReceiptOfService(BaseModel):
    """`counts`: documents removed, by collection."""

    service: str
    counts: dict[str, int]
    completed_at: datetime


class RequestView(BaseModel):
    """A request and the receipts that have come; it is completed when all five services have given theirs."""

    id: str
    type: Kind
    learner_id: UUID
    status: Status
    requested_at: datetime
    completed_at: datetime | None
    reason: str | None
    receipts: list[ReceiptOfService]

    @classmethod
    def of(cls, request: DataRequest) -> "RequestView":
        receipts = [
            ReceiptOfService(service=service, counts=dict(carried.counts), completed_at=carried.completed_at)
            for service, carried in sorted(request.receipts.items())
        ]
        return cls(
            id=request.id,
            type=request.type,
            learner_id=UUID(request.learner),
            status=request.status,
            requested_at=request.requested_at,
            completed_at=request.completed_at,
            reason=request.reason,
            receipts=receipts,
        )
