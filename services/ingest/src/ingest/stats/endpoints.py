"""`/stats`: what a tenant holds here, for comparing with what was sent."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from service_kit.auth import Principal, Role, require

from ingest.state import state_of

router = APIRouter(tags=["stats"])


class Stats(BaseModel):
    statements: int = Field(description="Stored, voided and voiding ones included")
    learners: int = Field(description="Learners that statements are about, or that were announced")
    outbox: int = Field(description="Stored and not yet on Kafka")


@router.get("/stats")
async def stats(request: Request, operator: Annotated[Principal, Depends(require(Role.operator))]) -> Stats:
    """Counts of the operator's tenant."""
    state = state_of(request)
    return Stats(
        statements=await state.statements.count(operator.tenant),
        learners=await state.identities.count_subjects(operator.tenant),
        outbox=await state.statements.count_outbox(operator.tenant),
    )
