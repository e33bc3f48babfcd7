"""`/imports`: statements with their provenance, and how far each import is. For operators."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from service_kit.audit import Action, AuditEntry, Audits, Who
from service_kit.auth import Principal, Role, require
from service_kit.mongo import Document
from service_kit.paging import Page, decode_cursor, encode_cursor
from service_kit.problems import BadRequest, NotFound

from ingest.imports import taking
from ingest.imports.receiving import received
from ingest.imports.repository import id_of
from ingest.imports.schemas import ImportId, ImportView, Progress, Taken
from ingest.state import state_of

MOST_LINES: Final = 1000
NDJSON: Final = "application/x-ndjson"
router = APIRouter(prefix="/imports", tags=["imports"])
Operator = Annotated[Principal, Depends(require(Role.operator))]
_LINES: Final = {"type": "string", "description": f"Up to {MOST_LINES} statements, one a line"}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {NDJSON: {"schema": _LINES}},
    }
}


@router.post("/statements", openapi_extra=_BODY)
async def take_statements(request: Request, operator: Operator, audit: Audits) -> Taken:
    """Store statements of another LRS, one a line, or lines of an export.

    What a statement carries as `stored` and `authority` is kept as its provenance; it is served with our own.
    Lines that are not valid, or contradict what is stored, are answered as rejected; all others are stored.
    In a `multipart/mixed` body the lines come first, then the data of attachments, each part with its
    `X-Experience-API-Hash`.
    """
    state = state_of(request)
    await audit.noticed(AuditEntry(operator.tenant, Who.of(operator), Action.changed, "statements", ground="import"))
    async with received(request, state.attachments) as found:
        if found.lines.count(b"\n") > MOST_LINES:
            raise BadRequest(f"More than {MOST_LINES} lines", errors=[{"pointer": "", "detail": "too many lines"}])
        return await taking.take(found, operator.tenant, recorder=state.recorder)


@router.get("")
async def list_imports(
    request: Request,
    operator: Operator,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Page[ImportView]:
    """The tenant's imports and how far they are."""
    after = decode_cursor(cursor, 1)
    found = await state_of(request).imports.page(operator.tenant, str(after[0]) if after else None, limit + 1)
    items = [_view(document) for document in found[:limit]]
    return Page(items=items, next=encode_cursor([items[-1].id]) if len(found) > limit else None)


@router.get("/{import_id}")
async def get_import(import_id: ImportId, request: Request, operator: Operator) -> ImportView:
    """How far an import is."""
    found = await state_of(request).imports.one(operator.tenant, import_id)
    if found is None:
        raise NotFound("There is no such import")
    return _view(found)


@router.put("/{import_id}")
async def keep_progress(import_id: ImportId, body: Progress, request: Request, operator: Operator) -> ImportView:
    """Keep how far an import is, after what it sent was answered."""
    state = state_of(request)
    return _view(await state.imports.put(operator.tenant, import_id, body.model_dump(), state.clock()))


@router.delete("/{import_id}", status_code=204)
async def forget_import(import_id: ImportId, request: Request, operator: Operator) -> Response:
    """Forget how far an import is; its statements stay."""
    if not await state_of(request).imports.remove(operator.tenant, import_id):
        raise NotFound("There is no such import")
    return Response(status_code=204)


def _view(document: Document) -> ImportView:
    return ImportView(id=id_of(document), **{name: document[name] for name in _FIELDS})


_FIELDS: Final = (*Progress.model_fields, "updated_at")
