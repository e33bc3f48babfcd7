"""The trainer's job: from the evidence of those who allow it, a version of what is common to learners.

A version is made anew from all evidence that there is, so that whoever was erased or has withdrawn has no part in the
next one. Learners come by id, which is chance; each one's answers in their order, as the fold takes them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Final

from learner_model.additive.answers import Columns
from learner_model.additive.weights import Parameters
from learner_model.versions import Effective
from service_kit.clock import Clock
from service_kit.leases import Leases
from service_kit.mongo import Client, in_transaction
from service_kit.turning import Turning, quietly

from learner_profile.evidence.counting import counted
from learner_profile.evidence.mapping import evidence_of, looked_up
from learner_profile.learners.persons import in_order
from learner_profile.learners.rebuilding import Views
from learner_profile.learners.standing import PURPOSE, everyone
from learner_profile.parameters.repository import ParametersRepository, Trained, cut
from learner_profile.parameters.shelf import AHEAD
from learner_profile.settings import TrainingSettings

_REST_SECONDS: Final = 30.0
_LEARNERS_AT_ONCE: Final = 50


class Training:
    """A job; one replica at a time holds the lease."""

    def __init__(
        self,
        client: Client,
        views: Views,
        parameters: ParametersRepository,
        leases: Leases,
        clock: Clock,
        settings: TrainingSettings,
        published: Callable[[], None],
    ) -> None:
        self._client = client
        self._views = views
        self._parameters = parameters
        self._leases = leases
        self._clock = clock
        self._settings = settings
        self._published = published
        self._turning = Turning("training", self._turn, rest_seconds=_REST_SECONDS)
        self.check = self._turning.check

    async def run(self) -> None:
        """Train until cancelled."""
        try:
            await self._turning.run()
        finally:
            await quietly(self._leases.release())

    async def _turn(self) -> bool:
        if await self._leases.current():
            for tenant in await self._views.learners.tenants():
                await self.tenant(tenant)
        return False

    async def tenant(self, tenant: str) -> Trained | None:
        """Make a version where one is due, and let go of those that no evidence needs; the one made."""
        versions = await self._parameters.versions(tenant)
        await self._let_go(tenant, versions)
        now = self._clock()
        last = versions[-1] if versions else None
        if last is not None and now - (last.since - AHEAD) < timedelta(hours=self._settings.training_interval_hours):
            return None
        rows = await self._views.evidence.count(tenant, voided=False)
        if rows - (last.answers if last else 0) < self._settings.training_least_answers:
            return None
        columns = await self._answers(tenant)
        if len(columns) - (last.answers if last else 0) < self._settings.training_least_answers:
            return None
        made = await asyncio.to_thread(_trained, columns)
        if last is not None and last.version == made.version:
            return None
        return await self._publish(tenant, made, len(columns))

    async def _publish(self, tenant: str, made: Parameters, answers: int) -> Trained:
        since = _whole_seconds(self._clock() + AHEAD)
        parts = cut(made.version, since, answers, made.encode())
        await in_transaction(self._client, lambda session: self._parameters.put(tenant, parts, session, publish=True))
        self._published()
        return Trained(since, made.version, answers)

    async def _answers(self, tenant: str) -> Columns:
        """The answers of those who allow `profile` and count as learners; of a person all together, in their order."""
        columns = Columns()
        async for people in self._allowed(tenant):
            rows = await self._views.evidence.of_learners(tenant, [one for own in people for one in own])
            found = [in_order({one: rows.get(one, []) for one in own}) for own in people]
            readings = [[counted(row) for row in one if not row.reading.of_group] for one in found]
            catalog = await self._views.activities.mapped(tenant, looked_up(r for one in readings for r in one))
            for one in readings:
                columns.add(evidence_of(reading, catalog) for reading in one)
                await asyncio.sleep(0)
            if len(columns) >= self._settings.training_most_answers:
                break
        return columns

    async def _allowed(self, tenant: str) -> AsyncIterator[list[tuple[str, ...]]]:
        """The identifiers of each person."""
        async for learners in self._views.learners.open_ones(tenant, _LEARNERS_AT_ONCE):
            standings = await self._views.consents.standings(tenant, learners)
            policy = next(iter(standings.values())).policy
            others = await self._views.roles.others(tenant, learners, policy)
            allowed = [one for one in learners if one not in others and standings[one].allows(PURPOSE)]
            people = [everyone(one, standings[one]) for one in allowed]
            if people:
                yield people

    async def _let_go(self, tenant: str, versions: Sequence[Trained]) -> None:
        """A version leaves when the next one has held long enough and before all evidence there is."""
        await self._parameters.sweep(tenant)
        if len(versions) < 2:
            return
        before = self._clock() - timedelta(days=self._settings.parameters_kept_days)
        oldest = await self._views.evidence.oldest_stored(tenant)
        bound = before if oldest is None else min(before, oldest)
        gone = [Effective(one.since, one.version) for one, following in pairwise(versions) if following.since <= bound]
        if gone:
            await in_transaction(self._client, partial(self._parameters.retire, tenant, gone))
            self._published()


def _trained(columns: Columns) -> Parameters:
    """Imports numba, and takes a core for as long as it lasts."""
    from learner_model.additive.training import trained

    return trained(columns.answers())


def _whole_seconds(at: datetime) -> datetime:
    return at.replace(microsecond=0)
