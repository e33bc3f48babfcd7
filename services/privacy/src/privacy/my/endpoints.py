"""`GET /learners/{id}/privacy`, and the page `/my` that shows it and lets the learner act."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

from events.payloads import ConsentStatus
from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from service_kit.audit import Action, AuditEntry, Who
from service_kit.auth import Principal, Role, require
from service_kit.languages import in_language, told_in
from service_kit.pages import Pages
from service_kit.problems import BadRequest, Forbidden, NotFound, Problem, Unauthorized
from service_kit.sessions import Sessions, SignInNeeded, from_elsewhere, local

from privacy.access import endpoints as archives
from privacy.consents import endpoints as consents
from privacy.consents.schemas import DecisionBody
from privacy.my.languages import LANGUAGES, Language
from privacy.my.picture import picture
from privacy.my.schemas import Can, PrivacyOfLearner
from privacy.requests import endpoints as requests
from privacy.requests.access import role_towards
from privacy.requests.schemas import RequestBody
from privacy.state import Here, State

router = APIRouter(tags=["privacy"])
pages = APIRouter(prefix="/my", include_in_schema=False)

SESSIONS: Final = Sessions((Role.learner, Role.guardian), path="/my")
STATUSES: Final = {
    "grant": ConsentStatus.granted,
    "withdraw": ConsentStatus.withdrawn,
    "object": ConsentStatus.objected,
}
_pages: Final = Pages(Path(__file__).parent / "templates")
Page = Callable[..., Response]


Preferred = Annotated[Language, Depends(in_language(LANGUAGES))]


def _pages_in(language: Preferred) -> Page:
    """Makes pages in the reader's language."""

    def page(template: str, status: int = 200, **values: Any) -> Response:
        made = _pages(template, status, language=language, t=language.texts, **values)
        made.headers.update(told_in(language.code))
        return made

    return page


InLanguage = Annotated[Page, Depends(_pages_in)]
Caller = Annotated[Principal, Depends(require(Role.learner, Role.guardian, Role.app, Role.dpo))]
Learner = Annotated[Principal, Depends(require(Role.learner))]
Of = Annotated[UUID | None, Query(description="the child, where a guardian is signed in")]
OfForm = Annotated[UUID | None, Form()]


@router.get("/learners/me/privacy")
async def mine(principal: Learner, state: Here, language: Preferred) -> PrivacyOfLearner:
    """Of the learner who holds the token."""
    return await picture(principal.tenant, _own(principal), state, language)


@router.get("/learners/{learner_id}/privacy")
async def of_learner(learner_id: UUID, principal: Caller, state: Here, language: Preferred) -> PrivacyOfLearner:
    """What a learner's own page needs: what is held, why, since when, who saw it, what can be changed."""
    learner = str(learner_id)
    if not principal.has(Role.app) and await role_towards(principal, learner, state) is None:
        raise Forbidden("One sees the own privacy only, and that of a learner for whom one is guardian")
    return await _noted(principal, learner, state, language)


async def _noted(principal: Principal, learner: str, state: State, language: Language) -> PrivacyOfLearner:
    found = await picture(principal.tenant, learner, state, language)
    await state.audit.seen(principal, "privacy", learner)
    return found


@pages.get("")
async def page(
    request: Request, state: Here, language: Preferred, show: InLanguage, of: Of = None, done: str = ""
) -> Response:
    """A learner's own page; a guardian chooses among the children."""
    try:
        principal = await SESSIONS.reader(request)
    except SignInNeeded as needed:
        return _sign_in(needed, show)
    try:
        learner = await _subject(principal, of, state)
        if learner is None:
            return await _children(principal, state, show)
        found = await _noted(principal, learner, state, language)
    except Problem as problem:
        return show("problem.html", problem.status, problem=problem)
    of_child = None if learner == principal.learner_id else learner
    return show("my.html", mine=found, done=language.done.get(done, ""), of=of_child)


@pages.post("/purposes/{purpose}")
async def decide(
    purpose: str,
    request: Request,
    state: Here,
    show: InLanguage,
    act: Annotated[Can, Form()],
    notice: Annotated[str, Form(max_length=64)],
    of: OfForm = None,
) -> Response:
    """A decision on a purpose, made on the page, under the notice that the page showed."""

    async def change(principal: Principal, learner: UUID) -> None:
        if act == "take_back":
            await consents.take_back(learner, purpose, principal, state)
            return
        body = DecisionBody.model_validate({"status": STATUSES[act], "notice_version": notice, "page": "/my"})
        await consents.decide(learner, purpose, body, principal, state)

    return await _acted(request, state, show, of, change, act)


