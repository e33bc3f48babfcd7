"""Signing in to a page with a bearer token, which travels in a cookie that no script and no other site gets hold of."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response

from service_kit.auth import Authenticator, Principal, Role, bearer
from service_kit.problems import Forbidden, Unauthorized

COOKIE: Final = "trellis_token"
HOURS_8: Final = 8 * 3600


class SignInNeeded(Exception):
    """Nobody is signed in, or the token is no longer good; `because` is for the reader."""

    def __init__(self, because: str = "") -> None:
        super().__init__(because)
        self.because = because


@dataclass(frozen=True)
class Sessions:
    """The pages below a path, and the roles that may open them."""

    roles: Collection[Role]
    path: str = "/"

    async def reader(self, request: Request) -> Principal:
        """The signed-in reader. An Authorization header counts before the cookie.

        Raises `SignInNeeded`; with a header, `Unauthorized` and `Forbidden`.
        """
        if "Authorization" in request.headers:
            return await self.check(request, bearer(request))
        token = request.cookies.get(COOKIE)
        if not token:
            raise SignInNeeded
        try:
            return await self.check(request, token)
        except (Unauthorized, Forbidden) as error:
            raise SignInNeeded(error.detail) from None

    async def check(self, request: Request, token: str) -> Principal:
        """Raises `Unauthorized` or `Forbidden`."""
        authenticator: Authenticator = request.app.state.authenticator
        principal = await authenticator.principal(token)
        if not principal.has(*self.roles):
            raise Forbidden(f"This needs one of the roles: {', '.join(self.roles)}")
        return principal

    def remember(self, response: Response, request: Request, token: str) -> None:
        is_secure = request.url.scheme == "https"
        response.set_cookie(
            COOKIE, token, max_age=HOURS_8, path=self.path, httponly=True, samesite="strict", secure=is_secure
        )

    def forget(self, response: Response) -> None:
        response.delete_cookie(COOKIE, path=self.path, httponly=True, samesite="strict")


def local(path: str, otherwise: str = "/") -> str:
    """A path on this site to go on to; anything else becomes the first page."""
    is_local = path.startswith("/") and not path.startswith(("//", "/\\")) and "\n" not in path
    return path if is_local else otherwise


def from_elsewhere(request: Request) -> bool:
    """Whether a browser says that another site's page has sent this form (Fetch Metadata; Origin where it is older)."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("Host", "")
