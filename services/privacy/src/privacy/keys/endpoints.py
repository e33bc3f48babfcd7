"""`/keys`: wrapped data keys for the other services; an operator has bucket keys replaced."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from service_kit.auth import Principal, Role, require
from service_kit.own_token import EVERY_TENANT
from service_kit.problems import Conflict, Forbidden, NotReadyYet

from privacy.consents.decisions import ENFORCERS
from privacy.keys.drawing import TenantClosed
from privacy.keys.parts import KeyParts
from privacy.keys.schemas import DrawBody, KeyList, KeyView, Learners, LearnersBody, LookUpBody, Rotated

router = APIRouter(prefix="/keys", tags=["keys"])
Peer = Annotated[Principal, Depends(require(Role.service, services=ENFORCERS, every_tenant=True))]
Ingest = Annotated[Principal, Depends(require(Role.service, services=("ingest",), every_tenant=True))]
Operator = Annotated[Principal, Depends(require(Role.operator))]


def _parts(request: Request) -> KeyParts:
    parts: KeyParts | None = request.app.state.keys
    if parts is None:
        raise NotReadyYet("There is no key provider (TRELLIS_KEY_PROVIDER=none)")
    return parts


Parts = Annotated[KeyParts, Depends(_parts)]


@router.post("/draws")
async def draw(body: DrawBody, peer: Ingest, parts: Parts) -> KeyList:
    """Make learners who are new, each with a key. The caller gives them to whoever comes."""
    _may(peer, body.tenant)
    try:
        return KeyList(items=[KeyView.of(key) for key in await parts.drawing.draw(body.tenant, body.count)])
    except TenantClosed:
        raise Conflict("This tenant has left") from None


@router.post("/lookups")
async def look_up(body: LookUpBody, peer: Peer, parts: Parts) -> KeyList:
    """The keys of learners, or by their names. The forgotten have none; who never had one is given one: learners from
    before there were keys, and the tenant itself.
    """
    if body.tenant is not None:
        _may(peer, body.tenant)
    if body.learners is not None and body.tenant is not None:
        found = await parts.drawing.of_learners(body.tenant, body.learners)
    else:
        own = None if peer.tenant == EVERY_TENANT else peer.tenant
        found = await parts.keys.by_name(body.keys or [], own)
    return KeyList(items=[KeyView.of(key) for key in found])


@router.post("/destroyed")
async def destroyed(body: LearnersBody, peer: Peer, parts: Parts) -> Learners:
    """Those of the learners whose key was destroyed: what a restored backup still has of them must go."""
    _may(peer, body.tenant)
    left = set(await parts.keys.may_have(body.tenant, body.learners))
    return Learners(learners=sorted(set(body.learners) - left))


@router.post("/rotations")
async def rotate(operator: Operator, parts: Parts) -> Rotated:
    """Replace every bucket key of the tenant: data keys are wrapped anew, what they have sealed stays as it is."""
    buckets, keys = await parts.replacing.rotate(operator.tenant)
    return Rotated(buckets=buckets, keys=keys)


def _may(peer: Principal, tenant: str) -> None:
    if peer.tenant not in (EVERY_TENANT, tenant):
        raise Forbidden("The token is another tenant's")
