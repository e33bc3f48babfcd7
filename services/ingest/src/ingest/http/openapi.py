"""What OpenAPI says of every xAPI operation alike: how one authenticates, the version, what else is answered."""

from typing import Any, Final

from ingest.http.paths import ABOUT, XAPI

_SCHEMES: Final = {
    "xapi_basic": {"type": "http", "scheme": "basic", "description": "Key and secret; the token of a launch"},
    "xapi_bearer": {"type": "http", "scheme": "bearer", "description": "A token of the issuer, with scopes of xAPI"},
}
_VERSION: Final[dict[str, Any]] = {
    "name": "X-Experience-API-Version",
    "in": "header",
    "required": True,
    "description": "1.0.x and 2.0.x are spoken; the answer names the newest of the two that was meant",
    "schema": {"type": "string", "enum": ["1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.0.0"]},
}


def with_xapi(document: dict[str, Any]) -> dict[str, Any]:
    document["components"].setdefault("securitySchemes", {}).update(_SCHEMES)
    for path, operations in document["paths"].items():
        if path.startswith(f"{XAPI}/") and path != ABOUT:
            for operation in operations.values():
                _amend(operation, document)
    return document


def _amend(operation: dict[str, Any], document: dict[str, Any]) -> None:
    operation["security"] = [{name: []} for name in _SCHEMES]
    parameters = [one for one in operation.get("parameters", ()) if one["name"].lower() != _VERSION["name"].lower()]
    operation["parameters"] = [_VERSION, *parameters]
    problem = document["paths"]["/xapi/statements"]["get"]["responses"]["default"]
    for status, meaning in (("400", "Wrong input"), ("401", "No credentials"), ("403", "Not with these credentials")):
        operation["responses"].setdefault(status, problem | {"description": meaning})
