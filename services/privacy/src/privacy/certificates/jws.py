"""Signed documents as JSON Web Signatures in the compact form (RFC 7515) with Ed25519 (RFC 8037)."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final

import orjson

from privacy.signing import Signer

ALGORITHM: Final = "EdDSA"


def signed(document: Mapping[str, Any], signer: Signer, kind: str, *, kid: str | None = None) -> str:
    """The compact JWS of a document; `kind` is its media type's end, such as `jwt` (RFC 7515 4.1.9).

    `kid`: how the key is named, if not by its thumbprint.
    """
    header = {"alg": ALGORITHM, "kid": kid or public_jwk(signer)["kid"], "typ": kind}
    parts = f"{_encoded(orjson.dumps(header))}.{_encoded(orjson.dumps(document))}"
    return f"{parts}.{_encoded(base64.b64decode(signer.sign(parts.encode())))}"


def public_jwk(signer: Signer) -> dict[str, str]:
    """The public key (RFC 8037 2); `kid` is its thumbprint (RFC 7638)."""
    needed = {"crv": "Ed25519", "kty": "OKP", "x": _encoded(base64.b64decode(signer.public_key))}
    thumbprint = hashlib.sha256(orjson.dumps(needed, option=orjson.OPT_SORT_KEYS)).digest()
    return {**needed, "alg": ALGORITHM, "use": "sig", "kid": _encoded(thumbprint)}


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
