"""What this service holds on a learner, as the privacy service collects it: the model, and each piece of evidence."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from learner_model import view
from learner_model.state import microseconds
from service_kit.clock import Clock
from service_kit.subjects import Item, Record

from learner_profile.activities.repository import ActivityRepository
from learner_profile.evidence.mapping import looked_up
from learner_profile.evidence.repository import EvidenceRepository, Place
from learner_profile.learners.repository import LearnerRepository
from learner_profile.learners.schemas import EvidenceOut, LearnerOut
from learner_profile.roles.repository import RoleRepository

PAGE: Final = 200


@dataclass(frozen=True)
class HeldByProfile:
    """`service_kit.subjects.Held`."""

    learners: LearnerRepository
    evidence: EvidenceRepository
    activities: ActivityRepository
    roles: RoleRepository
    clock: Clock

    async def __call__(self, tenant: str, learner: str) -> AsyncIterator[Item]:
        profile = (await self.learners.load(tenant, [learner])).get(learner)
        if profile is not None and profile.state is not None:
            model = LearnerOut.of(profile, view(profile.state, self.clock()))
            yield Record("profile", model.model_dump_json().encode())
        role = (await self.roles.known(tenant, [learner])).get(learner)
        if role is not None:
            yield Record("role", role.model_dump_json().encode())
        before: Place | None = None
        while page := await self.evidence.timeline(tenant, learner, before, PAGE):
            catalog = await self.activities.known(tenant, looked_up(row.reading for row in page))
            for row in page:
                yield Record("evidence", EvidenceOut.of(row, catalog).model_dump_json().encode())
            before = (microseconds(page[-1].reading.at), page[-1].reading.statement_id)
