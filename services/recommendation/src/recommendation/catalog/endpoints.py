"""HTTP in: the catalog."""

import asyncio
from typing import Annotated

from events.payloads import CatalogActivity
from fastapi import APIRouter, Depends, Query, Request
from service_kit.auth import Principal, Role, require
from service_kit.paging import Page, decode_cursor, encode_cursor
from service_kit.problems import BadRequest, TooLarge

from recommendation.catalog.lines import numbered, parse
from recommendation.catalog.schemas import ImportedActivity, ImportResult
from recommendation.state import StateDep

router = APIRouter(prefix="/catalog", tags=["catalog"])

_BODY = {
    "requestBody": {
        "required": True,
        "description": "JSON Lines: one activity a line",
        "content": {"application/x-ndjson": {"schema": ImportedActivity.model_json_schema()}},
    }
}


@router.post("/import", openapi_extra=_BODY)
async def import_catalog(
    request: Request,
    principal: Annotated[Principal, Depends(require(Role.operator, Role.app))],
    state: StateDep,
) -> ImportResult:
    """Add activities, or replace those of the same `id`. Where one line is wrong, nothing is stored."""
    lines = list(numbered(await request.body()))
    if len(lines) > state.settings.line_limit:
        raise TooLarge(f"The catalog has more than {state.settings.line_limit} lines")
    parsed = await asyncio.to_thread(parse, lines)
    if parsed.errors:
        where = ", ".join(str(line) for line in sorted({error["line"] for error in parsed.errors})[:5])
        raise BadRequest(f"Nothing was stored: wrong lines, such as {where}", errors=parsed.errors)
    if not parsed.activities:
        raise BadRequest("The body holds no lines")
    changed = await state.catalog.put(principal.tenant, parsed.activities)
    imported = len(parsed.activities)
    return ImportResult(imported=imported, changed=changed, unchanged=imported - changed)


@router.get("/activities")
async def activities(
    principal: Annotated[Principal, Depends(require())],
    state: StateDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Page[CatalogActivity]:
    """The catalog, by IRI."""
    found = await state.catalog.page(principal.tenant, iri_of(cursor), limit + 1)
    items = found[:limit]
    return Page(items=items, next=encode_cursor([items[-1].id]) if len(found) > limit else None)


def iri_of(cursor: str | None) -> str | None:
    """The IRI after which a page begins. Raises `BadRequest`."""
    after = decode_cursor(cursor, 1)
    if after is not None and not isinstance(after[0], str):
        raise BadRequest(
            "`cursor` is not one that this list has given", errors=[{"parameter": "cursor", "in": "query"}]
        )
    return after[0] if after else None
