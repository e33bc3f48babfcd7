"""What privacy needs of ingest when a tenant leaves: all its learners, the door shut, the tenant's key destroyed."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel
from service_kit.auth import Principal, Role, require

from ingest.state import state_of

router = APIRouter(prefix="/subjects", tags=["subjects"])
Caller = Annotated[Principal, Depends(require(Role.service, services=("privacy",)))]


class Learners(BaseModel):
    items: list[str]


@router.get("")
async def learners(
    request: Request, caller: Caller, after: str = "", limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> Learners:
    """The tenant's learners in the order of their ids, those behind `after`."""
    return Learners(items=await state_of(request).known_identities.learners(caller.tenant, after, limit))


@router.post("/close", status_code=204)
async def close(request: Request, caller: Caller) -> Response:
    """Take away all credentials and forwardings of the tenant: nothing comes in or goes out any more."""
    state = state_of(request)
    await state.credentials.remove_all(caller.tenant)
    while page := await state.forwardings.page(caller.tenant, None, 100):
        for one in page:
            await state.forwardings.remove(caller.tenant, one.id)
    return Response(status_code=204)


@router.post("/destroy-key", status_code=204)
async def destroy_key(request: Request, caller: Caller) -> Response:
    """Let go of what is the tenant's own: the key that finds identifiers, activity profiles, all wrapped keys."""
    state = state_of(request)
    await state.known_identities.destroy_key(caller.tenant)
    await state.documents.forget_tenant(caller.tenant)
    if state.held_keys is not None:
        await state.held_keys.forget_tenant(caller.tenant, state.clock())
    return Response(status_code=204)
