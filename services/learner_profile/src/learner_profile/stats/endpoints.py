"""HTTP in: counts for operators."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from service_kit.auth import Principal, Role, require

from learner_profile.learners.profiles import Status
from learner_profile.state import StateDep

router = APIRouter(tags=["stats"])


class Stats(BaseModel):
    """Of the caller's tenant. `evidence`: statements that count; `voided`: those that were taken back."""

    evidence: int
    voided: int
    learners: int
    closed: int
    dirty: int


@router.get("/stats")
async def stats(principal: Annotated[Principal, Depends(require(Role.operator))], state: StateDep) -> Stats:
    """How much evidence there is, of how many learners, and how many of them wait to be built anew."""
    tenant = principal.tenant
    return Stats(
        evidence=await state.evidence.count(tenant, voided=False),
        voided=await state.evidence.count(tenant, voided=True),
        learners=await state.learners.count(tenant, Status.OPEN),
        closed=await state.learners.count(tenant, Status.CLOSED),
        dirty=await state.learners.count_dirty(tenant),
    )
