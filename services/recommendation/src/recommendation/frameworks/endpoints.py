"""HTTP in: frameworks of competencies."""

import asyncio
from typing import Annotated

from events.payloads import CatalogCompetency
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import ValidationError
from service_kit.auth import Principal, Role, require
from service_kit.paging import Page, encode_cursor
from service_kit.problems import BadRequest, NotFound, TooLarge

from recommendation.catalog.endpoints import iri_of
from recommendation.catalog.lines import pointer
from recommendation.frameworks.case import Framework, circle, framework_of, twice
from recommendation.frameworks.schemas import FrameworkResult, Package, ThresholdBody
from recommendation.state import State, StateDep

router = APIRouter(prefix="/catalog", tags=["frameworks"])

CompetencyId = Annotated[str, Path(max_length=2048, description="IRI of the competency, percent-encoded")]
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
    """Add a framework, or replace the one of the same document: what it no longer has, and no other, goes.

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


@router.put("/competencies/{competency_id:path}/threshold")
async def set_threshold(
    principal: Annotated[Principal, Depends(require(Role.operator, Role.app))],
    competency_id: CompetencyId,
    body: ThresholdBody,
    state: StateDep,
) -> CatalogCompetency:
    """From which probability of a right response on a competency counts as mastered; of a framework, under its own
    IRI: all its competencies without a threshold of their own. An import of the framework keeps it.

    `competency_id` is percent-encoded. Mastery is reckoned by it from then on, also of what was learnt before.
    """
    return await _set(state, principal.tenant, competency_id, body.mastery_threshold)


@router.delete("/competencies/{competency_id:path}/threshold")
async def unset_threshold(
    principal: Annotated[Principal, Depends(require(Role.operator, Role.app))],
    competency_id: CompetencyId,
    state: StateDep,
) -> CatalogCompetency:
    """Take back the threshold of its own: the framework's holds, else 0.8."""
    return await _set(state, principal.tenant, competency_id, None)


async def _set(state: State, tenant: str, competency: str, threshold: float | None) -> CatalogCompetency:
    found = await state.frameworks.set_threshold(tenant, competency, threshold)
    if found is None:
        raise NotFound("No framework has this competency")
    return found


def _read(body: bytes, most: int) -> Framework:
    try:
        package = Package.model_validate_json(body)
    except ValidationError as error:
        told = error.errors(include_input=False, include_url=False)[:_ERRORS_SHOWN]
        errors = [{"pointer": pointer(one["loc"]), "detail": one["msg"]} for one in told]
        raise BadRequest("Nothing was stored: this is not a CASE package", errors=errors) from None
    if len(package.items) > most:
        raise TooLarge(f"The framework has more than {most} items")
    if found := twice(package):
        raise BadRequest("Nothing was stored: items are not told apart", errors=found[:_ERRORS_SHOWN])
    if found := circle(package):
        raise BadRequest("Nothing was stored: items come before themselves", errors=found)
    return framework_of(package)
