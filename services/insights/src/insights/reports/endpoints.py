"""HTTP in: reports."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from service_kit.audit import Audits
from service_kit.auth import Principal, Role, require
from service_kit.paging import Page

from insights.reports import access, times
from insights.reports.reporting import scope_item
from insights.reports.schemas import Report, ScopeItem
from insights.rosters.places import TOP
from insights.state import StateDep

router = APIRouter(prefix="/reports", tags=["reports"])
Reader = Annotated[Principal, Depends(require(*access.READERS))]
AsOf = Annotated[str | None, Query(description="RFC 3339: when forgetting and idleness are reckoned; default now")]


@router.get("")
async def entrances(principal: Reader, state: StateDep, as_of: AsOf = None) -> Page[ScopeItem]:
    """Where the caller may begin: the nation, or a teacher's own classes."""
    at = times.as_of(as_of, state.reporter.clock())
    everything = [TOP] if principal.has(Role.authority, Role.operator) else []
    places = [*everything, *await access.own_classes(principal, state.reporter)]
    return Page(items=[scope_item(place, at) for place in places])


@router.get("/{scope}")
async def report(scope: str, principal: Reader, state: StateDep, audit: Audits, as_of: AsOf = None) -> Report:
    """The figures of a scope and of its parts. `nation` is the top; the links of `children` lead down.

    Groups of under 10 learners are suppressed, and with them the next smallest ones.
    """
    at = times.as_of(as_of, state.reporter.clock())
    teacher = await access.teaching(principal, scope, state.reporter)
    found = await state.reporter.report(principal.tenant, scope, at, teacher)
    await access.note(principal, found, audit)
    return found
