"""The dialect of a request, and the headers that every answer under /xapi carries (1.0.3 Communication 3.3, 2.1.3)."""

from typing import Final

from fastapi import Request
from service_kit.problems import BadRequest
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from xapi import Version, VersionUnsupported, negotiate
from xapi.versions import HEADER

from ingest.http.paths import ABOUT, STATEMENTS, is_xapi
from ingest.statements.refusals import wrong_header
from ingest.statements.stamps import rendered

CONSISTENT_THROUGH: Final = "X-Experience-API-Consistent-Through"
BEFORE_THE_HEADER: Final = "0.9"
_KEY: Final = "xapi_version"


def version_of(request: Request) -> Version:
    """The dialect that the request names. Raises `BadRequest`."""
    known: Version | None = request.scope.get("state", {}).get(_KEY)
    return known or _negotiated(request.headers.get(HEADER))


def _negotiated(header: str | None) -> Version:
    try:
        return negotiate(header)
    except VersionUnsupported as error:
        raise wrong_header(HEADER, str(error)) from None


class VersionCheck:
    """Refuses, before routing, whatever names no version spoken here; `about` tells them to everyone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_xapi(scope):
            try:
                scope["state"][_KEY] = _negotiated(Headers(scope=scope).get(HEADER))
            except BadRequest as problem:
                if scope["path"] != ABOUT:
                    await problem.response()(scope, receive, send)
                    return
        await self._app(scope, receive, send)


class XapiHeaders:
    """Adds to every answer under /xapi, errors too, the dialect of the request.

    And to every answer of the statements resource the time up to which it knows everything.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_xapi(scope):
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})  # one for all that is made of this request

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[HEADER] = state.get(_KEY) or _of_refused(scope)
                if scope["path"] == STATEMENTS and CONSISTENT_THROUGH not in headers:
                    headers[CONSISTENT_THROUGH] = rendered(scope["app"].state.ingest.stamps.consistent_through())
            await send(message)

        await self._app(scope, receive, with_headers)


def _of_refused(scope: Scope) -> str:
    """What is said to a request that got no further: its own dialect, or the newest.

    One without the header is by 1.0.3 Communication 3.3 a request of 0.9, which came before the header. Whatever its
    sender knows, it is neither of the two spoken here, and the answer does not pretend that it was understood as one.
    """
    given = Headers(scope=scope).get(HEADER)
    if given is None and scope["path"] != ABOUT:
        return BEFORE_THE_HEADER
    try:
        return negotiate(given).value
    except VersionUnsupported:
        return Version.V2_0_0.value
