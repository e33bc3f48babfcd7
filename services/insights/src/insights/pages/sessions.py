"""Signing in with a bearer token, which then travels in a cookie that no script and no other site gets hold of."""

from typing import Final

from fastapi import Request, Response
from service_kit.auth import Authenticator, Principal, bearer
from service_kit.problems import Forbidden, Unauthorized

from insights.reports.access import READERS

COOKIE: Final = "trellis_token"
HOURS_8: Final = 8 * 3600


class SignInNeeded(Exception):
    """Nobody is signed in, or the token is no longer good; `because` is for the reader."""

    def __init__(self, because: str = "") -> None:
        super().__init__(because)
        self.because = because


async def reader(request: Request) -> Principal:
    """The signed-in reader. An Authorization header counts before the cookie.

    Raises `SignInNeeded`; with a header, `Unauthorized` and `Forbidden`.
    """
    if "Authorization" in request.headers:
        return await check(request, bearer(request))
    token = request.cookies.get(COOKIE)
    if not token:
        raise SignInNeeded
    try:
        return await check(request, token)
    except (Unauthorized, Forbidden) as error:
        raise SignInNeeded(error.detail) from None


async def check(request: Request, token: str) -> Principal:
    """Raises `Unauthorized` or `Forbidden`."""
    authenticator: Authenticator = request.app.state.authenticator
    principal = await authenticator.principal(token)
    if not principal.has(*READERS):
        raise Forbidden(f"This needs one of the roles: {', '.join(READERS)}")
    return principal


def remember(response: Response, request: Request, token: str) -> None:
    response.set_cookie(
        COOKIE, token, max_age=HOURS_8, httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )


def forget(response: Response) -> None:
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")


def local(path: str) -> str:
    """A path on this site to go on to; anything else becomes the first page."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and "\n" not in path else "/"
