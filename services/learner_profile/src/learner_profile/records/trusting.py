"""Whose records are taken: issuers that the operator has named, each with the place of its keys (JWKS, RFC 7517)."""

import time
from collections.abc import Mapping
from typing import Any, Final

import httpx2
import jwt
from service_kit.auth import ALGORITHMS, load_jwks

REMEMBERED_SECONDS: Final = 300.0


class NotTrusted(ValueError):
    """Not signed by an issuer that is taken here; the reason names no one."""


class TrustedIssuers:
    """Checks credentials in the form of JSON Web Tokens against the keys of the issuers that were named."""

    def __init__(self, issuers: Mapping[str, str]) -> None:
        """Issuer (`iss`) → where its keys are, https:// or file://."""
        self._issuers = dict(issuers)
        self._known: dict[str, tuple[float, list[jwt.PyJWK]]] = {}

    async def credential(self, token: str, issuer: str | None = None) -> dict[str, Any]:
        """What a signed credential says; of that issuer, where one is given.

        Its claims are those of the credential (Open Badges 3.0, 8.2.4). Raises `NotTrusted`.
        """
        try:
            named = str(jwt.decode(token, options={"verify_signature": False}).get("iss", ""))
            if named not in self._issuers or issuer not in (None, named):
                raise NotTrusted("its issuer is none of those that are taken here")
            kid = str(jwt.get_unverified_header(token).get("kid", "")).rpartition("#")[2]
            key = next((one for one in await self._keys(self._issuers[named]) if one.key_id == kid), None)
            if key is None:
                raise NotTrusted("its issuer has no such key")
            said: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                options={"require": ["iss", "sub", "jti", "nbf"], "verify_aud": False},
            )
        except jwt.PyJWTError as error:
            raise NotTrusted(f"its signature or its dates are not good: {type(error).__name__}") from None
        if not _agrees(said):
            raise NotTrusted("its claims are not those of the credential in it")
        return said

    async def _keys(self, url: str) -> list[jwt.PyJWK]:
        held = self._known.get(url)
        if held is None or held[0] < time.monotonic():
            try:
                keys = jwt.PyJWKSet.from_dict(await load_jwks(url)).keys
            except (OSError, httpx2.HTTPError, ValueError, TypeError, AttributeError, jwt.PyJWTError):
                raise NotTrusted("the keys of its issuer cannot be read") from None
            held = self._known[url] = (time.monotonic() + REMEMBERED_SECONDS, keys)
        return held[1]


def _agrees(said: Mapping[str, Any]) -> bool:
    subject, issuer = said.get("credentialSubject"), said.get("issuer")
    if not isinstance(subject, Mapping) or not isinstance(issuer, Mapping):
        return False
    return (said["iss"], said["sub"], said["jti"]) == (issuer.get("id"), subject.get("id"), said.get("id"))
