"""`/identities`: the learner behind an agent. They always read the database: no cache stands between."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from service_kit.audit import Action, AuditEntry, Audits, Who
from service_kit.auth import Principal, Role, require
from service_kit.problems import BadRequest, Conflict, NotFound
from xapi import Problem, QueryInvalid, StatementInvalid, canonical_ifi, parse_agent
from xapi.parsing import loads

from ingest.identities.returning import REFUSED
from ingest.identities.schemas import LearnerOfAgent, LearnersOfAgents
from ingest.state import state_of
from ingest.statements.openapi import AGENT
from ingest.statements.refusals import invalid, invalid_query

MOSTAGENTS: Final = 1000
router = APIRouter(prefix="/identities", tags=["identities"])
_ASKING: Final = ("learner_profile", "recommendation", "privacy", "insights")
_ROLES: Final = (Role.operator, Role.app, Role.service)
Asking = Annotated[Principal, Depends(require(*_ROLES, services=_ASKING))]  # whose token is this?
Making = Annotated[Principal, Depends(require(*_ROLES, services=("insights",)))]  # rosters
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [AGENT, {"type": "array", "items": AGENT, "maxItems": MOSTAGENTS}]}
            }
        },
    }
}


@router.post(
    "",
    openapi_extra=_BODY,
    responses={201: {"model": LearnerOfAgent, "description": "A new learner"}},
    response_model_exclude_unset=True,
)
async def find_or_make(
    request: Request, response: Response, caller: Making, audit: Audits
) -> LearnerOfAgent | LearnersOfAgents:
    """Find or make the learner of an agent (201 where it is new), or of each of up to 1000 agents (always 200)."""
    try:
        body = loads(await request.body())
        ifis = _identifiers(body)
    except StatementInvalid as error:
        raise invalid(error) from None
    state = state_of(request)
    resolved, new = await state.identities.resolve(caller.tenant, set(ifis), subjects=set(ifis), fresh=True)
    groups = await state.merging.view.groups(caller.tenant, {one.learner for one in resolved.values()})
    items = [_of(resolved[ifi].learner, groups[resolved[ifi].learner].root) for ifi in ifis]
    roots = dict.fromkeys(groups[resolved[ifi].learner].root for ifi in ifis)
    await audit.noticed(_looked_up(caller, *roots))
    if isinstance(body, list):
        return LearnersOfAgents(items=items)
    if items[0].learner_id is None:
        raise Conflict("This learner was erased, and the policy refuses who comes back")
    response.status_code = 201 if new else 200
    return items[0]


@router.get("", response_model_exclude_unset=True)
async def look_up(
    request: Request, caller: Asking, audit: Audits, agent: Annotated[str, Query(description="An xAPI Agent as JSON")]
) -> LearnerOfAgent:
    """The learner of an agent, if there is one; nothing is made."""
    try:
        ifi = canonical_ifi(parse_agent(agent))
    except StatementInvalid as error:
        problems = tuple(Problem(f"agent{problem.path}", problem.reason) for problem in error.errors)
        raise invalid_query(QueryInvalid(problems)) from None
    state = state_of(request)
    found = await state.identities.look_up(caller.tenant, str(ifi))
    if found is None:
        raise NotFound("No learner is known for this agent")
    root = (await state.merging.view.group(caller.tenant, found.learner)).root
    await audit.noticed(_looked_up(caller, root))
    return _of(found.learner, root)


def _of(own: str, root: str) -> LearnerOfAgent:
    if root == REFUSED:
        return LearnerOfAgent(learner_id=None)
    return LearnerOfAgent(learner_id=root) if own == root else LearnerOfAgent(learner_id=root, own_learner_id=own)


def _looked_up(caller: Principal, *learners: str) -> AuditEntry:
    return AuditEntry(caller.tenant, Who.of(caller), Action.looked_up, "identities", learners, count=len(learners))


def _identifiers(body: Any) -> list[str]:
    """The canonical identifier of each agent in the body. Raises `StatementInvalid`, `BadRequest`."""
    if not isinstance(body, list):
        return [identifier(body, "")]
    if not 1 <= len(body) <= MOSTAGENTS:
        detail = f"expected 1 to {MOSTAGENTS} agents, found {len(body)}"
        raise BadRequest(detail, errors=[{"pointer": "", "detail": detail}])
    return [identifier(agent, f"/{index}") for index, agent in enumerate(body)]


def identifier(agent: Any, place: str) -> str:
    """The canonical identifier of an agent at that place of a body. Raises `StatementInvalid`."""
    try:
        return str(canonical_ifi(parse_agent(agent if isinstance(agent, dict) else b"null")))
    except StatementInvalid as error:
        problems = (Problem(f"{place}{p.path}", p.reason) for p in error.errors)
        raise StatementInvalid(tuple(problems)) from None
