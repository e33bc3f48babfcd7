"""How a service calls another: with its own token, for one tenant at a time."""

from collections.abc import Mapping
from typing import Any, Final

import jwt

from service_kit.settings import PeerSettings

EVERY_TENANT: Final = "*"  # of a token of one of our own services
TENANT_HEADER: Final = "Trellis-Tenant"  # for which tenant such a token is used


def tenant_of(claims: Mapping[str, Any]) -> str | None:
    """The tenant that a token names."""
    tenant = claims.get("tenant")
    return tenant if isinstance(tenant, str) and tenant and "/" not in tenant else None


class OwnToken:
    """This service's token: of role `service`, with its name, good for one tenant or for every one."""

    def __init__(self, settings: PeerSettings) -> None:
        self._token = settings.service_token.get_secret_value()

    def headers(self, tenant: str) -> dict[str, str]:
        """For a call that is about this tenant."""
        return {"Authorization": f"Bearer {self._token}", TENANT_HEADER: tenant}

    def serves(self, tenant: str) -> bool:
        """Whether it is good for the tenant. Whoever is called checks the token; we only ask whose it is."""
        try:
            own = tenant_of(jwt.decode(self._token, options={"verify_signature": False}))
        except jwt.PyJWTError:
            return False
        return own in (EVERY_TENANT, tenant)
