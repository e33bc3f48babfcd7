"""Errors as `application/problem+json` (RFC 9457) with a stable `type`, and the places where the input is wrong.

Problem            4xx/5xx, raised anywhere below an endpoint
├── BadRequest     400
├── Unauthorized   401
├── Forbidden      403
├── NotFound       404
├── Conflict       409
├── TooLarge       413
├── TooMany        429 with Retry-After
└── NotReadyYet    503 with Retry-After
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from events.errors import NotReady
from events.sealing import KeyGone
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from service_kit.mongo import DriverError, MongoAway, away

log = logging.getLogger(__name__)

TYPE_BASE: Final = "https://trellis.invalid/problems/"
MEDIA_TYPE: Final = "application/problem+json"


class Problem(Exception):
    """An error that the caller sees. `errors` names the places: pointers, lines, indexes."""

    status = 500
    slug = "internal"
    title = "Something went wrong on our side"

    def __init__(
        self, detail: str, *, errors: Sequence[Mapping[str, Any]] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})

    def document(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": f"{TYPE_BASE}{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        return body | ({"errors": self.errors} if self.errors else {})

    def response(self) -> Response:
        return JSONResponse(self.document(), status_code=self.status, media_type=MEDIA_TYPE, headers=self.headers)


class BadRequest(Problem):
    status, slug, title = 400, "invalid-request", "The request is not valid"


class Unauthorized(Problem):
    status, slug, title = 401, "unauthorized", "Credentials are missing or wrong"


class Forbidden(Problem):
    status, slug, title = 403, "forbidden", "These credentials do not allow this"


class NotFound(Problem):
    status, slug, title = 404, "not-found", "There is no such thing here"


class Conflict(Problem):
    status, slug, title = 409, "conflict", "This contradicts what is already there"


class TooLarge(Problem):
    status, slug, title = 413, "too-large", "The request body is too large"


class TooMany(Problem):
    status, slug, title = 429, "too-many-requests", "Too many requests; wait a little"

    def __init__(self, detail: str, *, retry_after_seconds: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds)})


class NotReadyYet(Problem):
    status, slug, title = 503, "not-ready", "Not ready to answer; try again shortly"

    def __init__(self, detail: str, *, retry_after_seconds: int = 2) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds)})


_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_BY_STATUS = {cls.status: cls for cls in (BadRequest, Unauthorized, Forbidden, NotFound, Conflict, TooLarge)}


def install(app: FastAPI) -> None:
    """Answer every error of the app with a problem document."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    # Named apart from Exception, whose handler answers and then raises again: waiting is no fault to shout about.
    for expected in (NotReady, KeyGone, MongoAway, DriverError):
        app.add_exception_handler(expected, _unexpected)
    app.add_exception_handler(Exception, _unexpected)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 — registered for this type alone
    return error.response()


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 — registered for this type alone
    places = [_place(e) for e in error.errors()]
    where = ", ".join(next(iter(place.values())) or "the body" for place in places[:5])
    return BadRequest(f"Wrong input at {where}", errors=places).response()


def _place(error: Mapping[str, Any]) -> dict[str, str]:
    """`pointer` is a JSON Pointer into the body (RFC 6901); what is not in the body is a `parameter`."""
    origin, *path = map(str, error["loc"])
    if error["type"] == "json_invalid":
        return {"pointer": "", "detail": f"not JSON, at character {path[0]}: {error['ctx']['error']}"}
    if origin == "body":
        escaped = [part.replace("~", "~0").replace("/", "~1") for part in path]
        return {"pointer": "".join(f"/{part}" for part in escaped), "detail": error["msg"]}
    return {"parameter": path[0] if path else origin, "in": origin, "detail": error["msg"]}


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 — registered for this type alone
    if error.status_code == 405:
        error.headers = {"Allow": ", ".join(_methods_of(request))}
    known = _BY_STATUS.get(error.status_code)
    problem = (known or Problem)(str(error.detail), headers=error.headers)
    if known is None:
        problem.status, problem.slug, problem.title = error.status_code, f"http-{error.status_code}", str(error.detail)
    return problem.response()


def _methods_of(request: Request) -> list[str]:
    """The methods of all routes of the path; the router itself names those of the first alone (RFC 9110 10.2.1)."""
    return [method for method in _METHODS if _is_routed(request, method)]


def _is_routed(request: Request, method: str) -> bool:
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)


async def _unexpected(_: Request, error: Exception) -> Response:
    if isinstance(error, NotReady) or away(error):
        return NotReadyYet("A part of this service is not ready").response()
    if isinstance(error, KeyGone):
        return NotFound("What was asked for belongs to a learner who is forgotten").response()
    log.error("unexpected error", exc_info=error)
    return Problem("The error is in our log").response()
