"""HTTP in: counts for operators."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from service_kit.auth import Principal, Role, require

from insights.state import StateDep

router = APIRouter(tags=["stats"])


class Stats(BaseModel):
    """Of the caller's tenant."""

    roster: int = Field(description="learners in the roster")
    states: int = Field(description="learners whose profile has arrived, in the roster or not")
    statements: int = Field(description="sum of the statements folded into those profiles")


@router.get("/stats")
async def stats(principal: Annotated[Principal, Depends(require(Role.operator))], state: StateDep) -> Stats:
    """How many learners the roster has, and what has arrived of them."""
    states, statements = await state.states.count(principal.tenant)
    return Stats(roster=await state.rosters.count_learners(principal.tenant), states=states, statements=statements)
