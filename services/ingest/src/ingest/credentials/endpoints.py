"""`/credentials`: xAPI credentials of the operator's tenant."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from service_kit.auth import Principal, Role, require
from service_kit.paging import Page, decode_cursor, encode_cursor
from service_kit.problems import NotFound
from uuid_utils.compat import uuid7

from ingest.credentials.repository import Credential
from ingest.credentials.schemas import CredentialView, IssuedCredential, NewCredential
from ingest.credentials.secrets import digest, new_secret
from ingest.state import state_of

router = APIRouter(prefix="/credentials", tags=["credentials"])
Operator = Annotated[Principal, Depends(require(Role.operator))]


@router.post("", status_code=201)
async def issue(body: NewCredential, request: Request, operator: Operator) -> IssuedCredential:
    """Make a credential. The secret is in this answer and nowhere else."""
    state, secret = state_of(request), new_secret()
    credential = Credential(
        key=str(uuid7()),
        tenant=operator.tenant,
        name=body.name,
        scopes=frozenset(body.scopes),
        digest=digest(secret),
        created_at=state.clock(),
    )
    await state.credentials.add(credential)
    return IssuedCredential(**_view(credential).model_dump(), secret=secret)


@router.get("")
async def list_credentials(
    request: Request,
    operator: Operator,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Page[CredentialView]:
    """The tenant's credentials, without secrets."""
    after = decode_cursor(cursor, 1)
    found = await state_of(request).credentials.page(operator.tenant, str(after[0]) if after else None, limit + 1)
    items = [_view(credential) for credential in found[:limit]]
    return Page(items=items, next=encode_cursor([items[-1].key]) if len(found) > limit else None)


@router.delete("/{key}", status_code=204)
async def revoke(key: str, request: Request, operator: Operator) -> Response:
    """Take a credential away; other replicas of ingest notice within 15 seconds."""
    state = state_of(request)
    if not await state.credentials.remove(operator.tenant, key):
        raise NotFound("There is no such credential")
    state.verifier.forget(key)
    return Response(status_code=204)


def _view(credential: Credential) -> CredentialView:
    return CredentialView(
        key=credential.key, name=credential.name, scopes=sorted(credential.scopes), created_at=credential.created_at
    )
