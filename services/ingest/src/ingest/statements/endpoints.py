"""`/xapi/statements` (1.0.3 Communication 2.1; 2.0 4.1.6.1).

Documents (`/xapi/activities/state` and its like) and attachments have their places beside this.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Request, Response
from service_kit import metrics
from service_kit.audit import Action, Audit, AuditEntry, audit_of
from service_kit.problems import BadRequest, NotFound, TooLarge
from xapi import Parsed, QueryInvalid, StatementQuery, Version

from ingest.activities.rendering import rendered
from ingest.attachments.answering import Statements
from ingest.attachments.receiving import Received
from ingest.credentials.credential import Credential, who
from ingest.credentials.schemas import Scope
from ingest.credentials.verification import scoped
from ingest.http import caching
from ingest.http.routing import DirectRoute
from ingest.state import State, state_of
from ingest.statements import bodies, listing, openapi, reading, stamps
from ingest.statements.indexing import key_of
from ingest.statements.listing import Lister
from ingest.statements.recording import Recorded
from ingest.statements.refusals import invalid_query, wrong_parameter
from ingest.statements.repository import Place
from ingest.versioning import CONSISTENT_THROUGH, version_of

NOT_RECORDED: Final = "Trellis-Not-Recorded"
JSON: Final = "application/json"

router = APIRouter(prefix="/xapi", tags=["xapi"], route_class=DirectRoute)
Writer = Annotated[Credential, Depends(scoped(Scope.statements_write))]
Reader = Annotated[Credential, Depends(scoped(Scope.statements_read, Scope.statements_read_mine, Scope.all_read))]
_refused = metrics.counter(metrics.STATEMENTS_REFUSED)


@router.post("/statements", openapi_extra=openapi.POST)
async def post_statements(request: Request, credential: Writer) -> Response:
    """Store a statement or a batch, wholly or not at all; the answer lists the ids in order."""
    version = version_of(request)
    _known_parameters(request, ())
    if (posting := state_of(request).emitters.posting).is_for(request, credential):
        return await posting.post(request, credential, version, state_of(request).xapi.statements_limit)
    async with _received(request, version) as body:
        _refuse_too_many(body.batch, state_of(request).xapi.statements_limit)
        recorded = await state_of(request).recorder.record(
            credential, version, body.batch, is_array=body.is_array, attachments=body.attachments
        )
    return Response(orjson.dumps(recorded.ids), 200, _not_recorded(recorded), JSON)


@router.put("/statements", status_code=204, openapi_extra=openapi.PUT)
async def put_statement(request: Request, credential: Writer) -> Response:
    """Store one statement under the id given as `statementId`."""
    version = version_of(request)
    _known_parameters(request, ("statementId",))
    wanted = _statement_id(request, version)
    if (posting := state_of(request).emitters.posting).is_for(request, credential):
        return await posting.put(request, credential, version, wanted)
    async with _received(request, version) as body:
        parsed = _one_of(body.batch, body.is_array, wanted)
        recorded = await state_of(request).recorder.record(
            credential, version, [parsed], is_array=False, attachments=body.attachments
        )
    return Response(status_code=204, headers=_not_recorded(recorded))


@router.get("/statements", openapi_extra=openapi.GET)
@router.head("/statements", include_in_schema=False)
async def get_statements(request: Request, credential: Reader) -> Response:
    """One statement by its id, or a list by filters, newest first; `more` leads on to the next page."""
    version, state = version_of(request), state_of(request)
    params, place = reading.pages(request.query_params.multi_items())
    query = _query(params, version)
    through = await listing.consistent_through(query, state.stamps)
    headers = caching.headers(query.format) | {CONSISTENT_THROUGH: stamps.rendered(through)}
    if query.is_single:
        content, found = await _single(request, state, credential, query)
        headers |= caching.validators(content, found[0][0]["stored"])
        if caching.is_known(request, headers):
            return Response(status_code=304, headers=headers)
    else:
        content, found = await _list(request, state, credential, (params, query, place), through)
    await _noticed(audit_of(request), state, credential, query)
    if query.attachments:
        return await state.answerer.answer(request, content, found, headers)
    return Response(content, 200, headers, JSON)


async def _noticed(audit: Audit, state: State, credential: Credential, query: StatementQuery) -> None:
    """Of one credential's reading an entry a minute, and one for each learner it asks for by name: its scopes say what
    it may see, and to open every statement's learners would cost more than the reading.
    """
    if listing.only_mine(credential) is not None or credential.limits is not None:
        return
    learners: tuple[str, ...] = ()
    if query.agent_ifi is not None:
        identity = await state.identities.look_up(credential.tenant, query.agent_ifi, cached=True)
        learners = (identity.learner,) if identity else ()
    await audit.noticed(AuditEntry(credential.tenant, who(credential), Action.saw, "statements", learners, "record"))


async def _single(
    request: Request, state: State, credential: Credential, query: StatementQuery
) -> tuple[bytes, Statements]:
    """The answer, and the statement in it."""
    tenant, mine = credential.tenant, listing.only_mine(credential)
    wanted = str(query.statement_id or query.voided_statement_id)
    voided = query.voided_statement_id is not None
    found = await state.statements.one(key_of(tenant, wanted), voided=voided, authority=mine)
    if found is not None and not (await state.restricted.of(tenant)).isdisjoint(found["learners"]):
        found = None
    opened = await state.statements.readable([found] if found is not None else [])
    if not opened:
        raise NotFound("There is no such statement" + (" that is voided" if voided else ", or it is voided"))
    language = request.headers.get("Accept-Language")
    (content,) = await rendered(state.activities, tenant, [opened[0][1]], query.format, language)
    return content, opened


async def _list(
    request: Request,
    state: State,
    credential: Credential,
    walk: tuple[reading.Pairs, StatementQuery, Place | None],
    through: int,
) -> tuple[bytes, Statements]:
    """The answer, and the statements in it."""
    params, query, place = walk
    size = reading.page_size(query)
    lister = Lister(state.statements, state.identities, state.restricted, state.merging)
    found = await lister.page(credential, query, through, after=place, limit=size + 1)
    page = found[:size]
    more = ""
    if len(found) > size:
        cursor = reading.Cursor(params, reading.place_of(page[-1])).encode()
        more = f"{request.scope.get('root_path', '')}{router.prefix}/statements?{reading.MORE}={cursor}"
    language = request.headers.get("Accept-Language")
    opened = await state.statements.readable(page)
    bodies = [data for _, data in opened]
    statements = await rendered(state.activities, credential.tenant, bodies, query.format, language)
    return reading.result(statements, more), opened


@asynccontextmanager
async def _received(request: Request, version: Version) -> AsyncIterator[Received]:
    try:
        async with bodies.received(request, version) as body:
            yield body
    except BadRequest:
        _refused.add(1)
        raise


def _known_parameters(request: Request, known: Iterable[str]) -> None:
    for name, _ in request.query_params.multi_items():
        if name not in known:
            raise wrong_parameter(name, "is not a parameter of this request")


def _refuse_too_many(batch: list[Parsed], limit: int) -> None:
    if len(batch) > limit:
        _refused.add(1)
        raise TooLarge(f"{len(batch)} statements in one request, which takes at most {limit}: send them in parts")


def _query(params: reading.Pairs, version: Version) -> StatementQuery:
    try:
        query = StatementQuery.parse(params, version)
    except QueryInvalid as error:
        raise invalid_query(error) from None
    return query


def _statement_id(request: Request, version: Version) -> str:
    given = [pair for pair in request.query_params.multi_items() if pair[0] == "statementId"]
    if not given:
        raise wrong_parameter("statementId", "is required, and missing")
    return str(_query(given, version).statement_id)


def _one_of(batch: list[Parsed], is_array: bool, wanted: str) -> Parsed:
    """The one statement of a PUT, with the id of its parameter (1.0.3 Communication 2.1.1)."""
    if is_array:
        raise _wrong_body("", "expected one statement, found an array")
    (parsed,) = batch
    if parsed.id is not None and parsed.id != wanted:
        raise _wrong_body("/id", "expected the id that the parameter statementId names, found another")
    return parsed if parsed.id else Parsed({**parsed.raw, "id": wanted})


def _wrong_body(pointer: str, detail: str) -> BadRequest:
    return BadRequest(
        f"Wrong input at {pointer or 'the body'}: {detail}", errors=[{"pointer": pointer, "detail": detail}]
    )


def _not_recorded(recorded: Recorded) -> dict[str, Any]:
    return {NOT_RECORDED: str(recorded.not_recorded)} if recorded.not_recorded else {}
