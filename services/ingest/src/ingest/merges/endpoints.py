"""`/identities/merge` and `/identities/merges`: two identifiers of one person."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from service_kit.audit import Action, AuditEntry, Audits, Who
from service_kit.auth import Principal, Role, require
from service_kit.problems import BadRequest
from xapi import StatementInvalid
from xapi.parsing import loads

from ingest.identities.endpoints import identifier
from ingest.merges.merging import Merging
from ingest.merges.repository import Edge
from ingest.merges.schemas import BODY, Merge, Merges
from ingest.state import state_of
from ingest.statements.refusals import invalid

router = APIRouter(prefix="/identities", tags=["identities"])
Caller = Annotated[Principal, Depends(require(Role.app, Role.dpo, Role.operator))]
_NAMES: Final = ("agent", "into")


def _merging(request: Request) -> Merging:
    return state_of(request).merging


MergingDep = Annotated[Merging, Depends(_merging)]


@router.post("/merge", openapi_extra=BODY, responses={201: {"model": Merge, "description": "Merged"}})
async def merge(request: Request, response: Response, caller: Caller, merging: MergingDep) -> Merge:
    """Say that two identifiers are one person's (201; 200 where that was said before).

    `agent` and whoever it was merged with go with `into`: one profile of the evidence of all, the stricter consent of
    each until one decides anew, one request for everything held. No statement is changed, so that `DELETE
    /identities/merges/{id}` restores both. 409 where it would go in a circle, or where one of the two is being erased.
    """
    try:
        body = loads(await request.body())
        agent, into = (identifier(body[name], f"/{name}") for name in _checked(body))
    except StatementInvalid as error:
        raise invalid(error) from None
    done = await merging.merge(caller.tenant, agent, into, Who.of(caller))
    response.status_code = 201 if done.new else 200
    return _shown(done.edge, done.root)


@router.get("/merges")
async def merges(learner_id: UUID, caller: Caller, merging: MergingDep, audit: Audits) -> Merges:
    """The merges of the person whom a learner is, by any of their ids."""
    root, edges = await merging.of_learner(caller.tenant, str(learner_id))
    looked_up = Action.looked_up
    await audit.noticed(AuditEntry(caller.tenant, Who.of(caller), looked_up, "identities/merges", (root,)))
    return Merges(learner_id=UUID(root), items=[_shown(edge, root) for edge in edges])


@router.delete("/merges/{merge_id}", status_code=204)
async def undo(merge_id: UUID, caller: Caller, merging: MergingDep) -> Response:
    """Undo a merge: each of the two has again what the own identifiers brought, later statements included."""
    await merging.undo(caller.tenant, str(merge_id), Who.of(caller))
    return Response(status_code=204)


def _checked(body: Any) -> tuple[str, ...]:
    """Raises `BadRequest`."""
    if not isinstance(body, dict) or body.keys() != set(_NAMES):
        detail = "expected an object of `agent` and `into`, an xAPI Agent each"
        raise BadRequest(detail, errors=[{"pointer": "", "detail": detail}])
    return _NAMES


def _shown(edge: Edge, root: str) -> Merge:
    return Merge(id=UUID(edge.id), learner_id=UUID(root), merged_learner_id=UUID(edge.learner), merged_at=edge.at)
