"""Who may launch: a credential that may write statements and state itself, or a token of an app or operator."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request
from service_kit.auth import Authenticator, Role, bearer, principal_of
from service_kit.problems import Forbidden, Unauthorized

from ingest.credentials.bearer import caller, scopes_of
from ingest.credentials.credential import Credential
from ingest.credentials.schemas import Scope
from ingest.credentials.verification import CHALLENGE
from ingest.state import state_of

_NEEDED: Final = (Scope.statements_write, Scope.state)


async def issuer(request: Request) -> Credential:
    """A dependency: in whose name a launch is made. Raises `Unauthorized`, `Forbidden`."""
    header = request.headers.get("Authorization")
    if (header or "").partition(" ")[0].lower() == "bearer":
        authenticator: Authenticator = request.app.state.authenticator
        try:
            credential = _of_claims(await authenticator.claims(bearer(request)))
        except Unauthorized as error:
            raise Unauthorized(error.detail, headers=CHALLENGE) from None
    else:
        credential = await state_of(request).verifier.verify(header)
    if credential.limits is not None or not all(credential.may(scope) for scope in _NEEDED):
        raise Forbidden(f"A launch needs the scopes {' and '.join(_NEEDED)} (or all), or the role app or operator")
    return credential


def _of_claims(claims: Mapping[str, Any]) -> Credential:
    principal = principal_of({"roles": [], **claims})
    scopes = frozenset(_NEEDED) if principal.has(Role.app, Role.operator) else scopes_of(claims.get("scope"))
    return caller(str(claims["iss"]), principal.subject, principal.tenant, scopes)
