"""`/requests`: data subjects' requests."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from service_kit.audit import Action, AuditEntry, Who
from service_kit.auth import Principal, Role, require
from service_kit.paging import Page, decode_cursor, encode_cursor

from privacy.requests.access import check_may_ask, visible
from privacy.requests.asking import Asking, approve, ask, check_identity, extend, refuse
from privacy.requests.beside import place_beside
from privacy.requests.progress import DataRequest, Status
from privacy.requests.restricting import lift
from privacy.requests.schemas import (
    Accepted,
    ExtensionBody,
    IdentityBody,
    RefusalBody,
    RequestBody,
    RequestView,
    StatementBody,
)
from privacy.state import Here, State

router = APIRouter(prefix="/requests", tags=["requests"])

Caller = Annotated[Principal, Depends(require(Role.learner, Role.guardian, Role.dpo))]
Officer = Annotated[Principal, Depends(require(Role.dpo))]
Limit = Annotated[int, Query(ge=1, le=500)]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=200)]


@router.post("", status_code=202)
async def make(body: RequestBody, principal: Caller, state: Here, idempotency_key: IdempotencyKey = None) -> Accepted:
    """Ask for erasure, access, portability, restriction, rectification, or object.

    What an officer asks for runs at once, and so do access and portability; the rest waits for an officer's approval,
    an objection with the processing stopped. The same Idempotency-Key, or a request of this learner for the same
    thing that is still open, answers with that same request.
    """
    learner = str(body.learner_id)
    role = await check_may_ask(principal, learner, state)
    approved = principal.has(Role.dpo)
    asking = Asking(
        principal.tenant,
        body.type,
        learner,
        approved,
        principal.subject,
        idempotency_key,
        body.details(),
        by=Role.dpo.value if approved else role,
        asker=state.audit.pseudonym(principal.tenant, principal.subject) if role == Role.guardian.value else None,
    )
    request = await ask(asking, state)
    await _audit(principal, request, state)
    return Accepted(id=request.id, status=request.status)


@router.get("")
async def index(
    principal: Officer, state: Here, limit: Limit = 50, cursor: str | None = None, status: Status | None = None
) -> Page[RequestView]:
    """The tenant's requests, the newest first."""
    key = decode_cursor(cursor, 1)
    found = await state.requests.page(principal.tenant, status, str(key[0]) if key else None, limit + 1)
    more = encode_cursor([found[limit - 1].id]) if len(found) > limit else None
    learners = sorted({request.learner for request in found[:limit] if request.learner})
    await state.audit.seen(principal, "requests", *learners)
    return Page(items=[RequestView.of(request) for request in found[:limit]], next=more)


@router.get("/{request_id}")
async def read(request_id: UUID, principal: Caller, state: Here) -> RequestView:
    """A request and its receipts; a learner sees the own, a guardian those of the child."""
    request = await visible(principal, str(request_id), state)
    if request.learner:
        await state.audit.seen(principal, "requests", request.learner)
    return RequestView.of(request)


@router.post("/{request_id}/approve", status_code=202)
async def approve_one(request_id: UUID, principal: Officer, state: Here) -> Accepted:
    """Start a pending request."""
    request = await approve(principal.tenant, str(request_id), state)
    await _audit(principal, request, state)
    return Accepted(id=request.id, status=request.status)


@router.post("/{request_id}/refuse")
async def refuse_one(request_id: UUID, body: RefusalBody, principal: Officer, state: Here) -> Accepted:
    """Refuse a pending request, on a ground of the policy pack and with the reason that the learner is told."""
    request = await refuse(principal.tenant, str(request_id), body.ground, body.reason, state)
    await _audit(principal, request, state)
    return Accepted(id=request.id, status=request.status)


@router.post("/{request_id}/extend")
async def extend_one(request_id: UUID, body: ExtensionBody, principal: Officer, state: Here) -> RequestView:
    """Take the further time that the policy pack allows, with the reason that the learner is told."""
    changed = await extend(principal.tenant, str(request_id), body.reason, state)
    await _audit(principal, changed, state, "extended")
    return RequestView.of(changed)


@router.post("/{request_id}/identity")
async def identity(request_id: UUID, body: IdentityBody, principal: Officer, state: Here) -> RequestView:
    """Ask whoever made a pending request to show who they are, or say that they have; until then nothing starts."""
    changed = await check_identity(principal.tenant, str(request_id), body.state == "confirmed", state)
    await _audit(principal, changed, state, f"identity/{body.state}")
    return RequestView.of(changed)


@router.post("/{request_id}/lift", status_code=202)
async def lift_one(request_id: UUID, principal: Officer, state: Here) -> RequestView:
    """End a restriction; the learner is to be told before (GDPR 18(3))."""
    changed = await lift(principal.tenant, str(request_id), state)
    await _audit(principal, changed, state, "lifted")
    return RequestView.of(changed)


@router.post("/{request_id}/statement")
async def beside(request_id: UUID, body: StatementBody, principal: Caller, state: Here) -> RequestView:
    """Place a statement beside a record whose amendment was refused, where the policy pack knows that."""
    request = await visible(principal, str(request_id), state)
    changed = await place_beside(principal.tenant, request.id, body.text, state)
    await _audit(principal, changed, state, "statement")
    return RequestView.of(changed)


async def _audit(principal: Principal, request: DataRequest, state: State, step: str | None = None) -> None:
    """`step`: what was done, where the status does not say it."""
    erases = request.type == "erasure" and request.status is Status.running and step is None
    action = Action.erased if erases else Action.changed
    learners = (request.learner,) if request.learner else ()
    ground = request.ground or (request.clauses[0] if request.clauses else "")
    what = f"requests/{request.type}/{step or request.status.value}"
    await state.audit.record(AuditEntry(principal.tenant, Who.of(principal), action, what, learners, ground))
