"""Who is calling: OIDC bearer tokens checked against the issuer's JWKS.

Claims beyond the standard ones: `tenant`, `roles`, `learner` (the learner_id of whoever holds the token), and, where
one of our own services holds it, `service`: its name. The tenant of such a token may be `*`; then each call names its
tenant in the header `Trellis-Tenant`, and the token is good for the role `service` alone.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import unquote, urlsplit

import httpx2
import jwt
import orjson
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service_kit.claims import ClaimedLearners
from service_kit.own_token import EVERY_TENANT, TENANT_HEADER, tenant_of
from service_kit.problems import Forbidden, NotReadyYet, Unauthorized
from service_kit.settings import AuthSettings, PeerSettings

log = logging.getLogger(__name__)

ALGORITHMS: Final = ("EdDSA", "RS256", "ES256")
REFRESH_SECONDS: Final = 300.0
UNKNOWN_KEY_PAUSE_SECONDS: Final = 10.0
BEARER: Final = HTTPBearer(scheme_name="bearer", bearerFormat="JWT", auto_error=False)  # for OpenAPI alone
CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="trellis"'}


class Role(StrEnum):
    learner = "learner"
    guardian = "guardian"
    teacher = "teacher"
    authority = "authority"
    dpo = "dpo"
    operator = "operator"
    app = "app"
    service = "service"


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller. `learner_id` is the caller's own, where the token names one; `service`: which of ours it is;
    `children`: for whom a guardian acts, where the endpoint has asked privacy.
    """

    subject: str
    tenant: str
    roles: frozenset[Role]
    learner_id: str | None = None
    service: str | None = None
    children: frozenset[str] = frozenset()

    def has(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)

    def may_see(self, learner_id: str, *others: Role) -> bool:
        """Whether this is the learner itself, a guardian who acts for the learner, or someone in one of the other
        roles.
        """
        itself = self.has(Role.learner) and self.learner_id == learner_id
        return self.has(*others) or itself or learner_id in self.children


