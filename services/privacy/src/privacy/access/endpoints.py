"""What an access or portability request has given: fetched once through a link that expires."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from service_kit.audit import Action, AuditEntry, Who
from service_kit.auth import Principal, Role, require
from service_kit.problems import Conflict, NotFound

from privacy.requests.access import visible
from privacy.requests.progress import COLLECTED, DataRequest, Status
from privacy.requests.settings import RequestSettings
from privacy.state import Here, State

router = APIRouter(prefix="/requests", tags=["requests"])
Caller = Annotated[Principal, Depends(require(Role.learner, Role.guardian, Role.dpo))]
NO_ARCHIVE = "There is nothing to fetch: it was never made, or has expired; ask again"


class Link(BaseModel):
    """Where the archive is fetched, once, by whoever may see the request."""

    url: str
    expires_at: datetime
    size: int
    sha256: str


@router.post("/{request_id}/link", status_code=201)
async def link(request_id: UUID, principal: Caller, state: Here) -> Link:
    """A link to the archive: good once, for a while, with a token of the learner, a guardian or the officer.

    A link made before is good no more.
    """
    request = await _done(request_id, principal, state)
    now = state.clock()
    made = await state.archives.find(principal.tenant, request.id, now)
    until = min(now + timedelta(minutes=RequestSettings().archive_link_minutes), made.expires_at if made else now)
    secret = await state.archives.new_link(principal.tenant, request.id, until) if made else None
    if made is None or secret is None:
        raise NotFound(NO_ARCHIVE)
    url = f"/requests/{request.id}/archive?link={secret}"
    return Link(url=url, expires_at=until, size=made.size, sha256=made.sha256)


@router.get(
    "/{request_id}/archive",
    response_class=StreamingResponse,
    responses={200: {"description": "The archive", "content": {"application/zip": {}}}},
)
async def archive(
    request_id: UUID, principal: Caller, state: Here, link: Annotated[str, Query(min_length=1, max_length=100)]
) -> StreamingResponse:
    """The archive, a ZIP. The link is used up with the first byte; a new one can be made until the archive expires."""
    request = await _done(request_id, principal, state)
    made = await state.archives.use_link(principal.tenant, request.id, link, state.clock())
    if made is None:
        raise NotFound("This link was used, has expired, or never was")
    learners = (request.learner,) if request.learner else ()
    what = f"requests/{request.type}/archive"
    await state.audit.record(AuditEntry(principal.tenant, Who.of(principal), Action.exported, what, learners))
    parts = state.archives.read(made)
    first = await anext(parts, b"")  # what fails, fails before the status is sent
    headers = {
        "Content-Disposition": f'attachment; filename="{request.type}-{made.made_at:%Y-%m-%d}.zip"',
        "Content-Length": str(made.size),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(_all(first, parts), media_type="application/zip", headers=headers)


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part


async def _done(request_id: UUID, principal: Principal, state: State) -> DataRequest:
    """Raises `NotFound`, `Conflict`."""
    request = await visible(principal, str(request_id), state)
    if request.type not in COLLECTED:
        raise NotFound("This request gives nothing to fetch")
    if request.status is not Status.completed:
        raise Conflict(f"The request is {request.status.value}")
    return request
