"""The issuer of bearer tokens on one machine: an Ed25519 key and its JWKS file. Never for more than one machine."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from jwt.algorithms import OKPAlgorithm

from devstack.private_files import write_private

ISSUER = "https://trellis.invalid/issuer"
AUDIENCE = "trellis"
YEAR_SECONDS = 365 * 24 * 3600
_KEY_ID = "local"


@dataclass(frozen=True)
class Issuer:
    """Signs tokens that services accept when they are started with `environment()`."""

    folder: Path
    key: Ed25519PrivateKey
    name: str = ISSUER

    @classmethod
    def in_folder(cls, folder: Path, *, name: str = ISSUER) -> Issuer:
        """The issuer whose key is kept there; made at first."""
        folder.mkdir(parents=True, exist_ok=True)
        stored = folder / "key.pem"
        if stored.exists():
            key = load_pem_private_key(stored.read_bytes(), password=None)
            if not isinstance(key, Ed25519PrivateKey):
                raise TypeError(f"{stored} holds no Ed25519 key")
        else:
            key = Ed25519PrivateKey.generate()
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            write_private(stored, pem)
        public: dict[str, Any] = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
        jwks = {"keys": [{**public, "kid": _KEY_ID, "use": "sig", "alg": "EdDSA"}]}
        (folder / "jwks.json").write_text(json.dumps(jwks, indent=1))
        return cls(folder=folder, key=key, name=name)

    @property
    def jwks_url(self) -> str:
        return (self.folder / "jwks.json").resolve().as_uri()

    def environment(self) -> dict[str, str]:
        """With which a service trusts this issuer."""
        return {
            "TRELLIS_OIDC_JWKS_URL": self.jwks_url,
            "TRELLIS_OIDC_ISSUER": self.name,
            "TRELLIS_OIDC_AUDIENCE": AUDIENCE,
        }

    def token(
        self,
        *,
        roles: Sequence[str],
        tenant: str,
        subject: str,
        learner: str | None = None,
        service: str | None = None,
        ttl_seconds: int = 3600,
        scope: str | None = None,
        now: float | None = None,
    ) -> str:
        """A signed token; `learner` is the learner_id of the person who holds it, `service` which of ours does, `scope`
        what it may do in xAPI.
        """
        issued = int(time.time() if now is None else now)
        claims: dict[str, Any] = {
            "iss": self.name,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": issued,
            "exp": issued + ttl_seconds,
        }
        claims |= {"tenant": tenant, "roles": list(roles)}
        named = {"learner": learner, "service": service, "scope": scope}
        claims |= {name: value for name, value in named.items() if value is not None}
        return jwt.encode(claims, self.key, algorithm="EdDSA", headers={"kid": _KEY_ID})
