"""Whose data a credential could have read: what a breach has to be reported on (GDPR 33(3)(a), 34)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, Field
from service_kit.audit import Action, AuditEntry, Audits, Who
from service_kit.auth import Principal, Role, require
from service_kit.paging import decode_cursor, encode_cursor
from service_kit.problems import NotFound
from xapi import canonical_ifi

from ingest.credentials.authority import authority_of
from ingest.credentials.repository import StoredCredential
from ingest.credentials.schemas import Scope
from ingest.credentials.use import EVERY_SECONDS
from ingest.state import State, state_of
from ingest.statements.indexing import agent_tokens

router = APIRouter(prefix="/credentials", tags=["credentials"])
Caller = Annotated[Principal, Depends(require(Role.operator, Role.dpo))]
EVERYTHING: Final = frozenset({Scope.all, Scope.all_read, Scope.statements_read})
DOCUMENTS: Final = frozenset({Scope.state, Scope.profile})


class Reading(StrEnum):
    """What the scopes let one read. A document is asked for by its agent: whoever knows one may try any."""

    everything = "everything"
    documents = "documents"
    own = "own"
    nothing = "nothing"


class Reach(BaseModel):
    """`learners`: whose data it could have read; empty where it was not used since."""

    credential: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    last_used: datetime | None = Field(description="To the minute; null: never")
    since: datetime
    used_since: bool
    could_read: Reading
    learners: list[str]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class _Page:
    after: str
    limit: int


@router.get("/{key}/reach")
async def reach(
    key: str,
    since: Annotated[AwareDatetime, Query(description="From when on the key was in other hands")],
    request: Request,
    caller: Caller,
    audit: Audits,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    cursor: str | None = None,
) -> Reach:
    """Whose data a leaked key could have read since then. Ask before it is revoked: rotating it keeps what is known."""
    state = state_of(request)
    credential = await state.credentials.one(caller.tenant, key)
    if credential is None:
        raise NotFound("There is no such credential")
    used = credential.last_used is not None and credential.last_used + timedelta(seconds=EVERY_SECONDS) >= since
    reading = what_it_reads(credential.scopes)
    place = decode_cursor(cursor, 1)
    page = _Page(str(place[0]) if place else "", limit + 1)
    learners = await _learners(state, credential, reading, page) if used else []
    await audit.record(AuditEntry(caller.tenant, Who.of(caller), Action.saw, "credentials/reach", ground="GDPR 33"))
    return Reach(
        credential=credential.key,
        name=credential.name,
        scopes=sorted(credential.scopes),
        created_at=credential.created_at,
        last_used=credential.last_used,
        since=since,
        used_since=used,
        could_read=reading,
        learners=learners[:limit],
        next=encode_cursor([learners[limit - 1]]) if len(learners) > limit else None,
    )


def what_it_reads(scopes: frozenset[Scope]) -> Reading:
    if not scopes.isdisjoint(EVERYTHING):
        return Reading.everything
    if not scopes.isdisjoint(DOCUMENTS):
        return Reading.documents
    return Reading.own if Scope.statements_read_mine in scopes else Reading.nothing


async def _learners(state: State, credential: StoredCredential, reading: Reading, page: _Page) -> Sequence[str]:
    if reading is Reading.nothing:
        return []
    if reading is not Reading.own:
        return await state.known_identities.learners(credential.tenant, page.after, page.limit)
    ifi = str(canonical_ifi(authority_of(credential.known().credential)))
    own = await state.identities.look_up(credential.tenant, ifi)
    if own is None:
        return []
    found = await state.statements.learners_of_author(credential.tenant, agent_tokens(own.agent), credential.key)
    return [learner for learner in found if learner > page.after][: page.limit]
