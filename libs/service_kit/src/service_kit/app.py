"""The app factory that every service calls: problems, limits, health, authentication, telemetry."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service_kit import health, openapi, problems, telemetry
from service_kit.auth import Authenticator
from service_kit.settings import ServiceSettings

VERSION = "0.1.0"
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    *,
    title: str,
    description: str,
    settings: ServiceSettings,
    lifespan: Lifespan,
    routers: Sequence[APIRouter],
    checks: Sequence[health.Checker] = (),
    body_limit_bytes: int | Callable[[Scope], int] | None = None,
    within_limit: Sequence[Middleware] = (),
    around: Sequence[Middleware] = (),
    openapi_more: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> FastAPI:
    """A FastAPI app; `lifespan` makes the clients and puts the service's own typed state on `app.state`.

    `body_limit_bytes` takes the place of the setting that all services share, for each request where it is a function.
    Middleware stands outermost first,
    `around` the body's limit and `within_limit`; `openapi_more` is given the OpenAPI document last.
    """
    app = TrellisApp(
        title=title,
        description=description,
        version=VERSION,
        lifespan=lifespan,
        docs_url="/docs",
        telemetry=telemetry.of_requests(),
    )
    app.state.authenticator = Authenticator(settings.auth, settings.peers)
    problems.install(app)
    limit = Middleware(BodyLimit, limit_bytes=body_limit_bytes or settings.http.body_limit_bytes)
    app.user_middleware[:0] = [*around, limit, *within_limit]
    app.openapi_more = openapi_more
    for router in routers:
        app.include_router(router)
    app.include_router(health.router(checks), include_in_schema=False)
    return app


class TrellisApp(FastAPI):
    """An app whose OpenAPI document tells of errors as they are answered."""

    openapi_more: Callable[[dict[str, Any]], dict[str, Any]] | None = None

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = openapi.with_problems(super().openapi())
            self.openapi_schema = self.openapi_more(document) if self.openapi_more else document
        return self.openapi_schema


class BodyLimit:
    """Refuses bodies over the limit: by their `Content-Length` before anything is read, else while reading."""

    def __init__(self, app: ASGIApp, limit_bytes: int | Callable[[Scope], int]) -> None:
        self._app = app
        self._limit_of = limit_bytes if callable(limit_bytes) else lambda _: limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope)
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > limit:
            await problems.TooLarge(_too_large(limit)).response()(scope, receive, send)
            return
        await self._app(scope, _counting(receive, limit), send)


def _counting(receive: Receive, limit: int) -> Receive:
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise HTTPException(413, _too_large(limit))  # of all exceptions FastAPI lets this one alone through
        return message

    return counted


def _too_large(limit: int) -> str:
    return f"The body is larger than {limit} bytes"
