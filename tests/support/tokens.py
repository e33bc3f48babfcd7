"""Bearer tokens as the local issuer makes them, under a key of this session."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from devstack.issuer import Issuer

ISSUER = "https://issuer.test"


@dataclass(frozen=True)
class Tokens:
    """Makes tokens; services trust them by `settings`."""

    issuer: Issuer

    @classmethod
    def in_folder(cls, folder: Path) -> Tokens:
        """With a key pair (and its JWKS file) in that folder."""
        return cls(Issuer.in_folder(folder, name=ISSUER))

    @property
    def jwks_url(self) -> str:
        return self.issuer.jwks_url

    @property
    def settings(self) -> dict[str, str]:
        """The environment with which a service trusts these tokens."""
        return self.issuer.environment()

    def make(
        self,
        *roles: str,
        tenant: str = "demo",
        subject: str = "tester",
        learner: str | None = None,
        ttl_seconds: int = 3600,
        scope: str | None = None,
        service: str | None = None,
    ) -> str:
        """A token with these roles; a negative ttl makes one that has expired."""
        return self.issuer.token(
            roles=roles,
            tenant=tenant,
            subject=subject,
            learner=learner,
            service=service,
            ttl_seconds=ttl_seconds,
            scope=scope,
            now=time.time(),
        )

    def headers(
        self, *roles: str, tenant: str = "demo", learner: str | None = None, service: str | None = None
    ) -> dict[str, str]:
        """The Authorization header with such a token."""
        return {"Authorization": f"Bearer {self.make(*roles, tenant=tenant, learner=learner, service=service)}"}
