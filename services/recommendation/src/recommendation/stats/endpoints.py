"""HTTP in: counts for operators."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from service_kit.auth import Principal, Role, require

from recommendation.state import StateDep

router = APIRouter(tags=["stats"])


class Stats(BaseModel):
    """Of the caller's tenant."""

    activities: int
    learners: int


@router.get("/stats")
async def stats(principal: Annotated[Principal, Depends(require(Role.operator))], state: StateDep) -> Stats:
    """How many activities the catalog holds, and of how many learners there is a profile."""
    return Stats(
        activities=await state.catalog.count(principal.tenant), learners=await state.learners.count(principal.tenant)
    )
