"""What stands around the routes of this service, outermost first."""

from collections.abc import Callable
from typing import Final

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.http.alternate import AlternateSyntax
from ingest.http.decoding import ContentDecoding
from ingest.http.paths import IMPORTS, STATEMENTS, is_for_browsers
from ingest.settings import AttachmentSettings, XapiSettings
from ingest.versioning import VersionCheck, XapiHeaders

EXPOSED: Final = (
    "ETag",
    "Last-Modified",
    "Link",
    "Retry-After",
    "Trellis-Not-Recorded",
    "WWW-Authenticate",
    "X-Experience-API-Consistent-Through",
    "X-Experience-API-Version",
)
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE")
_MULTIPART: Final = b"multipart/mixed"
_PREFLIGHT_SECONDS: Final = 3600
WITHIN_LIMIT: Final = (Middleware(AlternateSyntax), Middleware(VersionCheck))


def around(settings: XapiSettings) -> list[Middleware]:
    return [
        Middleware(BrowserAccess, origins=settings.origins),
        Middleware(XapiHeaders),
        Middleware(ContentDecoding),
    ]


def body_limit(usual: int, attachments: AttachmentSettings) -> Callable[[Scope], int]:
    """The most bytes that a request may bring: more where attachments come with their data, which are streamed."""

    def limit_of(scope: Scope) -> int:
        if scope["path"] not in (STATEMENTS, IMPORTS):
            return usual
        media_type = dict(scope["headers"]).get(b"content-type", b"")[: len(_MULTIPART)].lower()
        return attachments.multipart_limit_bytes if media_type == _MULTIPART else usual

    return limit_of


class BrowserAccess:
    """CORS for what content in a browser calls. Any request header may be sent; no cookies are ever looked at."""

    def __init__(self, app: ASGIApp, origins: list[str]) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=("*",),
            expose_headers=EXPOSED,
            max_age=_PREFLIGHT_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._open if scope["type"] == "http" and is_for_browsers(scope) and _is_cross(scope) else self._app
        await app(scope, receive, send)


def _is_cross(scope: Scope) -> bool:
    """Whether a browser asks for another page's sake; no answer is for shared caches, so that `Vary` is not needed."""
    return any(name == b"origin" for name, _ in scope["headers"])