class Authenticator:
    """Checks bearer tokens. Keys are read from the JWKS and read again when a token names an unknown one."""

    def __init__(self, settings: AuthSettings, peers: PeerSettings | None = None) -> None:
        self._settings = settings
        self._claimed = ClaimedLearners(settings.oidc_learner_claims, peers or PeerSettings())
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = -REFRESH_SECONDS
        self._lock = asyncio.Lock()

    async def principal(self, token: str) -> Principal:
        """The caller; a learner whose token names none is found by the tenant's claim.

        Raises `Unauthorized`, and `NotReadyYet` where ingest cannot be asked who that is.
        """
        claims = await self.claims(token)
        principal = principal_of(claims)
        if (
            principal.learner_id is not None
            or not principal.has(Role.learner)
            or not self._settings.oidc_learner_claims
        ):
            return principal
        return replace(principal, learner_id=await self._claimed.learner(principal.tenant, claims))

    async def claims(self, token: str) -> dict[str, Any]:
        """What a valid token says. Raises `Unauthorized`."""
        try:
            key = await self._key(jwt.get_unverified_header(token).get("kid", ""))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._settings.oidc_audience,
                issuer=self._settings.oidc_issuer,
                options={"require": ["exp", "iat", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise Unauthorized(f"The bearer token is not valid: {type(error).__name__}", headers=CHALLENGE) from None
        return claims

    async def _key(self, kid: str) -> jwt.PyJWK:
        age = time.monotonic() - self._read_at
        if age > REFRESH_SECONDS or (kid not in self._keys and age > UNKNOWN_KEY_PAUSE_SECONDS):
            async with self._lock:
                if time.monotonic() - self._read_at >= age:
                    await self._refresh()
        if kid not in self._keys:
            raise jwt.InvalidKeyError("unknown key")
        return self._keys[kid]

    async def _refresh(self) -> None:
        """Read the keys; where that fails those already known go on being trusted until the next try."""
        try:
            keys = jwt.PyJWKSet.from_dict(await load_jwks(self._settings.oidc_jwks_url)).keys
        except (OSError, httpx2.HTTPError, ValueError, TypeError, AttributeError, jwt.PyJWTError) as error:
            log.warning("the issuer's keys cannot be read: %s", type(error).__name__)
            if not self._keys:
                raise NotReadyYet("The issuer's keys cannot be read") from None
            self._read_at = time.monotonic() - REFRESH_SECONDS + UNKNOWN_KEY_PAUSE_SECONDS
            return
        self._keys = {key.key_id: key for key in keys if key.key_id}
        self._read_at = time.monotonic()


async def load_jwks(place: str) -> dict[str, Any]:
    """A set of keys (RFC 7517) from file:// or https://. Raises `OSError`, `HTTPError`, `ValueError`."""
    url = urlsplit(place)
    if url.scheme == "file":
        raw = await asyncio.to_thread(Path(unquote(url.path)).read_bytes)
    else:
        async with httpx2.AsyncClient(timeout=5) as client:
            raw = (await client.get(place)).raise_for_status().content
    document: dict[str, Any] = orjson.loads(raw)
    return document


def principal_of(claims: Mapping[str, Any]) -> Principal:
    """Raises `Unauthorized`."""
    tenant = tenant_of(claims)
    roles = claims.get("roles")
    learner, service = claims.get("learner"), claims.get("service")
    if tenant is None or not isinstance(roles, list):
        raise Unauthorized("The bearer token lacks the claims `tenant` and `roles`", headers=CHALLENGE)
    known = frozenset(Role(role) for role in roles if isinstance(role, str) and role in Role.__members__)
    own = learner if isinstance(learner, str) else None
    return Principal(str(claims["sub"]), tenant, known, own, service if isinstance(service, str) else None)


def bearer(request: Request) -> str:
    """The bearer token of a request. Raises `Unauthorized`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("A bearer token is needed", headers=CHALLENGE)
    return token.strip()


def require(
    *roles: Role, services: Collection[str] = (), every_tenant: bool = False
) -> Callable[..., Coroutine[Any, Any, Principal]]:
    """A dependency: the caller, who must have one of the roles (none named: any role).

    `services`: which of ours the role `service` stands for here. A token for every tenant is taken for the tenant that
    the call names; as it stands only where `every_tenant` says so: the endpoint then knows what it means.
    """
    others = frozenset(roles) - {Role.service}

    async def dependency(
        request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]
    ) -> Principal:
        authenticator: Authenticator = request.app.state.authenticator
        principal = await authenticator.principal(bearer(request))
        if not principal.roles or (roles and not principal.has(*roles)):
            raise Forbidden(f"This needs one of the roles: {', '.join(roles) or 'any'}")
        if Role.service in roles and not principal.has(*others) and principal.service not in services:
            raise Forbidden(f"Of the services this is for: {', '.join(sorted(services))}")
        if every_tenant:
            return principal
        return _of_one_tenant(principal, request.headers.get(TENANT_HEADER), for_services=Role.service in roles)

    return dependency


def _of_one_tenant(principal: Principal, named: str | None, *, for_services: bool) -> Principal:
    """The caller within one tenant: with a service's token for every tenant, the one that the call names.

    Raises `Forbidden`.
    """
    if principal.tenant != EVERY_TENANT:
        if named not in (None, principal.tenant):
            raise Forbidden("The token is another tenant's")
        return principal
    if not for_services or not principal.has(Role.service):
        raise Forbidden("This needs a token of one tenant")
    tenant = tenant_of({"tenant": named})
    if tenant is None or tenant == EVERY_TENANT:
        raise Forbidden(f"With a token for every tenant the header {TENANT_HEADER} names one")
    return Principal(principal.subject, tenant, frozenset({Role.service}), service=principal.service)
