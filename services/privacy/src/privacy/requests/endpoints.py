"""`/requests`: data subjects' requests."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from service_kit.auth import Principal, Role, require
from service_kit.paging import Page, decode_cursor, encode_cursor
from service_kit.problems import Forbidden, NotFound

from privacy.requests.asking import Asking, approve, ask, refuse
from privacy.requests.progress import Status
from privacy.requests.schemas import Accepted, RefusalBody, RequestBody, RequestView
from privacy.state import Here

router = APIRouter(prefix="/requests", tags=["requests"])

Caller = Annotated[Principal, Depends(require(Role.learner, Role.dpo))]
Officer = Annotated[Principal, Depends(require(Role.dpo))]
Limit = Annotated[int, Query(ge=1, le=500)]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=200)]


@router.post("", status_code=202)
async def make(body: RequestBody, principal: Caller, state: Here, idempotency_key: IdempotencyKey = None) -> Accepted:
    """Ask for an erasure. An officer's runs at once; a learner's waits for an officer's approval.

    The same Idempotency-Key, or a request of this learner that is still open, answers with that same request.
    """
    learner = str(body.learner_id)
    if not principal.may_see(learner, Role.dpo):
        raise Forbidden("A learner asks for the own erasure only")
    approved = principal.has(Role.dpo)
    asking = Asking(principal.tenant, body.type, learner, approved, principal.subject, idempotency_key)
    request = await ask(asking, state)
    return Accepted(id=request.id, status=request.status)


@router.get("")
async def index(
    principal: Officer, state: Here, limit: Limit = 50, cursor: str | None = None, status: Status | None = None
) -> Page[RequestView]:
    """The tenant's requests, the newest first."""
    key = decode_cursor(cursor, 1)
    found = await state.requests.page(principal.tenant, status, str(key[0]) if key else None, limit + 1)
    more = encode_cursor([found[limit - 1].id]) if len(found) > limit else None
    return Page(items=[RequestView.of(request) for request in found[:limit]], next=more)


@router.get("/{request_id}")
async def read(request_id: UUID, principal: Caller, state: Here) -> RequestView:
    """A request and its receipts; a learner sees the own."""
    request = await state.requests.find(principal.tenant, str(request_id))
    if request is None or not principal.may_see(request.learner, Role.dpo):
        raise NotFound("There is no such request")
    return RequestView.of(request)


@router.post("/{request_id}/approve", status_code=202)
async def approve_one(request_id: UUID, principal: Officer, state: Here) -> Accepted:
    """Start a pending request."""
    request = await approve(principal.tenant, str(request_id), state)
    return Accepted(id=request.id, status=request.status)


@router.post("/{request_id}/refuse")
async def refuse_one(request_id: UUID, body: RefusalBody, principal: Officer, state: Here) -> Accepted:
    """Refuse a pending request, with the reason that the learner is told."""
    request = await refuse(principal.tenant, str(request_id), body.reason, state)
    return Accepted(id=request.id, status=request.status)
