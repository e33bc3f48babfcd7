"""`/legal-holds`: what no rule may touch."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from service_kit.audit import Who
from service_kit.auth import Principal, Role, require
from service_kit.paging import Page, decode_cursor, encode_cursor

from privacy.retention.holding import found_hold, release_hold, set_hold, status_of
from privacy.retention.holds import Hold
from privacy.retention.schemas import HoldBody, HoldView
from privacy.state import Here, State

router = APIRouter(prefix="/legal-holds", tags=["retention"])

Officer = Annotated[Principal, Depends(require(Role.dpo))]
Reader = Annotated[Principal, Depends(require(Role.dpo, Role.operator))]


@router.post("", status_code=201)
async def make(body: HoldBody, principal: Officer, state: Here) -> HoldView:
    """Hold learners, or everyone: no rule destroys anything of theirs, and no erasure begins.

    `pending` until every service knows of it, then `effective`.
    """
    hold = await set_hold(principal.tenant, body, Who.of(principal), state)
    return await _view(hold, principal, state)


@router.get("")
async def index(
    principal: Reader, state: Here, limit: Annotated[int, Query(ge=1, le=100)] = 50, cursor: str | None = None
) -> Page[HoldView]:
    """The tenant's holds, the newest first, released ones too."""
    key = decode_cursor(cursor, 1)
    found = await state.holds.page(principal.tenant, str(key[0]) if key else None, limit + 1)
    more = encode_cursor([found[limit - 1].id]) if len(found) > limit else None
    return Page(items=[await _view(hold, principal, state) for hold in found[:limit]], next=more)


@router.get("/{hold_id}")
async def read(hold_id: UUID, principal: Reader, state: Here) -> HoldView:
    """A hold, and whether it is in effect."""
    hold = await found_hold(principal.tenant, str(hold_id), state)
    return await _view(hold, principal, state)


@router.post("/{hold_id}/release")
async def release(hold_id: UUID, principal: Officer, state: Here) -> HoldView:
    """End a hold; it names its learners no more."""
    hold = await release_hold(principal.tenant, str(hold_id), Who.of(principal), state)
    return await _view(hold, principal, state)


async def _view(hold: Hold, principal: Principal, state: State) -> HoldView:
    status = await status_of(principal.tenant, hold, state)
    return HoldView.of(hold, status, whole=principal.has(Role.dpo))
