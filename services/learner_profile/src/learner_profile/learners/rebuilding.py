"""Build learners anew from their rows: late, voided, remapped evidence and reopened profiles all come here."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from events.errors import NotReady
from events.tracing import span_after
from learner_model.folder import Folder
from msgspec.structs import replace
from service_kit import metrics
from service_kit.consent import ConsentView
from service_kit.leases import Leases
from service_kit.merging import Merges
from service_kit.mongo import Client, Session, in_transaction
from service_kit.turning import Turning, quietly

from learner_profile.activities.repository import ActivityRepository
from learner_profile.estimates.repository import EstimateRepository
from learner_profile.estimates.said import Word, overrulings, set_aside
from learner_profile.evidence.counting import counted
from learner_profile.evidence.mapping import Mapped, looked_up
from learner_profile.evidence.repository import EvidenceRepository
from learner_profile.learners.persons import Made, made_of
from learner_profile.learners.profiles import Profile, Status, built_anew, closed
from learner_profile.learners.repository import Dirty, LearnerRepository
from learner_profile.learners.standing import PURPOSE, everyone
from learner_profile.parameters.shelf import Shelf
from learner_profile.retention.bases import BaseRepository
from learner_profile.roles.repository import RoleRepository
from learner_profile.roles.staff import by_staff

_BATCH: Final = 100
_ROWS_AT_ONCE: Final = 2000
_LEARNERS_AT_ONCE: Final = 10  # the more, the likelier that one of them changes meanwhile and all begin anew
_SWEEP_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Views:
    """The repositories that a fold reads and writes."""

    evidence: EvidenceRepository
    learners: LearnerRepository
    activities: ActivityRepository
    consents: ConsentView
    roles: RoleRepository
    estimates: EstimateRepository
    merges: Merges
    bases: BaseRepository
    shelf: Shelf


class Rebuilder:
    """A job of the worker; `wake()` makes it look at once. Replicas share the learners by leases on their shards."""

    def __init__(
        self, client: Client, views: Views, leases: Leases, published: Callable[[], None], *, poll_seconds: float = 0.5
    ) -> None:
        self._client = client
        self._views = views
        self._leases = leases
        self._sweep_at = 0.0
        self._rebuilt = metrics.counter(metrics.LEARNERS_REBUILT)
        self._published = published
        self._turning = Turning("rebuild", self._turn, rest_seconds=poll_seconds)
        self.wake = self._turning.wake
        self.check = self._turning.check

    async def run(self) -> None:
        """Build anew until cancelled."""
        try:
            await self._turning.run()
        finally:
            await quietly(self._leases.release())

    async def _turn(self) -> bool:
        return await self.turn() >= _BATCH

    async def turn(self) -> int:
        """Build one batch of dirty learners anew; how many."""
        now = time.monotonic()
        if now > self._sweep_at:
            await self._views.learners.sweep_erased()
            await self._views.learners.mark_outdated()
            self._sweep_at = now + _SWEEP_SECONDS
        found = await self._views.learners.dirty(await self._leases.current(), _BATCH)
        built = 0
        for tenant, learners in _portions(found):
            try:
                done = await in_transaction(self._client, partial(build, self._views, tenant, learners))
            except NotReady:
                continue  # this tenant's policy is not known yet; the others need not wait for it
            self._rebuilt.add(done)
            built += len(learners)
            self._published()
        return built


async def build(views: Views, tenant: str, learners: Sequence[str], session: Session) -> int:
    """Those of them who are to be built anew, in the session's transaction; how many."""
    profiles = await views.learners.load(tenant, learners, session)
    still = [p for p in profiles.values() if p.dirty and p.status == Status.OPEN]
    if not still:
        return 0
    standings = await views.consents.standings(tenant, learners, session)
    people = {p.learner: everyone(p.learner, standings[p.learner]) for p in still}
    rows = await views.evidence.of_learners(tenant, [one for found in people.values() for one in found], session)
    policy = next(iter(standings.values())).policy
    staff = {
        one for one, own in people.items() if by_staff(policy, [row for each in own for row in rows.get(each, ())])
    }
    others = await views.roles.others(tenant, people, policy, session, staff)
    bases = await views.bases.load(tenant, [one for found in people.values() for one in found], session)
    readings = [row.reading for one in rows.values() for row in one]
    catalog = await views.activities.mapped(tenant, looked_up(readings), session)
    said = await views.estimates.of_people(tenant, people, session)
    folder = await views.shelf.folder(tenant, (one.stored for one in readings))
    built = []
    for profile in still:
        own = people[profile.learner]
        learns = own[0] == profile.learner and profile.learner not in others
        made = made_of(own, rows, bases)
        if learns and standings[profile.learner].allows(PURPOSE):
            built.append(_one(profile, made, said[profile.learner], catalog, folder))
            await views.evidence.mark_totals(tenant, made.changed, session)
        else:
            built.append(closed(profile))
        await asyncio.sleep(0)  # the consumer's heartbeats live in this loop
    await views.learners.save(built, session)
    return len(built)


def _one(profile: Profile, made: Made, said: Sequence[Word], catalog: dict[str, Mapped], folder: Folder) -> Profile:
    with span_after("rebuild learner", profile.traceparent) as traceparent:
        traced = replace(profile, traceparent=traceparent)
        readings, aside = [counted(row) for row in made.rows], tuple(set_aside(said))
        return built_anew(traced, readings, catalog, folder, overrulings(said), made.base, aside)


def _portions(found: Sequence[Dirty]) -> Iterator[tuple[str, list[str]]]:
    """Learners of one tenant whose rows together are not too many for one transaction."""
    by_tenant: defaultdict[str, list[Dirty]] = defaultdict(list)
    for dirty in found:
        by_tenant[dirty.tenant].append(dirty)
    for tenant, learners in by_tenant.items():
        portion: list[str] = []
        rows = 0
        for dirty in learners:
            if len(portion) == _LEARNERS_AT_ONCE or (portion and rows + dirty.statements > _ROWS_AT_ONCE):
                yield tenant, portion
                portion, rows = [], 0
            portion.append(dirty.learner)
            rows += dirty.statements
        yield tenant, portion
