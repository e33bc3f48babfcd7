"""What stands around the routes of this service, outermost first."""

from typing import Final

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.http.alternate import AlternateSyntax
from ingest.http.decoding import ContentDecoding
from ingest.http.paths import is_for_browsers
from ingest.http.settings import XapiSettings
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
_PREFLIGHT_SECONDS: Final = 3600
WITHIN_LIMIT: Final = (Middleware(AlternateSyntax), Middleware(VersionCheck))


def around(settings: XapiSettings) -> list[Middleware]:
    return [
        Middleware(BrowserAccess, origins=settings.origins),
        Middleware(XapiHeaders),
        Middleware(ContentDecoding),
    ]


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
        app = self._open if scope["type"] == "http" and is_for_browsers(scope) else self._app
        await app(scope, receive, send)
