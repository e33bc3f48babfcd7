"""Who posts: Basic credentials, from a short cache, so that a request costs no look-up.

A deleted credential stops working at once in the process that deleted it, within `CACHE_SECONDS` in every other.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Final

from fastapi import Request
from service_kit.problems import Forbidden, Unauthorized

from ingest.credentials.repository import Credential, CredentialRepository
from ingest.credentials.schemas import Scope
from ingest.credentials.secrets import matches, parse_basic

CACHE_SECONDS: Final = 15.0
CACHE_SIZE: Final = 10_000
CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="trellis xAPI", charset="UTF-8"'}


class Verifier:
    """Checks key and secret. Only known keys are cached; a wrong secret costs no look-up either."""

    def __init__(self, credentials: CredentialRepository, now: Callable[[], float] = time.monotonic) -> None:
        self._credentials = credentials
        self._now = now
        self._cache: OrderedDict[str, tuple[float, Credential]] = OrderedDict()

    async def verify(self, header: str | None) -> Credential:
        """Raises `Unauthorized`."""
        given = parse_basic(header)
        if given is None:
            raise Unauthorized("An xAPI key and secret are needed (HTTP Basic)", headers=CHALLENGE)
        key, secret = given
        credential = await self._find(key)
        if credential is None or not matches(secret, credential.digest):
            raise Unauthorized("The xAPI key or secret is wrong", headers=CHALLENGE)
        return credential

    def forget(self, key: str) -> None:
        self._cache.pop(key, None)

    async def _find(self, key: str) -> Credential | None:
        cached = self._cache.get(key)
        if cached is not None and cached[0] > self._now():
            return cached[1]
        credential = await self._credentials.of_key(key)
        self.forget(key)
        if credential is not None:
            self._cache[key] = (self._now() + CACHE_SECONDS, credential)
            if len(self._cache) > CACHE_SIZE:
                self._cache.popitem(last=False)
        return credential


def scoped(*scopes: Scope) -> Callable[[Request], Coroutine[None, None, Credential]]:
    """A dependency: the credential of the request, which must have one of the scopes."""

    async def dependency(request: Request) -> Credential:
        verifier: Verifier = request.app.state.ingest.verifier
        credential = await verifier.verify(request.headers.get("Authorization"))
        if not credential.may(*scopes):
            raise Forbidden(f"This needs one of the scopes: {', '.join((*scopes, Scope.all))}")
        return credential

    return dependency
