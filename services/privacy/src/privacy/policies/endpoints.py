"""`/policy`: the tenant's policy."""

from typing import Annotated

from events.payloads import Policy
from fastapi import APIRouter, Depends
from service_kit.auth import Principal, Role, require

from privacy.policies.deciding import policy_of, put_policy
from privacy.policies.schemas import PolicyBody
from privacy.state import Here

router = APIRouter(prefix="/policy", tags=["policy"])


@router.get("")
async def read(principal: Annotated[Principal, Depends(require())], state: Here) -> Policy:
    """The policy that holds for the caller's tenant."""
    return await policy_of(principal.tenant, state)


@router.put("")
async def put(body: PolicyBody, principal: Annotated[Principal, Depends(require(Role.dpo))], state: Here) -> Policy:
    """Set the whole policy. Putting the same again changes nothing, its version neither."""
    return await put_policy(principal.tenant, body, state)