@pages.post("/requests")
async def ask(
    request: Request,
    state: Here,
    show: InLanguage,
    type: Annotated[str, Form(pattern="^(access|erasure)$")],  # noqa: A002 — the name in the form
    sure: Annotated[bool, Form()] = False,
    of: OfForm = None,
) -> Response:
    """Ask for a copy, or to be forgotten."""

    async def make(principal: Principal, learner: UUID) -> None:
        if type == "erasure" and not sure:
            raise BadRequest("Tick the box first: to be forgotten cannot be undone")
        body = RequestBody.model_validate({"type": type, "learner_id": learner})
        await requests.make(body, principal, state)

    return await _acted(request, state, show, of, make, type)


@pages.post("/requests/{request_id}/archive")
async def fetch(request_id: UUID, request: Request, state: Here, show: InLanguage) -> Response:
    """The copy, as a file."""
    try:
        principal = await _actor(request)
        link = await archives.link(request_id, principal, state)
        return await archives.archive(request_id, principal, state, link.url.partition("link=")[2])
    except SignInNeeded as needed:
        return _sign_in(needed, show)
    except Problem as problem:
        return show("problem.html", problem.status, problem=problem)


async def _acted(request: Request, state: State, show: Page, of: UUID | None, act: Any, done: str) -> Response:
    """Do it, and go back to the page, which says that it is done."""
    try:
        principal = await _actor(request)
        learner = await _subject(principal, of, state)
        if learner is None:
            raise NotFound("Choose for whom first")
        await act(principal, UUID(learner))
    except SignInNeeded as needed:
        return _sign_in(needed, show)
    except Problem as problem:
        return show("problem.html", problem.status, problem=problem)
    child = f"&of={of}" if of else ""
    return RedirectResponse(f"/my?done={done}{child}", 303, headers=_pages.headers)


async def _actor(request: Request) -> Principal:
    """Whoever is signed in and has sent the form from this page. Raises `SignInNeeded`, `Forbidden`."""
    principal = await SESSIONS.reader(request)
    if from_elsewhere(request):
        raise Forbidden("This form was not sent from this page")
    return principal


async def _subject(principal: Principal, of: UUID | None, state: State) -> str | None:
    """The learner whom the page is about; None where a guardian has not said for whom. Raises `Forbidden`."""
    if of is None:
        return _own(principal) if principal.has(Role.learner) else None
    if await role_towards(principal, str(of), state) is None:
        raise Forbidden("You may not act for this learner")
    return str(of)


async def _children(principal: Principal, state: State, show: Page) -> Response:
    now = state.clock()
    links = [one for one in await state.guardians.of_guardian(principal.tenant, principal.subject) if one.active(now)]
    if links:
        learners = tuple(sorted({link.learner for link in links}))
        await state.audit.noticed(AuditEntry(principal.tenant, Who.of(principal), Action.saw, "guardians", learners))
    return show("children.html", links=links)


def _own(principal: Principal) -> str:
    try:
        return str(UUID(principal.learner_id))
    except (TypeError, ValueError):
        raise Forbidden("The token names no learner") from None


@pages.get("/sign-in")
async def sign_in_form(show: InLanguage) -> Response:
    return show("sign_in.html", because="")


@pages.post("/sign-in")
async def sign_in(request: Request, show: InLanguage, token: Annotated[str, Form(max_length=8192)]) -> Response:
    """Take a bearer token and keep it in a cookie."""
    try:
        await SESSIONS.check(request, token.strip())
    except Problem as problem:
        status = Unauthorized.status if isinstance(problem, Unauthorized) else problem.status
        return show("sign_in.html", status, because=problem.detail)
    response = RedirectResponse(local("/my"), 303, headers=_pages.headers)
    SESSIONS.remember(response, request, token.strip())
    return response


@pages.post("/sign-out")
async def sign_out() -> Response:
    response = RedirectResponse("/my/sign-in", 303, headers=_pages.headers)
    SESSIONS.forget(response)
    return response


def _sign_in(needed: SignInNeeded, show: Page) -> Response:
    if not needed.because:
        return RedirectResponse("/my/sign-in", 303, headers=_pages.headers)
    response = show("sign_in.html", 401, because=needed.because)
    SESSIONS.forget(response)
    return response
