"""`/forwardings`: what is sent on to other Learning Record Stores. For operators."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from service_kit.audit import Action, Audits
from service_kit.auth import Principal, Role, require
from service_kit.mongo import Document
from service_kit.paging import Page, decode_cursor, encode_cursor
from service_kit.problems import NotFound
from uuid_utils.compat import uuid7

from ingest.forwarding.repository import Forwarding
from ingest.forwarding.schemas import DeadLetterView, ForwardingView, NewForwarding, Replayed
from ingest.state import State, state_of
from ingest.statements.indexing import key_of
from ingest.statements.repository import Place
from ingest.statements.stamps import from_micros, to_micros

router = APIRouter(prefix="/forwardings", tags=["forwardings"])
Operator = Annotated[Principal, Depends(require(Role.operator))]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.post("", status_code=201)
async def forward(body: NewForwarding, request: Request, operator: Operator, audit: Audits) -> ForwardingView:
    """Send statements on from now, from a time or from the beginning. The secret is never shown again."""
    state = state_of(request)
    now = state.clock()
    made = Forwarding(
        id=str(uuid7()),
        tenant=operator.tenant,
        name=body.name,
        endpoint=body.endpoint,
        key=body.key,
        secret=body.secret,
        version=body.version,
        filters=body.filters,
        purpose=body.purpose,
        created_at=now,
        place=_behind(body, now),
    )
    await state.forwardings.add(made)
    await audit.done(operator, Action.changed, f"forwardings/{made.id}", ground=made.purpose or "")
    return await _view(state, made)


@router.get("")
async def list_forwardings(
    request: Request, operator: Operator, limit: Limit = 100, cursor: str | None = None
) -> Page[ForwardingView]:
    """The tenant's forwardings."""
    state, after = state_of(request), decode_cursor(cursor, 1)
    found = await state.forwardings.page(operator.tenant, str(after[0]) if after else None, limit + 1)
    items = [await _view(state, one) for one in found[:limit]]
    return Page(items=items, next=encode_cursor([items[-1].id]) if len(found) > limit else None)


@router.get("/{forwarding}")
async def get_forwarding(forwarding: str, request: Request, operator: Operator) -> ForwardingView:
    """How a forwarding is doing."""
    state = state_of(request)
    return await _view(state, await _found(state, operator, forwarding))


@router.delete("/{forwarding}", status_code=204)
async def stop_forwarding(forwarding: str, request: Request, operator: Operator, audit: Audits) -> Response:
    """Stop it, and forget its place and its dead letters."""
    if not await state_of(request).forwardings.remove(operator.tenant, forwarding):
        raise _none()
    await audit.done(operator, Action.erased, f"forwardings/{forwarding}")
    return Response(status_code=204)


@router.get("/{forwarding}/dead-letters")
async def list_dead_letters(
    forwarding: str, request: Request, operator: Operator, limit: Limit = 100, cursor: str | None = None
) -> Page[DeadLetterView]:
    """The statements that the other LRS refused, and why."""
    state, after = state_of(request), decode_cursor(cursor, 1)
    await _found(state, operator, forwarding)
    found = await state.forwardings.dead_letters(forwarding, str(after[0]) if after else None, limit + 1)
    page = found[:limit]
    last = encode_cursor([page[-1]["_id"]]) if len(found) > limit else None
    return Page(items=[_letter(document) for document in page], next=last)


@router.post("/{forwarding}/replay", status_code=202)
async def replay(
    forwarding: str,
    request: Request,
    operator: Operator,
    statement_ids: Annotated[list[str], Body(embed=True, max_length=1000)] = [],  # noqa: B006 — FastAPI copies it
) -> Replayed:
    """Send the dead letters of these statements again, all of them where none is named."""
    state = state_of(request)
    await _found(state, operator, forwarding)
    keys = [key_of(operator.tenant, one) for one in statement_ids]
    return Replayed(dead_letters=await state.forwardings.replay(forwarding, keys))


async def _found(state: State, operator: Principal, forwarding: str) -> Forwarding:
    found = await state.forwardings.one(operator.tenant, forwarding)
    if found is None:
        raise _none()
    return found


def _none() -> NotFound:
    return NotFound("There is no such forwarding")


def _behind(body: NewForwarding, now: datetime) -> Place:
    """The place before the first statement wanted; `since` is exclusive, as in GET /statements."""
    if body.since == "beginning":
        return Place(0, "")
    since = now if isinstance(body.since, str) else body.since
    return Place(to_micros(since), "~")  # "~" follows every id


async def _view(state: State, one: Forwarding) -> ForwardingView:
    return ForwardingView(
        id=one.id,
        name=one.name,
        endpoint=one.endpoint,
        key=one.key,
        version=one.version,
        filters=one.filters,
        purpose=one.purpose,
        created_at=one.created_at,
        stored_through=from_micros(one.place.stored) if one.place.stored else None,
        forwarded=one.forwarded,
        withheld=one.withheld,
        dead=await state.forwardings.count_dead(one.id),
        waits_for=one.waits_for,
    )


def _letter(document: Document) -> DeadLetterView:
    return DeadLetterView(
        statement_id=document["statement"].partition("/")[2],
        reason=document["reason"],
        tries=document["tries"],
        at=document["at"],
        replay=document["replay"],
    )
