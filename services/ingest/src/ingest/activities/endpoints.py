"""`/xapi/activities`: the Activity with all that is known of it (1.0.3 Communication 2.5; 2.0 4.1.6.4)."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from xapi.exact import dumps

from ingest.credentials.repository import Credential
from ingest.credentials.schemas import Scope
from ingest.credentials.verification import scoped
from ingest.documents import openapi
from ingest.documents.answers import tagged
from ingest.documents.parameters import iri, read
from ingest.documents.writing import JSON
from ingest.state import state_of
from ingest.versioning import version_of

router = APIRouter(prefix="/xapi", tags=["xapi"])
Reader = Annotated[
    Credential,
    Depends(scoped(Scope.statements_read, Scope.statements_read_mine, Scope.define, Scope.profile, Scope.all_read)),
]
_ACTIVITY: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["objectType", "id"],
    "properties": {
        "objectType": {"const": "Activity"},
        "id": openapi.IRI,
        "definition": {"type": "object"},
    },
}
_GET: Final[dict[str, Any]] = {
    "parameters": [openapi.parameter("activityId", openapi.IRI)],
    "responses": {"200": {"description": "The Activity", "content": {JSON: {"schema": _ACTIVITY}}}},
}


@router.get("/activities", openapi_extra=_GET)
@router.head("/activities", include_in_schema=False)
async def get_activity(request: Request, credential: Reader) -> Response:
    """The Activity with its definition, gathered from statements; one that is unknown comes back without."""
    version_of(request)
    values = read(request.query_params.multi_items(), {"activityId": iri}, ["activityId"])
    activity = await state_of(request).activities.get(credential.tenant, values["activityId"])
    return tagged(request, dumps(activity), JSON)
