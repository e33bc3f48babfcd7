"""What OpenAPI says of documents, whose parameters and bodies are read without a model."""

from typing import Any, Final

from ingest.documents.kinds import Kind
from ingest.documents.parameters import LONGEST_IRI, LONGEST_NAME

_TAG: Final = {"type": "string", "maxLength": 1000, "examples": ['"2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"']}
_MATCH: Final = {"name": "If-Match", "in": "header", "schema": _TAG, "description": "The ETag that was read"}
_NONE_MATCH: Final = {"name": "If-None-Match", "in": "header", "schema": _TAG, "description": "`*`: only if new"}
_EMPTY: Final = {"description": "Done; `Trellis-Not-Recorded: 1` where the learner does not allow it"}
_BODY: Final = {
    "required": True,
    "description": "Any media type; kept and given back byte for byte",
    "content": {"application/json": {"schema": {}}, "*/*": {"schema": {"type": "string", "format": "binary"}}},
}
IRI: Final = {"type": "string", "format": "iri", "maxLength": LONGEST_IRI}
AGENT: Final = {
    "type": "string",
    "contentMediaType": "application/json",
    "description": "An Agent as JSON, in 2.0 an identified Group too",
    "examples": ['{"account":{"homePage":"https://lms.example.org","name":"ada"}}'],
}


def parameter(name: str, schema: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema}


def write(kind: Kind) -> dict[str, Any]:
    """PUT and POST."""
    return {
        "parameters": [*_context(kind), _name(kind, required=True), _MATCH, _NONE_MATCH],
        "requestBody": _BODY,
        "responses": {"204": _EMPTY},
    }


def delete(kind: Kind) -> dict[str, Any]:
    named = not kind.has_registration
    return {"parameters": [*_context(kind), _name(kind, required=named), _MATCH, _NONE_MATCH]}


def get(kind: Kind) -> dict[str, Any]:
    since = parameter("since", {"type": "string", "format": "date-time"}, required=False)
    names = {"schema": {"type": "array", "items": {"type": "string"}}}
    document = {"schema": {"type": "string", "format": "binary"}}
    found = {
        "description": f"The document, or without {kind.name} the ids of the context's documents",
        "content": {"application/json": names, "*/*": document},
    }
    return {
        "parameters": [*_context(kind), _name(kind, required=False), since, _NONE_MATCH],
        "responses": {"200": found, "304": {"description": "As the ETag in If-None-Match names it"}},
    }


def _name(kind: Kind, *, required: bool) -> dict[str, Any]:
    return parameter(kind.name, {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}, required=required)


def _context(kind: Kind) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if kind.of_activity:
        found.append(parameter("activityId", IRI))
    if kind.of_agent:
        found.append(parameter("agent", AGENT))
    if kind.has_registration:
        found.append(parameter("registration", {"type": "string", "format": "uuid"}, required=False))
    return found
