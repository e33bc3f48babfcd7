"""Writes that come after the sweep of an erasure.

Who writes has read the standings before. An erasure blocks, deletes, waits `TRELLIS_ERASURE_FENCE_SECONDS` and sweeps
once more: what was written within half of that is found. Whoever took longer looks again afterwards, and takes back
what names somebody who is gone by then: also where the mark of the erasure is gone already, since identities are too.
"""

import time
from collections.abc import Mapping

from service_kit.consent import ConsentView
from service_kit.erasing import ErasingSettings

from ingest.identities.repository import Identity
from ingest.identities.resolving import Resolver


class LateWrites:
    def __init__(self, identities: Resolver, consents: ConsentView) -> None:
        self._identities = identities
        self._consents = consents
        self._safe_seconds = ErasingSettings().erasure_fence_seconds / 2

    def is_late(self, begun: float) -> bool:
        """Whether a write may have missed the sweep that began then (monotonic), before the standings were read."""
        return time.monotonic() - begun > self._safe_seconds

    async def names_the_gone(self, tenant: str, identities: Mapping[str, Identity]) -> bool:
        """Whether one of those named is erased, or was."""
        for ifi, identity in identities.items():
            now = await self._identities.look_up(tenant, ifi)
            if now is None or now.learner != identity.learner:
                return True
        standings = await self._consents.standings(tenant, {identity.learner for identity in identities.values()})
        return any(standing.erased for standing in standings.values())
