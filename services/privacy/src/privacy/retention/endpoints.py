"""`/retention-rules`, `/retention-runs`, `/course-ends`: how long what is kept."""

import asyncio
import re
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response
from service_kit.audit import Who
from service_kit.auth import Principal, Role, require
from service_kit.paging import Page, decode_cursor, encode_cursor
from service_kit.problems import NotFound

from privacy.certificates.endpoints import Certificate
from privacy.retention.reporting import notice_id
from privacy.retention.ruling import change_rule, end_rule, found_rule, make_rule
from privacy.retention.running import begin, cancel, found_run, standing_of
from privacy.retention.runs import Run, RunStatus
from privacy.retention.schemas import (
    CourseEnd,
    CourseEnds,
    Notices,
    NoticeView,
    RecipientView,
    RuleBody,
    RuleView,
    RunBody,
    RunView,
)
from privacy.state import Here, State

router = APIRouter(tags=["retention"])

Officer = Annotated[Principal, Depends(require(Role.dpo))]
Reader = Annotated[Principal, Depends(require(Role.dpo, Role.operator))]
School = Annotated[Principal, Depends(require(Role.dpo, Role.app))]
Limit = Annotated[int, Query(ge=1, le=500)]
Prefer = Annotated[str | None, Header(max_length=200, description="`wait=N`: seconds, at most 60 (RFC 7240 4.3)")]
LONGEST_WAIT: Final = 60
WAIT: Final = 10
LOOK_SECONDS: Final = 0.2


@router.post("/retention-rules", status_code=201)
async def make(body: RuleBody, principal: Officer, state: Here) -> RuleView:
    """Write a rule. It takes nothing before it is `active`, or told to run: preview it first."""
    return RuleView.of(*await make_rule(principal.tenant, body, Who.of(principal), state))


@router.get("/retention-rules")
async def rules(principal: Reader, state: Here, limit: Limit = 50, cursor: str | None = None) -> Page[RuleView]:
    """The tenant's rules, in the order of their making."""
    key = decode_cursor(cursor, 1)
    found = await state.rules.page(principal.tenant, str(key[0]) if key else None, limit + 1)
    more = encode_cursor([found[limit - 1][0].id]) if len(found) > limit else None
    return Page(items=[RuleView.of(*one) for one in found[:limit]], next=more)


@router.get("/retention-rules/{rule_id}")
async def rule(rule_id: UUID, principal: Reader, state: Here) -> RuleView:
    """A rule as it holds."""
    return RuleView.of(*await found_rule(principal.tenant, str(rule_id), state))


@router.put("/retention-rules/{rule_id}")
async def change(
    rule_id: UUID,
    body: RuleBody,
    principal: Officer,
    state: Here,
    version: Annotated[int | None, Query(ge=1, description="the one that was read; 409 where another holds")] = None,
) -> RuleView:
    """Change the whole rule. A run that is under way goes on as it was begun."""
    return RuleView.of(*await change_rule(principal.tenant, str(rule_id), body, version, Who.of(principal), state))


@router.delete("/retention-rules/{rule_id}", status_code=204)
async def end(rule_id: UUID, principal: Officer, state: Here) -> Response:
    """End a rule: it runs no more. Its versions and its runs stay, as the record of what went and why."""
    await end_rule(principal.tenant, str(rule_id), Who.of(principal), state)
    return Response(status_code=204)


@router.post("/retention-rules/{rule_id}/preview", responses={202: {"model": RunView}})
async def preview(
    rule_id: UUID,
    principal: Reader,
    state: Here,
    response: Response,
    body: RunBody | None = None,
    prefer: Prefer = None,
) -> RunView:
    """Count what a run would take, in every service, and touch nothing.

    200 with the counts if they are there within ten seconds, or as long as `Prefer: wait=N` says; else 202, and they
    come at `/retention-runs/{id}`.
    """
    found, _ = await found_rule(principal.tenant, str(rule_id), state)
    as_of = body.as_of if body else None
    run = await begin(principal.tenant, found, state, preview=True, by=_role(principal), as_of=as_of)
    run = await _waited(run, _seconds(prefer), state)
    response.status_code = 202 if run.status is RunStatus.running else 200
    return await _view(run, state)


