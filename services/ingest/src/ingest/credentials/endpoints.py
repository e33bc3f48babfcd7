"""`/credentials`: xAPI credentials of the operator's tenant."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from service_kit.audit import Action, Audits
from service_kit.auth import Principal, Role, require
from service_kit.paging import Page, decode_cursor, encode_cursor
from service_kit.problems import BadRequest, NotFound
from uuid_utils.compat import uuid7

from ingest.credentials.credential import Secret
from ingest.credentials.repository import StoredCredential
from ingest.credentials.schemas import CredentialView, IssuedCredential, NewCredential, Rotation
from ingest.credentials.secrets import digest, new_secret
from ingest.state import state_of

router = APIRouter(prefix="/credentials", tags=["credentials"])
Operator = Annotated[Principal, Depends(require(Role.operator))]


@router.post("", status_code=201)
async def issue(body: NewCredential, request: Request, operator: Operator, audit: Audits) -> IssuedCredential:
    """Make a credential. The secret is in this answer and nowhere else."""
    state, secret = state_of(request), new_secret()
    now = state.clock()
    _check(body, is_past=body.expires_at is not None and body.expires_at <= now)
    credential = StoredCredential(
        key=str(uuid7()),
        tenant=operator.tenant,
        name=body.name,
        scopes=frozenset(body.scopes),
        secret=Secret(digest(secret)),
        created_at=now,
        profile=body.profile,
        expires_at=body.expires_at,
        rate_per_second=body.rate_per_second,
        burst=body.burst,
    )
    await state.credentials.add(credential)
    await audit.done(operator, Action.changed, f"credentials/{credential.key}")
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


@router.post("/{key}/rotate")
async def rotate(
    key: str, request: Request, operator: Operator, audit: Audits, body: Rotation | None = None
) -> IssuedCredential:
    """Give a credential a new secret, shown this once; the one until now stays good for the grace time.

    A secret from before an earlier rotation ends now, whatever its grace.
    """
    state, secret = state_of(request), new_secret()
    grace = timedelta(seconds=(body or Rotation()).grace_seconds)
    credential = await state.credentials.rotate(operator.tenant, key, digest(secret), grace)
    if credential is None:
        raise NotFound("There is no such credential")
    state.verifier.forget(key)
    await audit.done(operator, Action.changed, f"credentials/{credential.key}")
    return IssuedCredential(**_view(credential).model_dump(), secret=secret)


@router.delete("/{key}", status_code=204)
async def revoke(key: str, request: Request, operator: Operator, audit: Audits) -> Response:
    """Take a credential away, and what was launched with it; other replicas of ingest notice within 15 seconds."""
    state = state_of(request)
    if not await state.credentials.remove(operator.tenant, key):
        raise NotFound("There is no such credential")
    await state.launches.remove_issued_by(operator.tenant, key)
    state.verifier.forget_issued_by(key)
    await audit.done(operator, Action.erased, f"credentials/{key}")
    return Response(status_code=204)


def _check(body: NewCredential, *, is_past: bool) -> None:
    if is_past:
        detail = "expected a time to come"
        raise BadRequest(f"Wrong input at /expires_at: {detail}", errors=[{"pointer": "/expires_at", "detail": detail}])
    if body.burst is not None and body.rate_per_second is None:
        detail = "goes with rate_per_second"
        raise BadRequest(f"Wrong input at /burst: {detail}", errors=[{"pointer": "/burst", "detail": detail}])


def _view(credential: StoredCredential) -> CredentialView:
    return CredentialView(
        key=credential.key,
        name=credential.name,
        scopes=sorted(credential.scopes),
        created_at=credential.created_at,
        profile=credential.profile,
        expires_at=credential.expires_at,
        last_used=credential.last_used,
        previous_until=None if credential.previous is None else credential.previous.until,
        rate_per_second=credential.rate_per_second,
        burst=credential.burst,
    )
