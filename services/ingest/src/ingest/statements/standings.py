"""The standings of those whom requests name: one read for all requests of a moment.

Each read begins after the requests that share it have come, so that nothing is older than if each had read by itself.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from service_kit.consent import ConsentView, Standing
from service_kit.mongo import within

from ingest.gathering import Gathering

READ_SECONDS: Final = 10.0
BREATH_SECONDS: Final = 0.002
"""A tenth of the CPU of single statements, ingest's and MongoDB's, at 16 connections."""
Asked = tuple[str, AbstractSet[str]]
"""A tenant and learners."""


class GatheredStandings:
    def __init__(self, consents: ConsentView) -> None:
        self._consents = consents
        self._read: Gathering[Asked, Mapping[str, Standing]] = Gathering(
            self._standings, most_a_call=100, breath_seconds=BREATH_SECONDS
        )

    async def of(self, tenant: str, learners: AbstractSet[str]) -> dict[str, Standing]:
        """The standing of each learner. Raises `PolicyUnknown`."""
        found = await self._read((tenant, learners))
        return {learner: found[learner] for learner in learners}

    async def _standings(self, asked: Sequence[Asked]) -> list[Mapping[str, Standing] | Exception]:
        everyone: dict[str, set[str]] = {}
        for tenant, learners in asked:
            everyone.setdefault(tenant, set()).update(learners)
        found: dict[str, Mapping[str, Standing] | Exception] = {}
        for tenant, together in everyone.items():
            try:
                with within(READ_SECONDS):
                    found[tenant] = await self._consents.standings(tenant, together)
            except Exception as error:  # this tenant's alone: the others' requests go on
                found[tenant] = error
        return [found[tenant] for tenant, _ in asked]
