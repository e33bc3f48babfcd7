"""OIDC bearer tokens as callers of /xapi.

A token says in `scope` what it may do (RFC 8693 4.2, RFC 9068 2.2.3): the names of 1.0.3 Communication 4.2, each with
or without the prefix `xapi:`; `profile` has it always, since alone it is OpenID Connect's own, and in every login.
Roles, which open the rest of Trellis, open nothing here.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from service_kit.auth import Principal
from service_kit.own_token import EVERY_TENANT, tenant_of
from service_kit.problems import Unauthorized

from ingest.credentials.credential import Account, Credential, Known
from ingest.credentials.schemas import Scope

PREFIX: Final = "xapi:"
_NAMES: Final[Mapping[str, Scope]] = {
    **{f"{PREFIX}{scope}": scope for scope in Scope},
    **{scope.value: scope for scope in Scope if scope is not Scope.profile},  # OpenID Connect Core 5.4
}


def known(claims: Mapping[str, Any]) -> Known:
    """The caller that a checked token names. Raises `Unauthorized` where it has no tenant."""
    tenant = tenant_of(claims)
    if tenant is None or tenant == EVERY_TENANT:
        raise Unauthorized("The bearer token lacks the claim `tenant`, of one tenant")
    credential = caller(str(claims["iss"]), str(claims["sub"]), tenant, scopes_of(claims.get("scope")))
    return Known(credential.key, credential, (), datetime.fromtimestamp(claims["exp"], UTC))


def scopes_of(claim: Any) -> frozenset[Scope]:
    """The xAPI scopes among those of the claim; others are another service's.

    >>> sorted(scopes_of("openid xapi:state statements/read"))
    [<Scope.state: 'state'>, <Scope.statements_read: 'statements/read'>]
    """
    names = claim.split() if isinstance(claim, str) else []
    return frozenset(_NAMES[name] for name in names if name in _NAMES)


def of_principal(principal: Principal, issuer: str, scopes: frozenset[Scope]) -> Credential:
    return caller(issuer, principal.subject, principal.tenant, scopes)


def caller(issuer: str, subject: str, tenant: str, scopes: frozenset[Scope]) -> Credential:
    """`subject` is the client where the token is a client's own (RFC 9068 2.2), else the person who uses it."""
    digest = hashlib.sha256(f"{issuer}|{subject}".encode()).hexdigest()
    return Credential(f"oidc.{digest[:32]}", tenant, scopes, Account(issuer, subject))
