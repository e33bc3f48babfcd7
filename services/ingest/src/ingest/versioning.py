"""The dialect of a request, and the header that every answer under /xapi carries (1.0.3 Communication 3.3)."""

from typing import Final

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from xapi import Version, VersionUnsupported, negotiate
from xapi.versions import HEADER

from ingest.statements.refusals import wrong_header

XAPI: Final = "/xapi"


def version_of(request: Request) -> Version:
    """The dialect that the request names. Raises `BadRequest`."""
    try:
        return negotiate(request.headers.get(HEADER))
    except VersionUnsupported as error:
        raise wrong_header(HEADER, str(error)) from None


class VersionHeader:
    """Adds the header to every answer under /xapi, errors too: the request's dialect, the newest where it has none."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(f"{XAPI}/"):
            await self._app(scope, receive, send)
            return
        value = _answer_version(dict(scope["headers"]).get(HEADER.lower().encode()))

        async def with_version(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = value
            await send(message)

        await self._app(scope, receive, with_version)


def _answer_version(header: bytes | None) -> str:
    try:
        return negotiate(None if header is None else header.decode("latin-1")).value
    except VersionUnsupported:
        return Version.V2_0_0.value
