"""Whose statements are stored and given to nobody: a restriction holds (GDPR 18(2))."""

import time
from typing import Final

from service_kit.consent import ConsentView

KNOWN_SECONDS: Final = 0.5


class Restricted:
    """The learners of a tenant whose data is restricted, as of half a second ago at most."""

    def __init__(self, consents: ConsentView) -> None:
        self._consents = consents
        self._known: dict[str, tuple[float, frozenset[str]]] = {}

    async def of(self, tenant: str) -> frozenset[str]:
        at, learners = self._known.get(tenant, (float("-inf"), frozenset[str]()))
        if (now := time.monotonic()) - at > KNOWN_SECONDS:
            learners = await self._consents.restricted(tenant)
            self._known[tenant] = (now, learners)
        return learners
