"""`GET /exports/statements`: everything, or what the filters of GET /statements leave, streamed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from service_kit.audit import Action, AuditEntry, Audits, Who
from service_kit.auth import Principal, Role, require
from xapi import StatementQuery, Version, negotiate
from xapi.errors import VersionUnsupported
from xapi.versions import HEADER

from ingest.credentials.credential import who
from ingest.credentials.schemas import Scope
from ingest.credentials.verification import scoped
from ingest.disclosures.repository import Recipient
from ingest.exports.giving import Giving
from ingest.exports.reading import Walk, Wanted
from ingest.state import State, state_of
from ingest.statements import reading
from ingest.statements.refusals import wrong_header

NDJSON: Final = "application/x-ndjson"
_reader: Final = scoped(Scope.all_read)
router = APIRouter(prefix="/exports", tags=["exports"])


@dataclass(frozen=True, slots=True)
class Exporter:
    tenant: str
    who: Who


async def exporting(request: Request) -> Exporter:
    """Whoever may read everything: an operator, a dpo, or an xAPI credential with `all/read`."""
    header = request.headers.get("Authorization", "")
    if header.partition(" ")[0].lower() != "basic":
        principal: Principal = await require(Role.operator, Role.dpo)(request, None)
        return Exporter(principal.tenant, Who.of(principal))
    credential = await _reader(request)
    return Exporter(credential.tenant, who(credential))


By = Annotated[Exporter, Depends(exporting)]
_TEXT: Final = {"type": "string"}
_PARAMETERS: Final[dict[str, Any]] = {
    "security": [{"bearer": []}, {"xapi_basic": []}],
    "parameters": [
        {"name": name, "in": "query", "required": False, "schema": _TEXT}
        for name in ("agent", "verb", "activity", "registration", "related_agents", "related_activities")
    ]
    + [
        {"name": name, "in": "query", "required": False, "schema": {**_TEXT, "format": "date-time"}}
        for name in ("since", "until")
    ]
    + [
        {
            "name": "cursor",
            "in": "query",
            "required": False,
            "description": "`<stored>/<id>` of the last line received (one without `voided`): go on behind it",
            "schema": _TEXT,
        },
        {
            "name": "purpose",
            "in": "query",
            "required": False,
            "description": "What it is for: statements of learners who do not allow it are left out; default `record`",
            "schema": _TEXT,
        },
        {
            "name": "recipient",
            "in": "query",
            "required": False,
            "description": "Who receives it, as the record of disclosures names them",
            "schema": _TEXT,
        },
    ],
    "responses": {"200": {"description": "One statement a line", "content": {NDJSON: {"schema": _TEXT}}}},
}


@router.get("/statements", openapi_extra=_PARAMETERS, response_class=StreamingResponse)
async def export_statements(request: Request, by: By, audit: Audits) -> StreamingResponse:
    """Statements in the order of (`stored`, `id`), up to where the store is consistent.

    Each line is `{"statement": …, "stored": …, "provenance": {"stored", "authority"}}`; a voided statement comes
    with `"voided": true` before the one that voids it. The last line is `{"summary": {"lines", "through"}}`:
    without it the stream broke, and goes on with `cursor`.
    """
    state = state_of(request)
    wanted = Wanted.parse(request.query_params.multi_items(), _version(request))
    walk = await _walk(state, by, wanted.query, wanted)
    await audit.record(await _entry(state, by, wanted.query, wanted.purpose))
    first = b"" if walk is None else await walk.next()  # what fails, fails before the status is sent
    return StreamingResponse(_stream(first, walk), media_type=NDJSON)


async def _entry(state: State, by: Exporter, query: StatementQuery, purpose: str) -> AuditEntry:
    """About the learner whom the filter names; else about all."""
    found = await state.identities.look_up(by.tenant, query.agent_ifi) if query.agent_ifi else None
    learners = ((await state.merging.view.group(by.tenant, found.learner)).root,) if found else ()
    return AuditEntry(by.tenant, by.who, Action.exported, "statements", learners, purpose)


async def _walk(state: State, by: Exporter, query: StatementQuery, wanted: Wanted) -> Walk | None:
    agents: list[str] = []
    if query.agent_ifi is not None:
        identity = await state.identities.look_up(by.tenant, query.agent_ifi)
        if identity is None:
            return None
        agents = await state.merging.agents(by.tenant, identity)
    selection = reading.selection(query, agents, await state.stamps.confirmed())
    name = wanted.recipient or f"an export by {'/'.join(by.who.roles)}"
    recipient = Recipient(f"export {name} {wanted.purpose}", "export", name, wanted.purpose)
    giving = Giving(by.tenant, recipient, state.consents, state.disclosures, state.clock)
    return Walk(state.statements, by.tenant, selection, wanted.after, giving)


async def _stream(first: bytes, walk: Walk | None) -> AsyncIterator[bytes]:
    if first:
        yield first
    if walk is None:
        yield b'{"summary":{"lines":0,"through":null}}\n'
        return
    async for chunk in walk.chunks():
        yield chunk


def _version(request: Request) -> Version:
    try:
        return negotiate(request.headers.get(HEADER, Version.V1_0_3))
    except VersionUnsupported as error:
        raise wrong_header(HEADER, str(error)) from None
