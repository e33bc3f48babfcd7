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


@router.post("", openapi_extra=_BODY, responses={201: {"model": LearnerOfAgent, "description": "A new learner"}})
async def find_or_make(
    request: Request, response: Response, caller: Making, audit: Audits
) -> LearnerOfAgent | LearnersOfAgents:
    """Find or make the learner of an agent (201 where it is new), or of each of up to 1000 agents (always 200)."""
    try:
        body = loads(await request.body())
        ifis = _identifiers(body)
    except StatementInvalid as error:
        raise invalid(error) from None
    resolved, new = await state_of(request).identities.resolve(caller.tenant, set(ifis), subjects=set(ifis), fresh=True)
    found = {ifi: None if one.learner == REFUSED else one.learner for ifi, one in resolved.items()}
    items = [LearnerOfAgent(learner_id=found[ifi]) for ifi in ifis]
    await audit.noticed(_looked_up(caller, *dict.fromkeys(resolved[ifi].learner for ifi in ifis)))
    if isinstance(body, list):
        return LearnersOfAgents(items=items)
    if items[0].learner_id is None:
        raise Conflict("This learner was erased, and the policy refuses who comes back")
    response.status_code = 201 if new else 200
    return items[0]


@router.get("")
async def look_up(
    request: Request, caller: Asking, audit: Audits, agent: Annotated[str, Query(description="An xAPI Agent as JSON")]
) -> LearnerOfAgent:
    """The learner of an agent, if there is one; nothing is made."""
    try:
        ifi = canonical_ifi(parse_agent(agent))
    except StatementInvalid as error:
        problems = tuple(Problem(f"agent{problem.path}", problem.reason) for problem in error.errors)
        raise invalid_query(QueryInvalid(problems)) from None
    found = await state_of(request).identities.look_up(caller.tenant, str(ifi))
    if found is None:
        raise NotFound("No learner is known for this agent")
    await audit.noticed(_looked_up(caller, found.learner))
    return LearnerOfAgent(learner_id=found.learner)


def _looked_up(caller: Principal, *learners: str) -> AuditEntry:
    return AuditEntry(caller.tenant, Who.of(caller), Action.looked_up, "identities", learners, count=len(learners))


def _identifiers(body: Any) -> list[str]:
    """The canonical identifier of each agent in the body. Raises `StatementInvalid`, `BadRequest`."""
    if not isinstance(body, list):
        return [_identifier(body, "")]
    if not 1 <= len(body) <= MOSTAGENTS:
        detail = f"expected 1 to {MOSTAGENTS} agents, found {len(body)}"
        raise BadRequest(detail, errors=[{"pointer": "", "detail": detail}])
    return [_identifier(agent, f"/{index}") for index, agent in enumerate(body)]


def _identifier(agent: Any, place: str) -> str:
    try:
        return str(canonical_ifi(parse_agent(agent if isinstance(agent, dict) else b"null")))
    except StatementInvalid as error:
        problems = (Problem(f"{place}{p.path}", p.reason) for p in error.errors)
        raise StatementInvalid(tuple(problems)) from None
