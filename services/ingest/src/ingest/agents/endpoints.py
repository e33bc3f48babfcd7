"""`/xapi/agents`: the Person behind an agent (1.0.3 Communication 2.4; 2.0 4.1.6.3)."""

from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from service_kit.audit import Action, AuditEntry, Audits
from xapi import canonical_ifi
from xapi.exact import dumps

from ingest.credentials.credential import Credential, who
from ingest.credentials.schemas import Scope
from ingest.credentials.verification import scoped
from ingest.documents import openapi
from ingest.documents.answers import tagged
from ingest.documents.parameters import agent, read
from ingest.documents.writing import JSON
from ingest.state import state_of
from ingest.versioning import version_of

router = APIRouter(prefix="/xapi", tags=["xapi"])
# A Person may tell more identifiers than the caller sent: that takes leave to read everyone's statements.
Reader = Annotated[Credential, Depends(scoped(Scope.statements_read, Scope.all_read))]
_TEXTS: Final = {"type": "array", "items": {"type": "string"}}
_PERSON: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["objectType"],
    "additionalProperties": False,
    "properties": {
        "objectType": {"const": "Person"},
        "name": _TEXTS,
        "mbox": _TEXTS,
        "mbox_sha1sum": _TEXTS,
        "openid": _TEXTS,
        "account": {"type": "array", "items": {"type": "object", "required": ["homePage", "name"]}},
    },
}
_GET: Final[dict[str, Any]] = {
    "parameters": [openapi.AGENT],
    "responses": {"200": {"description": "The Person", "content": {JSON: {"schema": _PERSON}}}},
}


@router.get("/agents", openapi_extra=_GET)
@router.head("/agents", include_in_schema=False)
async def get_agent(request: Request, credential: Reader, audit: Audits) -> Response:
    """The Person: names seen and identifiers merged; of an unknown agent what was sent."""
    readers = {"agent": partial(agent, version_of(request))}
    sent = read(request.query_params.multi_items(), readers, ["agent"])["agent"]
    state = state_of(request)
    identity = await state.identities.look_up(credential.tenant, str(canonical_ifi(sent)))
    if identity is not None:
        looked_up = Action.looked_up
        await audit.noticed(AuditEntry(credential.tenant, who(credential), looked_up, "person", (identity.learner,)))
    return tagged(request, dumps(await state.agents.person(credential.tenant, sent, identity)), JSON)
