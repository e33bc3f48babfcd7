"""HTTP in: frameworks of competencies."""

import asyncio
from typing import Annotated

from events.payloads import CatalogCompetency
from fastapi import APIRouter, Depends, Query, Request
from pydantic import ValidationError
from service_kit.auth import Principal, Role, require
from service_kit.paging import Page, encode_cursor
from service_kit.problems import BadRequest, TooLarge

from recommendation.catalog.endpoints import iri_of
from recommendation.catalog.lines import pointer
from recommendation.frameworks.case import Framework, framework_of
from recommendation.frameworks.schemas import FrameworkResult, Package
from recommendation.state import StateDep

router = APIRouter(prefix="/catalog", tags=["frameworks"])

_ERRORS_SHOWN = 100
_BODY = {
    "requestBody": {
        "required": True,
        "description": "a CASE package (1EdTech CASE 1.0 or 1.1)",
        "content": {"application/json": {"schema": {"type": "object", "title": "CFPackage"}}},
    }
}


@router.post("/frameworks/import", openapi_extra=_BODY)
async def import_framework(
    request: Request,
    principal: Annotated[Principal, Depends(require(Role.operator, Role.app))],
    state: StateDep,
) -> FrameworkResult:
    """Add a framework, or replace the one of the same document: what it no longer has is removed.

    Where the package is wrong, nothing is stored. A competency's id is the `uri` of its item.
    """
    found = await asyncio.to_thread(_read, await request.body(), state.settings.line_limit)
    changed, removed = await state.frameworks.put(principal.tenant, found.id, found.competencies)
    return FrameworkResult(
        framework=found.id,
        title=found.title,
        competencies=len(found.competencies),
        changed=changed,
        unchanged=len(found.competencies) - changed,
        removed=removed,
        passed_over=found.passed_over,
    )


@router.get("/competencies")
async def competencies(
    principal: Annotated[Principal, Depends(require())],
    state: StateDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Page[CatalogCompetency]:
    """The competencies of all frameworks, by IRI, each with its parents."""
    found = await state.frameworks.page(principal.tenant, iri_of(cursor), limit + 1)
    items = found[:limit]
    return Page(items=items, next=encode_cursor([items[-1].id]) if len(found) > limit else None)


def _read(body: bytes, most: int) -> Framework:
    try:
        package = Package.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)[:_ERRORS_SHOWN]
        errors = [{"pointer": pointer(one["loc"]), "detail": one["msg"]} for one in found]
        raise BadRequest("Nothing was stored: this is not a CASE package", errors=errors) from None
    if len(package.items) > most:
        raise TooLarge(f"The framework has more than {most} items")
    return framework_of(package)
