"""A credential as a JSON Web Token (Open Badges 3.0, 8.2; W3C VC-JOSE-COSE 3.1). Pure.

The payload is the credential with the registered claims beside it. The header's `typ` is `JWT`, which no certificate
and no checkpoint has, so that none of those can be had by asking for the signature of a credential.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from privacy.certificates.jws import public_jwk, signed
from privacy.signing import Signer


def issuer_of(base: str, tenant: str) -> str:
    return f"{base.rstrip('/')}/issuers/{tenant}"


def keys_url(base: str) -> str:
    return f"{base.rstrip('/')}/certificates/keys"


def credential_jwt(credential: Mapping[str, Any], *, issuer: str, name: str, base: str, signer: Signer) -> str:
    """The compact JWS; issuer and claims are set here, whatever the credential says of them."""
    claims: dict[str, Any] = {
        "iss": issuer,
        "jti": credential["id"],
        "sub": credential["credentialSubject"]["id"],
        "nbf": _numeric(credential["validFrom"]),
    }
    if "validUntil" in credential:
        claims["exp"] = _numeric(credential["validUntil"])
    profile = {"id": issuer, "type": ["Profile"], "name": name}
    kid = f"{keys_url(base)}#{public_jwk(signer)['kid']}"
    return signed({**credential, "issuer": profile, **claims}, signer, "JWT", kid=kid)


def _numeric(moment: str) -> int:
    """NumericDate (RFC 7519 2)."""
    return int(datetime.fromisoformat(moment).timestamp())
