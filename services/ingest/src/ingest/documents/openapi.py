"""What OpenAPI says of documents, whose parameters and bodies are read without a model."""

from typing import Any, Final

from service_kit.problems import MEDIA_TYPE
from xapi import models

from ingest.documents.kinds import Kind
from ingest.documents.parameters import LONGEST_IRI, LONGEST_NAME
from ingest.documents.writing import LARGEST

_TAG: Final = {"type": "string"}
_MATCH: Final = {"name": "If-Match", "in": "header", "schema": _TAG, "description": "The ETag that was read"}
_NONE_MATCH: Final = {"name": "If-None-Match", "in": "header", "schema": _TAG, "description": "`*`: only if new"}
_EMPTY: Final = {"description": "Done; `Trellis-Not-Recorded: 1` where the learner does not allow it"}
_BYTES: Final = {"schema": {"type": "string", "format": "binary"}}
_FAILED: Final = {
    "412": "If-Match or If-None-Match does not hold",
    "413": f"More than {LARGEST} bytes",
}
IRI: Final = {"type": "string", "pattern": models.IRI, "maxLength": LONGEST_IRI}
_ACCOUNT: Final = {
    "type": "object",
    "required": ["homePage", "name"],
    "additionalProperties": False,
    "properties": {"homePage": IRI, "name": {"type": "string"}},
}
_AGENT: Final = {
    "type": "object",
    "description": "An Agent with one identifier; in 2.0 an identified Group too",
    "additionalProperties": False,
    "properties": {
        "objectType": {"enum": ["Agent"]},
        "name": {"type": "string"},
        "mbox": {"type": "string", "format": "uri", "pattern": "^mailto:[^@]+@[^@]+$"},
        "mbox_sha1sum": {"type": "string", "pattern": models.SHA1},
        "openid": IRI,
        "account": _ACCOUNT,
    },
    "oneOf": [{"required": [name]} for name in ("mbox", "mbox_sha1sum", "openid", "account")],
}
AGENT: Final = {"name": "agent", "in": "query", "required": True, "content": {"application/json": {"schema": _AGENT}}}


def parameter(name: str, schema: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema}


def write(kind: Kind, method: str) -> dict[str, Any]:
    """PUT and POST, which merges JSON objects."""
    json = {"schema": {"type": "object"} if method == "POST" else {}}
    return {
        "parameters": [*_context(kind), _name(kind, required=True), _MATCH, _NONE_MATCH],
        "requestBody": {
            "description": "Any media type; kept and given back byte for byte",
            "content": {"application/json": json, "*/*": _BYTES},
        },
        "responses": {"204": _EMPTY, **_problems("412", "413")},
    }


def delete(kind: Kind) -> dict[str, Any]:
    named = not kind.has_registration
    return {
        "parameters": [*_context(kind), _name(kind, required=named), _MATCH, _NONE_MATCH],
        "responses": _problems("412"),
    }


def get(kind: Kind) -> dict[str, Any]:
    since = parameter("since", {"type": "string", "format": "date-time"}, required=False)
    found = {
        "description": f"The document; without {kind.name} an array of the ids of the context's documents",
        "content": {"application/json": {"schema": {}}, "*/*": _BYTES},
    }
    return {
        "parameters": [*_context(kind), _name(kind, required=False), since, _NONE_MATCH],
        "responses": {"200": found, "304": {"description": "As the ETag in If-None-Match names it"}},
    }


def _problems(*statuses: str) -> dict[str, Any]:
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {status: {"description": _FAILED[status], "content": {MEDIA_TYPE: problem}} for status in statuses}


def _name(kind: Kind, *, required: bool) -> dict[str, Any]:
    return parameter(kind.name, {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}, required=required)


def _context(kind: Kind) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if kind.of_activity:
        found.append(parameter("activityId", IRI))
    if kind.of_agent:
        found.append(AGENT)
    if kind.has_registration:
        found.append(parameter("registration", {"type": "string", "format": "uuid"}, required=False))
    return found
