"""`/processing`: the record of processing activities."""

from typing import Annotated

from fastapi import APIRouter, Depends
from service_kit.auth import Principal, Role, require

from privacy.policies.deciding import policy_of
from privacy.processing.register import register
from privacy.processing.schemas import Register
from privacy.state import Here

router = APIRouter(prefix="/processing", tags=["processing"])

Reader = Annotated[Principal, Depends(require(Role.dpo, Role.operator, Role.authority))]


@router.get("")
async def read(principal: Reader, state: Here) -> Register:
    """The record of processing activities (GDPR 30(1)) as the tenant's policy states it, and what it fails to state."""
    policy = await policy_of(principal.tenant, state)
    return register(principal.tenant, policy, await state.rules.versions(principal.tenant))
