"""HTTP in: a learner's record out, a record from elsewhere in, and what such records claim."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from service_kit.audit import Action, AuditEntry, Audits, Who
from service_kit.auth import Principal, Role, require
from service_kit.consent import Standing
from service_kit.peers import PeerAway, PeerRefuses
from service_kit.problems import BadRequest, Forbidden, NotFound, NotReadyYet

from learner_profile.learners.access import READERS, TEACH, own, teaches
from learner_profile.learners.guardians import acting
from learner_profile.learners.parameters import Learner, Reader
from learner_profile.learners.standing import PURPOSE
from learner_profile.records.exporting import Wanted, record
from learner_profile.records.importing import known
from learner_profile.records.schemas import Claims, Imported
from learner_profile.state import State, StateDep

router = APIRouter(prefix="/learners", tags=["records"])

ZIP: Final = "application/zip"
PORTABILITY: Final = "portability"
"""A purpose of the tenant's own: an app may take records of learners along who allow it."""
Exporter = Annotated[Principal, Depends(acting(Role.learner, Role.dpo, Role.app))]
Importer = Annotated[Principal, Depends(require(Role.app, Role.dpo, Role.operator))]
_ARCHIVE: Final[dict[int | str, dict[str, Any]]] = {200: {"description": "The record, a ZIP", "content": {ZIP: {}}}}
_CONTENT: Final = {ZIP: {"schema": {"type": "string", "format": "binary"}}}
_BODY: Final[dict[str, Any]] = {"requestBody": {"required": True, "content": _CONTENT}}


@router.get("/me/export", response_class=StreamingResponse, responses=_ARCHIVE)
async def export_mine(principal: Learner, state: StateDep, audit: Audits) -> StreamingResponse:
    """The record of the learner who holds the token; see `GET /learners/{learner_id}/export`."""
    return await _export(principal, own(principal), state, audit)


@router.get("/{learner_id}/export", response_class=StreamingResponse, responses=_ARCHIVE)
async def export(principal: Exporter, learner_id: UUID, state: StateDep, audit: Audits) -> StreamingResponse:
    """A signed record to take along: the xAPI statements, the state (JSON-LD), the competencies mastered (Open Badges
    3.0, CLR 2.0). For the learner, a guardian, the data protection officer, and an app where the learner allows the
    tenant's purpose `portability`.

    Where `profile` is stopped it holds the statements alone.
    """
    return await _export(principal, str(learner_id), state, audit)


@router.post("/import", openapi_extra=_BODY)
async def take(
    principal: Importer,
    request: Request,
    state: StateDep,
    audit: Audits,
    learner_id: Annotated[UUID, Query(description="whose record it is here")],
) -> Imported:
    """Take in a record that another issuer has signed, for a learner who moves here.

    400 where its issuer is not one that the operator has named, or anything in it is not what was signed. Statements
    become evidence, marked as imported; the state is shown as claimed elsewhere (`GET /learners/{id}/claims`) and
    never counted. The answer says what was taken, and what was not.
    """
    group = await state.merges.group(principal.tenant, str(learner_id))
    standing = await state.consents.standing(principal.tenant, group.root)
    _check(standing)
    _check_token(principal, state)
    try:
        taken = await state.importing.take(
            principal.tenant, group.root, await request.body(), may_profile=standing.allows(PURPOSE)
        )
    except PeerAway as away:
        raise NotReadyYet(f"{away.service} does not answer") from None
    except PeerRefuses as refused:
        raise BadRequest(f"ingest does not take it: {refused}") from None
    entry = AuditEntry(principal.tenant, Who.of(principal), Action.changed, "records/import", (group.root,))
    await audit.record(entry)
    return taken


@router.get("/{learner_id}/claims")
async def claims(principal: Reader, learner_id: UUID, state: StateDep, audit: Audits) -> Claims:
    """What records from elsewhere claim of the learner; none of it counts here."""
    group = await state.merges.group(principal.tenant, str(learner_id))
    itself = any(principal.may_see(one, *READERS) for one in group.everyone)
    standing = await state.consents.standing(principal.tenant, group.root)
    if not itself and not (await teaches(principal, group.root, state) and standing.allows(TEACH)):
        raise Forbidden("A learner sees the own claims alone, a teacher those of the own classes")
    _check(standing)
    if not standing.allows(PURPOSE):
        raise Forbidden("The purpose `profile` is stopped for this learner")
    found = await state.claims.of_learners(principal.tenant, group.everyone)
    await audit.seen(principal, "claims", group.root, ground=PURPOSE)
    return Claims(learner_id=UUID(group.root), items=known(found))


async def _export(principal: Principal, learner: str, state: State, audit: Audits) -> StreamingResponse:
    people = (await state.merges.group(principal.tenant, learner)).everyone
    theirs = any(principal.may_see(one, Role.dpo) for one in people)
    if not theirs and not principal.has(Role.app):
        raise Forbidden("A record is the learner's, a guardian's and the officer's")
    standing = await state.consents.standing(principal.tenant, people[0])
    if not theirs and not standing.allows(PORTABILITY):
        raise Forbidden(f"The purpose `{PORTABILITY}` is not allowed for this learner")
    _check(standing)
    _check_token(principal, state)
    profile = (await state.learners.load(principal.tenant, people[:1])).get(people[0])
    if profile is None:
        raise NotFound("Nothing is known of this learner")
    shown = profile if standing.allows(PURPOSE) else None
    parts = record(Wanted(principal.tenant, people, shown, state.clock()), state.placing, state.peers)
    try:
        first = await anext(parts)  # what fails at once, fails before the status is sent
    except PeerAway as away:
        raise NotReadyYet(f"{away.service} does not answer") from None
    entry = AuditEntry(principal.tenant, Who.of(principal), Action.exported, "records", people[:1], "GDPR 20")
    await audit.record(entry)
    headers = {"Content-Disposition": 'attachment; filename="learner-record.zip"', "Cache-Control": "no-store"}
    return StreamingResponse(_all(first, parts), media_type=ZIP, headers=headers)


def _check(standing: Standing) -> None:
    if standing.erased:
        raise NotFound("Nothing is known of this learner")
    if standing.restricted:
        raise Forbidden("This learner's data is restricted: it is kept, and nothing else is done with it (GDPR 18)")


def _check_token(principal: Principal, state: State) -> None:
    if not state.peers.serves(principal.tenant):
        raise NotReadyYet("TRELLIS_SERVICE_TOKEN is missing or of another tenant")


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part
