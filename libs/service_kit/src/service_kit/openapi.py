"""What FastAPI cannot know of this house's errors: they are problem documents, and wrong input is 400."""

from typing import Any, Final

from service_kit.problems import MEDIA_TYPE, BadRequest, Forbidden, NotReadyYet, Problem, Unauthorized

PROBLEM: Final = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `type` is stable; `errors` names the places: a pointer into the body, a line.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object", "properties": {"detail": {"type": "string"}}}},
    },
}
_FASTAPIS_OWN: Final = ("HTTPValidationError", "ValidationError")


def with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the errors that every operation may answer."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _FASTAPIS_OWN:
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    for path in document["paths"].values():
        for operation in path.values():
            _amend(operation)
    return document


def _amend(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if responses.pop("422", None) is not None or "requestBody" in operation:
        responses.setdefault("400", _response(BadRequest))
    if "security" in operation:
        responses.setdefault("401", _response(Unauthorized))
        responses.setdefault("403", _response(Forbidden))
    responses.setdefault("503", _response(NotReadyYet))
    responses.setdefault("default", _response(Problem))


def _response(problem: type[Problem]) -> dict[str, Any]:
    return {"description": problem.title, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
