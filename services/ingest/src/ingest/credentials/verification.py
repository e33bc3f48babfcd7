"""Who calls: a key and its secret, a launch, or a bearer token, from a short cache, so that a request costs no look-up.

A deleted credential stops working at once in the process that deleted it, within `CACHE_SECONDS` in every other.
"""

import hashlib
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from service_kit.auth import Authenticator
from service_kit.clock import Clock, system_clock
from service_kit.problems import Forbidden, TooMany, Unauthorized

from ingest.credentials import bearer
from ingest.credentials.credential import Credential, Known, Rate
from ingest.credentials.limits import is_open
from ingest.credentials.rates import Buckets
from ingest.credentials.schemas import Scope
from ingest.credentials.secrets import digest, is_one_of, parse_basic
from ingest.credentials.use import LastUse
from ingest.identities.cache import Cache

CACHE_SECONDS: Final = 15.0
CACHE_SIZE: Final = 10_000
LOOK_AGAIN_SECONDS: Final = 1.0
CHALLENGE: Final = {
    "WWW-Authenticate": 'Basic realm="trellis xAPI", charset="UTF-8", Bearer realm="trellis xAPI"',
    "Cache-Control": "no-store",
}
Find = Callable[[str], Awaitable[Known | None]]


@dataclass(frozen=True, slots=True)
class _Cached:
    known: Known
    read_at: float


class Verifier:
    """Checks what a request shows. Only known keys are cached; a wrong secret costs one look-up a second at most.

    `find` knows keys, `others` those that begin with a prefix of their own.
    """

    def __init__(
        self,
        find: Find,
        *,
        others: Mapping[str, Find] | None = None,
        authenticator: Authenticator | None = None,
        last_use: LastUse | None = None,
        rate: Rate | None = None,
        clock: Clock = system_clock,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._others = dict(others or {})
        self._authenticator = authenticator
        self._last_use = last_use
        self._rate = rate
        self._clock = clock
        self._now = now
        self._cache: Cache[str, _Cached] = Cache(CACHE_SIZE, CACHE_SECONDS, now)
        self._buckets = Buckets(now)

    async def verify(self, header: str | None) -> Credential:
        """Raises `Unauthorized`, `TooMany`."""
        scheme, _, token = (header or "").partition(" ")
        known = await (self._bearer(token.strip()) if scheme.lower() == "bearer" else self._basic(header))
        if known.expired(self._clock()):
            raise Unauthorized("What the request shows has expired", headers=CHALLENGE)
        self._admit(known)
        return known.credential

    def forget(self, key: str) -> None:
        """Look at this key again before trusting it."""
        self._cache.drop(key)

    def forget_issued_by(self, key: str) -> None:
        """Forget the key and whatever was launched in its name."""
        self._cache.drop_where(lambda one: one.known.credential.key == key)

    async def close(self) -> None:
        if self._last_use is not None:
            await self._last_use.close()

    async def _basic(self, header: str | None) -> Known:
        given = parse_basic(header)
        if given is None:
            raise Unauthorized("An xAPI key and secret (HTTP Basic), or a bearer token is needed", headers=CHALLENGE)
        key, secret = given
        shown, cached = digest(secret), self._cache.get(key)
        if cached is None or not self._shows(cached.known, shown):
            known = await self._look(key, cached)
            if known is None or not self._shows(known, shown):
                raise Unauthorized("The xAPI key or secret is wrong", headers=CHALLENGE)
        else:
            known = cached.known
        if self._last_use is not None and known.credential.limits is None:
            self._last_use.note(key)
        return known

    def _shows(self, known: Known, shown: str) -> bool:
        return is_one_of(shown, [one.digest for one in known.secrets if one.until is None or one.until > self._clock()])

    async def _look(self, key: str, cached: _Cached | None) -> Known | None:
        """Read anew: what another replica has just made or changed works here at once."""
        if cached is not None and self._now() - cached.read_at < LOOK_AGAIN_SECONDS:
            return None
        prefix, dot, _ = key.partition(".")
        find = self._others.get(prefix) if dot else self._find
        known = None if find is None else await find(key)
        self._remember(key, known)
        return known

    async def _bearer(self, token: str) -> Known:
        if self._authenticator is None or not token:
            raise Unauthorized("A bearer token is needed", headers=CHALLENGE)
        place = f"bearer {hashlib.sha256(token.encode()).hexdigest()}"
        if (cached := self._cache.get(place)) is not None:
            return cached.known
        try:
            known = bearer.known(await self._authenticator.claims(token))
        except Unauthorized as error:
            raise Unauthorized(error.detail, headers=CHALLENGE) from None
        self._remember(place, known)
        return known

    def _remember(self, place: str, known: Known | None) -> None:
        if known is None:
            self._cache.drop(place)
        else:
            self._cache.put(place, _Cached(known, self._now()))

    def _admit(self, known: Known) -> None:
        rate = known.rate or self._rate
        if rate is None or not (wait := self._buckets.take(known.caller, rate)):
            return
        raise TooMany(
            f"More than {rate.per_second:g} requests a second (up to {rate.burst} at once)",
            retry_after_seconds=max(1, math.ceil(wait)),
        )


def scoped(*scopes: Scope) -> Callable[[Request], Coroutine[Any, Any, Credential]]:
    """A dependency: the credential of the request, which must have one of the scopes.

    A launch reaches no other resource than its own; what it may do there the resource checks.
    """

    async def dependency(request: Request) -> Credential:
        verifier: Verifier = request.app.state.ingest.verifier
        credential = await verifier.verify(request.headers.get("Authorization"))
        if not credential.may(*scopes):
            raise Forbidden(f"This needs one of the scopes: {', '.join((*scopes, Scope.all))}")
        if credential.limits is not None and not is_open(request.method, _path(request)):
            raise Forbidden("A launch may write statements and its own state, and nothing else")
        return credential

    return dependency


def _path(request: Request) -> str:
    path: str = request.scope["path"]
    return path.removeprefix(request.scope.get("root_path", ""))
