"""`/quarantine` and `/emitters/{key}/watches`, for operators."""

from collections import Counter
from dataclasses import fields
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from service_kit.audit import Action, Audits
from service_kit.auth import Principal, Role, require
from service_kit.paging import Page, decode_cursor, encode_cursor
from service_kit.problems import BadRequest, Conflict, NotFound
from xapi import JsonObject, StatementInvalid, loads

from ingest.credentials.credential import Credential
from ingest.emitters.observing import Tally
from ingest.emitters.quarantine import Quarantined
from ingest.emitters.replaying import replay
from ingest.emitters.schemas import Count, NewWatch, QuarantinedView, ReasonView, ReplayedView, Report, WatchView
from ingest.state import State, state_of
from ingest.statements.refusals import invalid

router = APIRouter(tags=["emitters"])
Operator = Annotated[Principal, Depends(require(Role.operator))]


@router.get("/quarantine")
async def list_quarantine(
    request: Request,
    operator: Operator,
    credential: Annotated[str | None, Query(max_length=200, description="Of this credential alone")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Page[QuarantinedView]:
    """Refused statements of batches that were stored in part, newest first, without the statements themselves."""
    after = _after(cursor)
    found = await state_of(request).emitters.quarantine.page(operator.tenant, credential, after, limit + 1)
    items = [_view(one) for one in found[:limit]]
    last = found[limit - 1] if len(found) > limit else None
    return Page(items=items, next=last and encode_cursor([last.received_at.isoformat(), last.id]))


@router.get("/quarantine/{quarantine_id}", responses={200: {"model": QuarantinedView}})
async def show_quarantined(quarantine_id: str, request: Request, operator: Operator, audit: Audits) -> Response:
    """One refused statement; `statement` is what was sent."""
    found = await state_of(request).emitters.quarantine.one(operator.tenant, quarantine_id)
    if found is None:
        raise NotFound("There is no such statement in quarantine")
    held, data = found
    await audit.seen(operator, "quarantine")
    content = orjson.dumps(_view(held).model_dump(mode="json"))[:-1] + b',"statement":' + data + b"}"
    return Response(content, media_type="application/json")


@router.post(
    "/quarantine/{quarantine_id}/replay",
    openapi_extra={
        "requestBody": {
            "description": "The edited statement; none: as it was sent",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
)
async def replay_quarantined(quarantine_id: str, request: Request, operator: Operator, audit: Audits) -> ReplayedView:
    """Judge it anew and store it, or an edited one in its place; then it leaves the quarantine."""
    state = state_of(request)
    replayed = await replay(
        operator.tenant,
        quarantine_id,
        _edited(await request.body()),
        quarantine=state.emitters.quarantine,
        credentials=state.credentials,
        recorder=state.recorder,
    )
    await audit.done(operator, Action.changed, "quarantine", count=1)
    return ReplayedView(statement_id=replayed.statement_id, recorded=replayed.recorded)


@router.delete("/quarantine/{quarantine_id}", status_code=204)
async def discard_quarantined(quarantine_id: str, request: Request, operator: Operator, audit: Audits) -> Response:
    """Take it away for good."""
    if not await state_of(request).emitters.quarantine.remove(operator.tenant, quarantine_id):
        raise NotFound("There is no such statement in quarantine")
    await audit.done(operator, Action.erased, "quarantine", count=1)
    return Response(status_code=204)


@router.post("/emitters/{key}/watches", status_code=201)
async def watch(key: str, body: NewWatch, request: Request, operator: Operator) -> WatchView:
    """From now on (give it two seconds) count what this credential sends, everywhere."""
    state = state_of(request)
    await _credential(state, operator.tenant, key)
    begun = await state.emitters.watches.begin(operator.tenant, key, body.seconds)
    if begun is None:
        raise Conflict("Too many watches are going on; wait until one ends")
    return WatchView(id=begun.id, credential=begun.credential, until=begun.until)


@router.get("/emitters/{key}/watches/{watch_id}")
async def report(key: str, watch_id: str, request: Request, operator: Operator) -> Report:
    """What the credential has sent since the watch began; kept for an hour after it ended."""
    state = state_of(request)
    found = await state.emitters.watches.one(operator.tenant, watch_id)
    if found is None or found.credential != key:
        raise NotFound("There is no such watch")
    credential = await _credential(state, operator.tenant, key)
    tally = await state.emitters.watches.report(operator.tenant, watch_id)
    return Report(credential=key, profile=credential.profile.value, until=found.until, **_counts(tally))


async def _credential(state: State, tenant: str, key: str) -> Credential:
    known = await state.credentials.known(key)
    if known is None or known.credential.tenant != tenant:
        raise NotFound("There is no such credential")
    return known.credential


def _counts(tally: Tally) -> dict[str, Any]:
    counted = {one.name: getattr(tally, one.name) for one in fields(tally)}
    return {
        name: [Count(name=key, count=count) for key, count in value.most_common()]
        if isinstance(value, Counter)
        else value
        for name, value in counted.items()
    }


def _edited(body: bytes) -> JsonObject | None:
    if not body.strip():
        return None
    try:
        edited = loads(body)
    except StatementInvalid as error:
        raise invalid(error) from None
    if not isinstance(edited, dict):
        raise BadRequest("Expected one statement, found something else")
    return edited


def _after(cursor: str | None) -> tuple[datetime, str] | None:
    after = decode_cursor(cursor, 2)
    if after is None:
        return None
    try:
        return datetime.fromisoformat(str(after[0])), str(after[1])
    except ValueError:
        raise BadRequest("The cursor is not one that was given") from None


def _view(one: Quarantined) -> QuarantinedView:
    return QuarantinedView(
        id=one.id,
        credential=one.credential,
        index=one.index,
        status=one.status,
        reasons=[ReasonView(pointer=reason.pointer, detail=reason.detail) for reason in one.reasons],
        received_at=one.received_at,
        last_at=one.last_at,
        times=one.times,
        expires_at=one.expires_at,
    )
