"""HTTP in: the pages, and signing in and out."""

from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from service_kit.audit import Audit, Audits
from service_kit.auth import Principal, Role
from service_kit.pages import Pages
from service_kit.problems import Problem, Unauthorized

from insights.pages import charts, sessions
from insights.reports import access, times
from insights.reports.reporting import scope_item, written
from insights.rosters.places import NATION
from insights.state import State, StateDep

router = APIRouter(include_in_schema=False)

AsOf = Annotated[str | None, Query()]


def _number(value: float | int) -> str:
    return f"{value:,}".replace(",", "\u202f")  # thin spaces, as in SI


_page: Final = Pages(
    Path(__file__).parent / "templates",
    filters={"number": _number, "query": quote},
    charts=charts,
    percent=charts.percent,
)


@router.get("/")
async def first(request: Request, state: StateDep, audit: Audits, as_of: AsOf = None) -> Response:
    """The nation; for a teacher, the own classes."""
    try:
        principal = await sessions.reader(request)
    except sessions.SignInNeeded as needed:
        return _to_sign_in(request, needed)
    if principal.has(Role.authority, Role.operator):
        return await _report(principal, NATION, state, audit, as_of)
    at = times.as_of(as_of, state.reporter.clock())
    classes = [scope_item(place, at) for place in await access.own_classes(principal, state.reporter)]
    return _page("classes.html", classes=classes, as_of=at, as_of_text=written(at))


@router.get("/pages/{scope}")
async def page(request: Request, scope: str, state: StateDep, audit: Audits, as_of: AsOf = None) -> Response:
    """A scope's report as a page."""
    try:
        principal = await sessions.reader(request)
    except sessions.SignInNeeded as needed:
        return _to_sign_in(request, needed)
    return await _report(principal, scope, state, audit, as_of)


async def _report(principal: Principal, scope: str, state: State, audit: Audit, as_of: str | None) -> Response:
    try:
        at = times.as_of(as_of, state.reporter.clock())
        teacher = await access.teaching(principal, scope, state.reporter)
        report = await state.reporter.report(principal.tenant, scope, at, teacher)
    except Problem as problem:
        return _page("problem.html", problem.status, problem=problem)
    await access.note(principal, report, audit)
    return _page(
        "report.html",
        report=report,
        chart=charts.bar_chart(report.children),
        gap_charts=[charts.gap_chart(gap) for gap in report.gaps],
        as_of_text=written(at),
        climbs=principal.has(Role.authority, Role.operator),
    )


def _to_sign_in(request: Request, needed: sessions.SignInNeeded) -> Response:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    response: Response
    if needed.because:
        response = _page("sign_in.html", 401, next=wanted, because=needed.because)
        sessions.forget(response)
    else:
        response = RedirectResponse(f"/sign-in?next={quote(wanted)}", 303, headers=_page.headers)
    return response


@router.get("/sign-in")
async def sign_in_form(next: str = "/") -> Response:  # noqa: A002 — the name in the address
    return _page("sign_in.html", next=sessions.local(next), because="")


@router.post("/sign-in")
async def sign_in(
    request: Request,
    token: Annotated[str, Form(max_length=8192)],
    next: Annotated[str, Form()] = "/",  # noqa: A002 — the name in the form
) -> Response:
    """Take a bearer token and keep it in a cookie."""
    try:
        await sessions.check(request, token.strip())
    except Problem as problem:
        status = Unauthorized.status if isinstance(problem, Unauthorized) else problem.status
        return _page("sign_in.html", status, next=sessions.local(next), because=problem.detail)
    response = RedirectResponse(sessions.local(next), 303, headers=_page.headers)
    sessions.remember(response, request, token.strip())
    return response


@router.post("/sign-out", dependencies=[Depends(sessions.reader)])
async def sign_out() -> Response:
    response = RedirectResponse("/sign-in", 303, headers=_page.headers)
    sessions.forget(response)
    return response
