"""What OpenAPI says of the statements resource, whose bodies are read without a model."""

from typing import Any, Final

_STATEMENT: Final = {"type": "object", "description": "An xAPI statement"}
_VERSION: Final = {
    "name": "X-Experience-API-Version",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "examples": ["1.0.3", "2.0.0"]},
}
_TEXT: Final = {"type": "string"}
_UUID: Final = {"type": "string", "format": "uuid"}
_BOOLEAN: Final = {"type": "boolean", "default": False}
_TIME: Final = {"type": "string", "format": "date-time"}
_QUERY: Final[dict[str, dict[str, Any]]] = {
    "statementId": _UUID,
    "voidedStatementId": _UUID,
    "agent": {"type": "string", "description": "An identified Agent or Group as JSON"},
    "verb": _TEXT,
    "activity": _TEXT,
    "registration": _UUID,
    "related_activities": _BOOLEAN,
    "related_agents": _BOOLEAN,
    "since": _TIME,
    "until": _TIME,
    "limit": {"type": "integer", "minimum": 0, "default": 0},
    "format": {"type": "string", "enum": ["ids", "exact", "canonical"], "default": "exact"},
    "attachments": _BOOLEAN,
    "ascending": _BOOLEAN,
    "more": {"type": "string", "description": "From the `more` of an answer; goes with no other parameter"},
}


def _parameter(name: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


POST: Final[dict[str, Any]] = {
    "parameters": [_VERSION],
    "requestBody": _body({"oneOf": [_STATEMENT, {"type": "array", "items": _STATEMENT, "minItems": 1}]}),
}
PUT: Final[dict[str, Any]] = {
    "parameters": [_VERSION, _parameter("statementId", _UUID, required=True)],
    "requestBody": _body(_STATEMENT),
}
GET: Final[dict[str, Any]] = {
    "parameters": [_VERSION, *(_parameter(name, schema) for name, schema in _QUERY.items())],
}
