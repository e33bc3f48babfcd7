"""`/audit`: the tenant's audit, for its data protection officer and for whoever checks it."""

from collections.abc import AsyncIterator
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from service_kit.audit import Action, AuditEntry, Who
from service_kit.auth import Principal, Role, require
from service_kit.chain import FORMAT, Signed, canonical
from service_kit.paging import Page, decode_cursor, encode_cursor
from service_kit.problems import BadRequest, NotFound

from privacy.audit.repository import Chain, Link
from privacy.audit.schemas import AuditedView, HeadView, entry_of
from privacy.audit.subjects import learners_of
from privacy.state import Here, State

router = APIRouter(prefix="/audit", tags=["audit"])

NDJSON: Final = "application/x-ndjson"
Officer = Annotated[Principal, Depends(require(Role.dpo))]
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("")
async def index(
    principal: Officer, state: Here, learner_id: UUID | None = None, limit: Limit = 50, cursor: str | None = None
) -> Page[AuditedView]:
    """The entries, of one learner where one is named, the newest first."""
    learner = str(learner_id) if learner_id else None
    learners = (learner,) if learner else ()
    await state.audit.noticed(AuditEntry(principal.tenant, Who.of(principal), Action.saw, "audit", learners))
    before = _before(cursor)
    if learner is None:
        found = await state.chain.page(principal.tenant, before, limit + 1)
    else:
        found = await state.chain.about(principal.tenant, learner, before, limit + 1)
    more = encode_cursor([found[limit - 1].seq]) if len(found) > limit else None
    return Page(items=await views(found[:limit], state), next=more)


@router.get("/head")
async def head(principal: Officer, state: Here) -> HeadView:
    """The signed end of the chain, and the key that signs."""
    found = await state.chain.head(principal.tenant)
    if found is None:
        raise NotFound("Nothing has been audited yet")
    signer = await state.signing.signer()
    return HeadView(public_key=signer.public_key, mark=found.signed.mark, signature=found.signed.signature)


@router.get("/export", response_class=StreamingResponse, responses={200: {"content": {NDJSON: {}}}})
async def export(principal: Officer, state: Here) -> StreamingResponse:
    """The whole chain for an auditor, as JSON Lines: public key, checkpoints, entries, head. Learners stay sealed."""
    found = await state.chain.head(principal.tenant)
    if found is None:
        raise NotFound("Nothing has been audited yet")
    signer = await state.signing.signer()
    checkpoints = await state.chain.checkpoints(principal.tenant, found.signed.mark.number)
    await state.audit.record(AuditEntry(principal.tenant, Who.of(principal), Action.exported, "audit"))
    lines = _lines(state.chain, signer.public_key, checkpoints, found.signed)
    return StreamingResponse(lines, media_type=NDJSON)


async def _lines(chain: Chain, public_key: str, checkpoints: list[Signed], head: Signed) -> AsyncIterator[bytes]:
    mark = head.mark
    yield canonical({"audit": {"format": FORMAT, "tenant": mark.tenant, "public_key": public_key}}) + b"\n"
    for checkpoint in checkpoints:
        yield checkpoint.line() + b"\n"
    async for link in chain.walk(mark.tenant, mark.pruned, mark.seq):
        yield canonical({"line": link.line, "hash": link.hash}) + b"\n"
    yield head.line() + b"\n"


async def views(links: list[Link], state: State) -> list[AuditedView]:
    """Entries with their learners opened."""
    entries = [entry_of(link) for link in links]
    learners = await learners_of(entries, state.sealer)
    return [AuditedView.of(*one) for one in zip(links, entries, learners, strict=True)]


def _before(cursor: str | None) -> int | None:
    key = decode_cursor(cursor, 1)
    if key is None:
        return None
    if not isinstance(key[0], int):
        raise BadRequest(
            "`cursor` is not one that this list has given", errors=[{"parameter": "cursor", "in": "query"}]
        )
    return key[0]
