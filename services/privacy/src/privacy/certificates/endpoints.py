"""`/requests/{id}/certificate`, and the key with which anyone can check it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from service_kit.auth import Principal, Role, require
from service_kit.problems import NotFound

from privacy.certificates.jws import public_jwk
from privacy.certificates.repository import Issued
from privacy.requests.access import visible
from privacy.state import Here

router = APIRouter(tags=["certificates"])
Caller = Annotated[Principal, Depends(require(Role.learner, Role.guardian, Role.dpo))]


class Certificate(BaseModel):
    """A signed JSON-LD document: `dpv:RightFulfilmentNotice`, or `dpv:RightNonFulfilmentNotice` of a refusal; of a run
    of a retention rule `dpv:RecordsOfActivities`.
    """

    issued_at: datetime
    certificate: str = Field(description="JWS, compact form (RFC 7515), Ed25519")
    earlier: list[str] = Field(description="The ones that this one supersedes, oldest first")

    @classmethod
    def of(cls, issued: Issued) -> "Certificate":
        return cls(issued_at=issued.issued_at, certificate=issued.jws, earlier=list(issued.earlier))


class Keys(BaseModel):
    keys: list[dict[str, str]]


@router.get("/requests/{request_id}/certificate")
async def certificate(request_id: UUID, principal: Caller, state: Here) -> Certificate:
    """The certificate of a request that is done, or the notice of its refusal. 404 until it is signed."""
    request = await visible(principal, str(request_id), state)
    issued = await state.certificates.find(principal.tenant, request.id)
    if issued is None:
        raise NotFound("Nothing is signed of this request yet")
    return Certificate.of(issued)


@router.get("/certificates/keys")
async def keys(state: Here) -> Keys:
    """The public key as a JWK Set (RFC 7517): open, so that whoever holds a certificate can check it."""
    return Keys(keys=[public_jwk(await state.signing.signer())])
