"""`/xapi/activities/state`, `/xapi/activities/profile`, `/xapi/agents/profile`: five methods, alike for the three."""

from collections.abc import Callable, Coroutine
from typing import Any, Final, Literal

import orjson
from fastapi import APIRouter, Depends, Request, Response
from service_kit.audit import Action, AuditEntry, Audits
from service_kit.problems import BadRequest, NotFound, TooLarge

from ingest.credentials.credential import Credential, who
from ingest.credentials.schemas import Scope
from ingest.credentials.verification import scoped
from ingest.documents import openapi
from ingest.documents.answers import conditions_of, tagged
from ingest.documents.kinds import KINDS, Kind
from ingest.documents.parameters import place_of
from ingest.documents.writing import JSON, LARGEST, Content, Write
from ingest.state import state_of
from ingest.statements.refusals import wrong_header
from ingest.versioning import version_of

NOT_RECORDED: Final = "Trellis-Not-Recorded"
_LONGEST_MEDIA_TYPE: Final = 255
_UNTYPED: Final = "application/octet-stream"
Endpoint = Callable[..., Coroutine[Any, Any, Response]]

router = APIRouter(prefix="/xapi", tags=["xapi"])


def _getting(kind: Kind) -> Endpoint:
    caller = Depends(scoped(kind.scope, Scope.all_read))

    async def get(request: Request, audit: Audits, credential: Credential = caller) -> Response:
        """The document, or, without its id, the ids of those in the context, changed after `since`."""
        place = place_of(request, kind, version_of(request), single=False, since=True)
        credential.check_document(place, "read")
        keeper = state_of(request).documents
        if place.agent is not None and credential.limits is None:
            await audit.noticed(AuditEntry(credential.tenant, who(credential), Action.saw, "documents"))
        if place.name is None:
            listed = await keeper.names(credential.tenant, place)
            return tagged(request, orjson.dumps(listed.names), JSON, updated=listed.updated)
        found = await keeper.get(credential.tenant, place)
        if found is None:
            raise NotFound(f"There is no such {kind.word} document")
        return tagged(
            request,
            found.content.data,
            found.content.media_type,
            updated=found.updated,
            headers={"Content-Security-Policy": "sandbox"},  # whatever it holds, it runs nothing in this origin
        )

    return get


def _writing(kind: Kind, method: Literal["PUT", "POST"]) -> Endpoint:
    caller = Depends(scoped(kind.scope))

    async def write(request: Request, credential: Credential = caller) -> Response:
        version = version_of(request)
        place = place_of(request, kind, version, single=True)
        credential.check_document(place, "write")
        content = Content(await _body(request), _media_type(request))
        change = Write(
            method, conditions_of(request), content, kind.is_guarded(version), kind.demands_condition(version)
        )
        recorded = await state_of(request).documents.write(credential.tenant, place, change)
        return Response(status_code=204, headers=None if recorded else {NOT_RECORDED: "1"})

    write.__doc__ = {
        "PUT": "Store the document under its id, in the place of any that is there.",
        "POST": "Store the document; where one is there, merge the two JSON objects, one level deep.",
    }[method]
    return write


def _deleting(kind: Kind) -> Endpoint:
    caller = Depends(scoped(kind.scope))

    async def delete(request: Request, audit: Audits, credential: Credential = caller) -> Response:
        place = place_of(request, kind, version_of(request), single=not kind.has_registration)
        credential.check_document(place, "write")
        conditions, keeper = conditions_of(request), state_of(request).documents
        if place.agent is not None:
            await audit.noticed(AuditEntry(credential.tenant, who(credential), Action.erased, "documents"))
        if place.name is not None:
            await keeper.remove(credential.tenant, place, Write("DELETE", conditions))
        elif conditions.are_given:
            raise BadRequest(f"If-Match and If-None-Match go with one document: {kind.name} is missing")
        else:
            await keeper.remove_all(credential.tenant, place)
        return Response(status_code=204)

    every = "; without it, every document of the context" if kind.has_registration else ""
    delete.__doc__ = f"Delete the document that {kind.name} names{every}."
    return delete


async def _body(request: Request) -> bytes:
    """Raises `TooLarge`, before more than the limit is held."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST:
            raise TooLarge(f"The document is larger than {LARGEST} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _media_type(request: Request) -> str:
    found = request.headers.get("Content-Type") or _UNTYPED
    if len(found) > _LONGEST_MEDIA_TYPE:
        raise wrong_header("Content-Type", f"expected at most {_LONGEST_MEDIA_TYPE} characters, found more")
    return found


def _serve(kind: Kind) -> None:
    name, get = kind.word.replace(" ", "_"), _getting(kind)
    add = router.add_api_route
    add(kind.path, get, methods=["GET"], name=f"get_{name}", openapi_extra=openapi.get(kind))
    add(kind.path, get, methods=["HEAD"], name=f"head_{name}", include_in_schema=False)
    for method in ("PUT", "POST"):
        write = _writing(kind, "PUT" if method == "PUT" else "POST")
        named, extra = f"{method.lower()}_{name}", openapi.write(kind, method)
        add(kind.path, write, methods=[method], status_code=204, name=named, openapi_extra=extra)
    extra = openapi.delete(kind)
    add(kind.path, _deleting(kind), methods=["DELETE"], status_code=204, name=f"delete_{name}", openapi_extra=extra)


for one in KINDS:
    _serve(one)