@router.post("/retention-rules/{rule_id}/runs", status_code=202)
async def start(rule_id: UUID, principal: Officer, state: Here, body: RunBody | None = None) -> RunView:
    """Run the rule now; while it runs, that run."""
    found, _ = await found_rule(principal.tenant, str(rule_id), state)
    as_of = body.as_of if body else None
    run = await begin(principal.tenant, found, state, preview=False, by=_role(principal), as_of=as_of)
    return await _view(run, state)


@router.get("/retention-runs")
async def runs(
    principal: Reader, state: Here, limit: Limit = 50, cursor: str | None = None, rule: UUID | None = None
) -> Page[RunView]:
    """Runs and previews, the newest first."""
    key = decode_cursor(cursor, 1)
    wanted = str(rule) if rule else None
    found = await state.runs.page(principal.tenant, wanted, str(key[0]) if key else None, limit + 1)
    more = encode_cursor([found[limit - 1].id]) if len(found) > limit else None
    return Page(items=[await _view(run, state) for run in found[:limit]], next=more)


@router.get("/retention-runs/{run_id}")
async def run(run_id: UUID, principal: Reader, state: Here) -> RunView:
    """A run and its report: what went and why, what was left and why."""
    return await _view(await found_run(principal.tenant, str(run_id), state), state)


@router.get("/retention-runs/{run_id}/report")
async def signed_report(run_id: UUID, principal: Reader, state: Here) -> Certificate:
    """The signed report of a run that has ended; `/certificates/keys` gives the key. 404 until it is signed."""
    run = await found_run(principal.tenant, str(run_id), state)
    return await _issued(principal.tenant, run.id, state)


@router.get("/retention-runs/{run_id}/notices")
async def notices(run_id: UUID, principal: Reader, state: Here) -> Notices:
    """For each recipient outside who has statements that went, a signed notice to hand on. 404 until it is signed."""
    run = await found_run(principal.tenant, str(run_id), state)
    await _issued(principal.tenant, run.id, state)
    found = [(one, await _issued(principal.tenant, notice_id(run, one), state)) for one in run.recipients]
    return Notices(items=[NoticeView(**RecipientView.of(one).model_dump(), notice=by.certificate) for one, by in found])


@router.post("/retention-runs/{run_id}/cancel")
async def stop(run_id: UUID, principal: Reader, state: Here) -> RunView:
    """Begin no further portion. What is gone is gone."""
    return await _view(await cancel(principal.tenant, str(run_id), state), state)


@router.get("/course-ends")
async def course_ends(
    principal: Annotated[Principal, Depends(require(Role.dpo, Role.operator, Role.app))], state: Here
) -> CourseEnds:
    """When the tenant's courses ended."""
    found = await state.course_ends.of(principal.tenant)
    return CourseEnds(items=[CourseEnd(activity=one, ended_on=end) for one, end in found.items()])


@router.put("/course-ends")
async def put_course_ends(body: CourseEnds, principal: School, state: Here) -> CourseEnds:
    """Set the whole list; rules with `after_course_end` count from it."""
    await state.course_ends.put(principal.tenant, {one.activity: one.ended_on for one in body.items})
    return body


async def _issued(tenant: str, document: str, state: State) -> Certificate:
    issued = await state.certificates.find(tenant, document)
    if issued is None:
        raise NotFound("Nothing is signed of this run yet")
    return Certificate.of(issued)


async def _view(run: Run, state: State) -> RunView:
    return RunView.of(run, *await standing_of(run, state))


async def _waited(run: Run, seconds: float, state: State) -> Run:
    """The run as it is when it has ended, or so many seconds later."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while run.status is RunStatus.running and loop.time() < until:
        await asyncio.sleep(LOOK_SECONDS)
        run = await found_run(run.tenant, run.id, state)
    return run


def _seconds(prefer: str | None) -> float:
    found = re.search(r"(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])", prefer or "")
    return min(int(found.group(1)), LONGEST_WAIT) if found else WAIT


def _role(principal: Principal) -> str:
    return (Role.dpo if principal.has(Role.dpo) else Role.operator).value
