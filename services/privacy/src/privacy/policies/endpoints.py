"""`/policy`: the tenant's policy."""

from dataclasses import asdict
from typing import Annotated

from events.payloads import Policy
from fastapi import APIRouter, Depends
from service_kit.auth import Principal, Role, require
from service_kit.problems import NotFound

from privacy.packs import PACKS, Pack
from privacy.policies.deciding import policy_of, put_policy
from privacy.policies.schemas import ClauseOut, PackOut, PolicyBody
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


@router.get("/packs")
async def packs(_: Annotated[Principal, Depends(require())]) -> list[PackOut]:
    """What each pack rests on, clause by clause."""
    return [_pack(pack) for pack in PACKS.values()]


@router.get("/versions/{version}")
async def of_version(version: int, principal: Annotated[Principal, Depends(require())], state: Here) -> Policy:
    """A policy that held once; none is ever changed."""
    found = await state.policies.versions(principal.tenant, [version])
    if version not in found:
        raise NotFound("The policy has no such version")
    return found[version]


def _pack(pack: Pack) -> PackOut:
    clauses = [ClauseOut(**asdict(clause)) for clause in pack.clauses()]
    return PackOut(name=pack.name, summary=pack.summary, clauses=clauses)
